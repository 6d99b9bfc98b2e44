using System.Globalization;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.Invoicing;

/// <param name="CustomerId">Bill only this customer; null or missing bills everyone with open charges.</param>
public sealed record BillRunRequest(CustomerId? CustomerId = null);

public enum BillRunState
{
    Running,
    Completed,
}

/// <summary>One run over the ledgers. Completed: every charge that was open when it started is claimed; its invoices follow at once.</summary>
public sealed record BillRun(
    BillRunId Id, CustomerId? CustomerId, BillRunState State, string StartedBy, Instant StartedAt, Instant? CompletedAt, long Version) : IVersioned;

/// <summary>Bill runs: table <c>billing</c>, partition <c>bill-runs</c>, <c>R|{billRunId}</c>.</summary>
public sealed class BillRunStore(ITableStore tables, Committer committer)
{
    public const string Partition = "bill-runs";
    private const string Prefix = "R|";

    public async Task<Stored<BillRun>?> ReadAsync(BillRunId id, CancellationToken cancellation) =>
        Stored<BillRun>.From(await tables.FindAsync(InvoiceBook.Table, Partition, Prefix + id, cancellation));

    /// <summary>Stores the run together with the message that sets it going; a Duplicate run is one that was started before.</summary>
    public async Task<(TableBatch Batch, CommitResult Result)> StartAsync(BillRun run, RequestContext? context, CancellationToken cancellation)
    {
        TableBatch batch = new TableBatch(InvoiceBook.Table, Partition)
            .Insert(Prefix + run.Id, run)
            .Send(OutboxMessage.Create($"{run.Id}-start", Queues.Billing, ContinueBillRun.Subject, new ContinueBillRun(run.Id, run.CustomerId, null)));
        if (context is not null)
        {
            batch.Remember(context, run, run.StartedAt);
        }

        return (batch, await committer.CommitAsync(batch, cancellation));
    }

    public Task<Reply<BillRun>> ReplyAsync(
        TableBatch batch, CommitResult result, RequestContext context, BillRun run, CancellationToken cancellation) =>
        tables.ReplyAsync(batch, result, context, run, cancellation);

    public Task<CommitResult> ReplaceAsync(BillRun run, string etag, CancellationToken cancellation) =>
        tables.CommitAsync(new TableBatch(InvoiceBook.Table, Partition).Replace(Prefix + run.Id, run, etag), cancellation);
}

/// <summary>Starts bill runs: on staff's demand at any time, daily where the operator has switched that on.</summary>
public sealed class StartBillRun(BillRunStore runs, Members.CustomerStore customers, SettingsStore settings, IIdSource ids, TimeProvider time)
{
    public async Task<Reply<BillRun>> HandleAsync(BillRunRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (request.CustomerId is { } customer && await customers.FindAsync(customer, cancellation) is null)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/customerId", "The customer does not exist.");
        }

        var run = new BillRun(EntityId.New<BillRunId>(ids), request.CustomerId, BillRunState.Running, context.Caller.Subject, time.Now(), null, 1);
        (TableBatch batch, CommitResult result) = await runs.StartAsync(run, context, cancellation);
        return await runs.ReplyAsync(batch, result, context, run, cancellation);
    }

    /// <summary>The daily run, once per UTC day however often it is called, unless it is switched off or the account is not Active.</summary>
    public async Task DailyAsync(CancellationToken cancellation)
    {
        OperatorSettings now = await settings.GetOperatorAsync(cancellation);
        if (!now.AutomaticBillRun || now.AccountStatus != AccountStatus.Active)
        {
            return;
        }

        string day = time.Now().InUtc().Date.ToString("uuuuMMdd", CultureInfo.InvariantCulture);
        var run = new BillRun(EntityId.Derive<BillRunId>("daily|" + day), null, BillRunState.Running, "Timer", time.Now(), null, 1);
        await runs.StartAsync(run, null, cancellation);
    }

    public async Task<Reply<BillRun>> GetAsync(BillRunId id, RequestContext context, CancellationToken cancellation) =>
        await runs.ReadAsync(id, cancellation) is { } run ? run.Value : Error.NotFound("The bill run");
}

/// <summary>
/// Works through a run, a page of customers per message. The next page's message leaves before this one is done, and billing a customer
/// twice changes nothing, so a crash anywhere only repeats work.
/// </summary>
public sealed class ContinueBillRunHandler(
    BillCustomer bill, ChargeLedger ledger, BillRunStore runs, IMessagePublisher publisher, TimeProvider time) : IMessageHandler
{
    /// <summary>Customers per message: at two to four storage calls each well below the minute a queue's lock lasts.</summary>
    public const int PageSize = 50;

    public string Queue => Queues.Billing;

    public string Subject => ContinueBillRun.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        ContinueBillRun command = envelope.Read<ContinueBillRun>();
        IReadOnlyList<CustomerId> page = command.CustomerId is { } only
            ? [only]
            : await ledger.OpenLedgersAsync(command.After, PageSize, cancellation);
        foreach (CustomerId customer in page)
        {
            await bill.RunAsync(customer, command.RunId, cancellation);
        }

        if (page.Count < PageSize)
        {
            await CompleteAsync(command.RunId, cancellation);
            return;
        }

        CustomerId last = page[^1];
        await publisher.PublishAsync(
            Queues.Billing,
            new Envelope(
                $"{command.RunId}-{last}",
                ContinueBillRun.Subject,
                Platform.StorageJson.Write(command with { After = last }),
                envelope.CorrelationId),
            null,
            cancellation);
    }

    private async Task CompleteAsync(BillRunId id, CancellationToken cancellation)
    {
        if (await runs.ReadAsync(id, cancellation) is not { Value.State: BillRunState.Running } stored)
        {
            return;
        }

        BillRun done = stored.Value with { State = BillRunState.Completed, CompletedAt = time.Now(), Version = stored.Value.Version + 1 };
        CommitResult result = await runs.ReplaceAsync(done, stored.ETag, cancellation);
        if (result.Kind != CommitKind.Stale)
        {
            result.Require();
        }
    }
}
