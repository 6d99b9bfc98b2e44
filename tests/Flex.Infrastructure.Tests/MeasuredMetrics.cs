using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Payments;
using Flex.Platform;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Renewals;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Flex.Infrastructure.Tests;

/// <summary>
/// The metrics of the app and the tags they really carry, seen by a listener: every instrument there is, and those whose tags somebody
/// asks for measured by the code that measures them in production.
/// </summary>
internal static class MeasuredMetrics
{
    private static readonly PaymentAttempt InDoubt = new(
        1, AttemptOrigin.Membership, new Money(1, Currency.Parse("eur")), AttemptState.Unknown, "key", null, null, null, null, null, null, null, null, default, default);

    /// <summary>Names of tags by name of metric.</summary>
    public static async Task<IReadOnlyDictionary<string, IReadOnlySet<string>>> CollectAsync(CancellationToken cancellation)
    {
        var metrics = new Dictionary<string, IReadOnlySet<string>>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Flex" || instrument.Meter.Name.StartsWith("Flex.", StringComparison.Ordinal))
            {
                metrics.TryAdd(instrument.Name, new HashSet<string>(StringComparer.Ordinal));
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Note(metrics, instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(metrics, instrument, tags));
        listener.Start();
        foreach (Type type in typeof(FlexApp).Assembly.GetTypes().Where(HasMeter))
        {
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
        }

        await MeasureAsync(cancellation);
        return metrics;
    }

    private static bool HasMeter(Type type) =>
        type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Any(f => f.FieldType == typeof(Meter));

    private static void Note(Dictionary<string, IReadOnlySet<string>> metrics, Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            ((HashSet<string>)metrics[instrument.Name]).Add(tag.Key);
        }
    }

    private static async Task MeasureAsync(CancellationToken cancellation)
    {
        RenewalMetrics.CountBegun(1);
        RenewalMetrics.CountFailedOrchestration("any");
        PaymentMetrics.CountWebhook(WebhookOutcome.Accepted);
        PaymentMetrics.CountFruitlessLook(InDoubt, default);
        StorageCalls.Record("table");
        await Problem.Of(Error.NotFound("This"), "request").ExecuteAsync(new DefaultHttpContext { Response = { Body = new MemoryStream() } });

        // A sweep that finds one message: measures the outbox, and as a message itself the messages.
        var sweep = new OutboxSweepHandler(new OneMessage(), new Nowhere(), TimeProvider.System, NullLogger<OutboxSweepHandler>.Instance);
        var command = new Envelope("swp_1", OutboxSweep.Subject, StorageJson.Write(new OutboxSweep("table", "home", default(Instant))), null);
        await new MessageDispatcher([sweep], new AsTheyAre()).DispatchAsync(Queues.Outbox, StorageJson.Write(command), cancellation);
    }

    private sealed class OneMessage : ITableStore
    {
        public Task<TableRow?> FindAsync(string table, string partition, string key, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<IReadOnlyList<TableRow>> ReadAsync(string table, string partition, RowRange range, int limit, CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<TableRow>>(
                [new TableRow(partition, RowKeys.Outbox + "msg_1", StorageJson.Write(OutboxMessage.Create("msg_1", Queues.Mail, "mail.send.v1", "body")), "W/\"1\"")]);

        public Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation) => Task.FromResult(CommitResult.Committed);
    }

    private sealed class Nowhere : IMessagePublisher
    {
        public Task PublishAsync(string queue, Envelope message, Duration? delay, CancellationToken cancellation) => Task.CompletedTask;
    }

    private sealed class AsTheyAre : IMessageBodies
    {
        public Task<Envelope> ShrinkAsync(Envelope envelope, CancellationToken cancellation) => Task.FromResult(envelope);

        public Task<Envelope> ResolveAsync(Envelope envelope, CancellationToken cancellation) => Task.FromResult(envelope);
    }
}
