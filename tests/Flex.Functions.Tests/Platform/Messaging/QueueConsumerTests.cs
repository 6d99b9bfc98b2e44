using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Flex.Functions.Tests.Platform.Messaging;

/// <summary>How messages are settled: the one place that completes and dead-letters them.</summary>
public sealed class QueueConsumerTests : IDisposable
{
    private const string Subject = "parcel.lost.v1";
    private static readonly string Body = StorageJson.Write(new Envelope("msg_1", Subject, "{}", "corr-1"));
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly RecordingActions _actions = new();
    private readonly RecordingLogs _logs = new();
    private readonly FakeHandler _handler = new();

    public void Dispose() => _logs.Dispose();

    [Fact]
    public async Task What_was_handled_is_completed_after_it_was_handled()
    {
        _handler.Handle = _ =>
        {
            Assert.Empty(_actions.Settled);
            return Task.CompletedTask;
        };

        await ConsumeAsync(Body);

        Assert.Equal(["msg_1"], _handler.Handled);
        Assert.Equal(["completed"], _actions.Settled);
        Assert.Empty(_logs.Entries);
    }

    public static TheoryData<Exception> Failures => [new TransientFaultException("down"), new DefectException("odd"), new InvalidOperationException("unexpected")];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_failure_goes_on_to_the_host_and_settles_nothing(Exception failure)
    {
        _handler.Handle = _ => throw failure;

        Assert.Same(failure, await Record.ExceptionAsync(() => ConsumeAsync(Body, 3)));

        Assert.Empty(_actions.Settled);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(Queues.MaxDeliveryCount - 1)]
    public async Task While_a_dependency_stays_down_the_message_is_neither_given_back_nor_given_up(int delivery)
    {
        _handler.Handle = _ => throw new TransientFaultException("down");

        await ConsumeAsync(Body, delivery);

        Assert.Empty(_actions.Settled);
        Assert.Equal(LogLevel.Warning, Assert.Single(_logs.Entries).Level);
    }

    [Fact]
    public async Task What_is_no_outage_is_given_back_at_every_delivery()
    {
        _handler.Handle = _ => throw new DefectException("odd");

        await Assert.ThrowsAsync<DefectException>(() => ConsumeAsync(Body, Queues.MaxFailures - 1));

        Assert.Empty(_actions.Settled);
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_failure_of_the_last_delivery_is_dead_lettered_with_its_kind(Exception failure)
    {
        _handler.Handle = _ => throw failure;

        await ConsumeAsync(Body, failure is TransientFaultException ? Queues.MaxDeliveryCount : Queues.MaxFailures);

        Assert.Equal([$"dead-lettered {failure.GetType().Name}: {failure.Message}"], _actions.Settled);
        Assert.Equal(LogLevel.Warning, Assert.Single(_logs.Entries).Level);
    }

    [Theory]
    [InlineData("no json", "no_envelope: The message is not an envelope.")]
    [InlineData("", "no_envelope: The message is not an envelope.")]
    [InlineData("null", "no_envelope: The message is not an envelope.")]
    [InlineData("[]", "no_envelope: The message is not an envelope.")]
    [InlineData("{}", "no_envelope: The message is not an envelope.")]
    [InlineData("""{"id":"msg_1","subject":"parcel.found.v1","body":"{}"}""", "unknown_subject: Nobody handles 'parcel.found.v1' on queue 'mail'.")]
    public async Task What_can_never_be_handled_is_dead_lettered_at_its_first_delivery(string body, string reason)
    {
        await ConsumeAsync(body);
        await Consumer().ConsumeAsync(Queues.Mail, RecordingActions.Message(body), _actions, Subject, (_, _) => throw new InvalidOperationException(), Cancel);

        Assert.Equal(["dead-lettered " + reason, "dead-lettered " + reason], _actions.Settled);
        Assert.Empty(_handler.Handled);
    }

    [Fact]
    public async Task A_dead_letter_tells_neither_people_nor_secrets_nor_what_was_parsed()
    {
        _handler.Handle = _ => throw new InvalidOperationException("ada@example.com paid 4242 4242 4242 4242 with sk_live_abcdef");
        await ConsumeAsync(Body, Queues.MaxFailures);
        _handler.Handle = _ => throw new FormatException("'Ada Lovelace' is not a number");
        await ConsumeAsync(Body, Queues.MaxFailures);

        Assert.Equal(
            ["dead-lettered InvalidOperationException: [hidden] paid [hidden] with [hidden]", "dead-lettered FormatException: [hidden]"],
            _actions.Settled);
    }

    [Theory]
    [InlineData("Status(StatusCode=Unknown, Detail=\"The lock supplied is invalid. (MessageLockLost)\")", LogLevel.Information)]
    [InlineData("Status(StatusCode=Unavailable)", LogLevel.Warning)]
    public async Task What_was_handled_but_cannot_be_completed_is_no_failure_because_it_comes_again(string answer, LogLevel level)
    {
        _actions.Failure = new InvalidOperationException(answer);

        await ConsumeAsync(Body);

        Assert.Equal(["msg_1"], _handler.Handled);
        Assert.Equal(level, Assert.Single(_logs.Entries).Level);
    }

    [Fact]
    public async Task A_dead_letter_the_broker_does_not_take_is_delivered_again()
    {
        _actions.Failure = new InvalidOperationException("away");

        await Assert.ThrowsAsync<InvalidOperationException>(() => ConsumeAsync("no json"));
    }

    [Fact]
    public async Task A_host_that_stops_is_no_reason_to_give_up_a_message()
    {
        using var stopping = new CancellationTokenSource();
        _handler.Handle = _ =>
        {
            stopping.Cancel();
            throw new OperationCanceledException(stopping.Token);
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Consumer().ConsumeAsync(Queues.Mail, RecordingActions.Message(Body, Queues.MaxDeliveryCount), _actions, stopping.Token));

        Assert.Empty(_actions.Settled);
    }

    [Fact]
    public async Task A_trigger_that_handles_its_one_subject_itself_is_settled_the_same_way()
    {
        string? correlation = null;
        Envelope? handled = null;

        await Consumer().ConsumeAsync(
            Queues.Mail,
            RecordingActions.Message(Body),
            _actions,
            Subject,
            (envelope, _) =>
            {
                (handled, correlation) = (envelope, CorrelationScope.Current);
                return Task.CompletedTask;
            },
            Cancel);

        Assert.Equal(("msg_1", "corr-1"), (handled?.Id, correlation));
        Assert.Equal(["completed"], _actions.Settled);
    }

    private Task ConsumeAsync(string body, int deliveryCount = 1) =>
        Consumer().ConsumeAsync(Queues.Mail, RecordingActions.Message(body, deliveryCount), _actions, Cancel);

    private QueueConsumer Consumer() => new(
        new MessageDispatcher([_handler], new MessageBodies(new Local.Runtime.Storage.MemoryBlobStore(), MessageLimits.ServiceBus)),
        LoggerFactory.Create(logging => logging.AddProvider(_logs)).CreateLogger<QueueConsumer>());

    private sealed class FakeHandler : IMessageHandler
    {
        public string Queue => Queues.Mail;

        public string Subject => QueueConsumerTests.Subject;

        public List<string> Handled { get; } = [];

        public Func<Envelope, Task> Handle { get; set; } = _ => Task.CompletedTask;

        public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
        {
            await Handle(envelope);
            Handled.Add(envelope.Id);
        }
    }
}
