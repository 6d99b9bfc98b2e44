using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Platform.Messaging;

public sealed class DeadLetterTests
{
    private static readonly RequestContext Staff = RequestContext.For(new Caller(Role.Staff, "s"));
    private readonly FakeDeadLetters _broker = new();

    [Fact]
    public async Task Staff_see_what_was_given_up_and_why()
    {
        Reply<DeadLetterList> reply = await new DeadLetterHandler(_broker).ListAsync(new DeadLetterQuery(Queues.Mail), Staff, TestContext.Current.CancellationToken);

        Assert.Equal(["msg_1"], reply.Value!.Results.Select(d => d.Id));
    }

    [Fact]
    public async Task A_queue_there_is_not_is_refused()
    {
        Reply<DeadLetterList> reply = await new DeadLetterHandler(_broker).ListAsync(new DeadLetterQuery("secrets"), Staff, TestContext.Current.CancellationToken);

        Assert.Equal((422, ErrorCodes.UnknownReference), (reply.Error!.Status, reply.Error.Code));
    }

    [Theory]
    [InlineData(Queues.Mail, "msg_1", null)]
    [InlineData(Queues.Mail, "msg_2", 404)]
    [InlineData("secrets", "msg_1", 404)]
    public async Task A_dead_letter_is_replayed_and_another_is_not_found(string queue, string id, int? status)
    {
        Reply<Unit> reply = await new DeadLetterHandler(_broker).ReplayAsync(queue, id, TestContext.Current.CancellationToken);

        Assert.Equal(status, reply.Error?.Status);
        Assert.Equal(status is null ? 1 : 0, _broker.Replayed);
    }

    private sealed class FakeDeadLetters : IDeadLetters
    {
        public int Replayed { get; private set; }

        public Task<IReadOnlyList<DeadLetter>> ListAsync(string? queue, CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<DeadLetter>>([new DeadLetter(queue ?? Queues.Mail, "msg_1", "mail.send.v1", "boom", Instant.FromUtc(2025, 1, 1, 0, 0), 10)]);

        public Task<bool> ReplayAsync(string queue, string id, CancellationToken cancellation)
        {
            bool found = id == "msg_1";
            Replayed += found ? 1 : 0;
            return Task.FromResult(found);
        }
    }
}
