using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Invoicing;

/// <summary>A charge that waits for an invoice, or one whose cancellation was heard of before it.</summary>
public sealed record LedgerCharge(ChargeCreated? Charge, bool Cancelled);

/// <summary>Charges taken off the ledger for one invoice; from here on they can be on no other.</summary>
public sealed record Claim(InvoiceId InvoiceId, CustomerId CustomerId, BillRunId RunId, IReadOnlyList<ChargeCreated> Charges, Instant ClaimedAt);

/// <summary>A charge that was cancelled after it had been claimed: the customer is owed a credit note.</summary>
public sealed record CreditDue(ChargeId ChargeId, CustomerId CustomerId, string Reason, Instant At);

/// <summary>
/// Customers' open charges: table <c>billing</c>, one partition per customer (its id's last six characters). Keys:
/// <c>C|{customerId}|{chargeId}</c> open charge, <c>V|{customerId}|{invoiceId}</c> claim, <c>R|{customerId}|{chargeId}</c> credit due,
/// <c>M|{subject}|{chargeId}</c> inbox, by charge rather than by message because a charge is created and cancelled once.
/// The partition <c>open-ledgers</c> has a row for every customer with open charges, and for a while for some without.
/// </summary>
public sealed class ChargeLedger(ITableStore tables, Committer committer)
{
    public const string Table = InvoiceBook.Table;
    public const string OpenPartition = "open-ledgers";
    public const string ChargePrefix = "C|";
    public const string ClaimPrefix = "V|";
    private const string CreditPrefix = "R|";

    /// <summary>
    /// Adds the charge unless it is known. The index is touched after the charge is there, whatever the outcome: a repeat then
    /// mends what a crash in between left out, and a bill run that is about to drop the index row notices.
    /// </summary>
    public async Task AddAsync(ChargeCreated charge, Instant now, CancellationToken cancellation)
    {
        TableBatch batch = Batch(charge.CustomerId)
            .Insert(Inbox(ChargeCreated.Subject, charge.ChargeId), now)
            .Insert(ChargeKey(charge.CustomerId, charge.ChargeId), new LedgerCharge(charge, Cancelled: false));
        CommitResult result = await committer.CommitAsync(batch, cancellation);
        if (result.IsDuplicateOf(ChargePrefix))
        {
            // Its cancellation came first: both are settled now.
            await CancelOutAsync(charge, now, cancellation);
            return;
        }

        if (!result.IsDuplicateOf(RowKeys.Inbox))
        {
            result.Require();
        }

        await TouchAsync(charge.CustomerId, now, cancellation);
    }

    /// <summary>Takes an open charge away, remembers the cancellation of one that has not come yet, or notes that a credit is due.</summary>
    /// <returns>The credit, if one is due now.</returns>
    public async Task<CreditDue?> CancelAsync(ChargeCancelled cancelled, Instant now, CancellationToken cancellation)
    {
        string partition = EntityId.Home(cancelled.CustomerId);
        string key = ChargeKey(cancelled.CustomerId, cancelled.ChargeId);
        TableBatch batch = Batch(cancelled.CustomerId).Insert(Inbox(ChargeCancelled.Subject, cancelled.ChargeId), now);
        CreditDue? credit = null;
        if (await tables.FindAsync(Table, partition, key, cancellation) is { } row)
        {
            if (row.As<LedgerCharge>().Cancelled)
            {
                return null;
            }

            batch.Delete(key, row.ETag);
        }
        else if (await tables.FindAsync(Table, partition, Inbox(ChargeCreated.Subject, cancelled.ChargeId), cancellation) is null)
        {
            batch.Insert(key, new LedgerCharge(null, Cancelled: true));
        }
        else
        {
            credit = new CreditDue(cancelled.ChargeId, cancelled.CustomerId, cancelled.Reason, now);
            batch.Insert($"{CreditPrefix}{cancelled.CustomerId}|{cancelled.ChargeId}", credit);
        }

        CommitResult result = await committer.CommitAsync(batch, cancellation);
        if (result.IsDuplicateOf(RowKeys.Inbox))
        {
            return null;
        }

        return result.Kind is CommitKind.Duplicate or CommitKind.Stale
            ? throw new TransientFaultException("The charge moved while it was cancelled.")
            : Required(result, credit);
    }

    /// <summary>Up to one page (1,000) of the customer's open charges with the versions read.</summary>
    public async Task<IReadOnlyList<(ChargeCreated Charge, string ETag)>> OpenAsync(CustomerId customer, CancellationToken cancellation)
    {
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            Table, EntityId.Home(customer), RowRange.Prefix($"{ChargePrefix}{customer}|"), TableLimits.MaxPage, cancellation);
        return [.. rows
            .Select(row => (Row: row, Document: row.As<LedgerCharge>()))
            .Where(r => r.Document is { Cancelled: false, Charge: not null })
            .Select(r => (r.Document.Charge!, r.Row.ETag))];
    }

    /// <summary>Takes the charges off the ledger and onto the claim, and has the invoice issued; false when one of them has moved meanwhile.</summary>
    public async Task<bool> ClaimAsync(Claim claim, IReadOnlyDictionary<ChargeId, string> etags, CancellationToken cancellation)
    {
        TableBatch batch = Batch(claim.CustomerId).Insert(ClaimKey(claim.CustomerId, claim.InvoiceId), claim);
        foreach (ChargeCreated charge in claim.Charges)
        {
            batch.Delete(ChargeKey(claim.CustomerId, charge.ChargeId), etags[charge.ChargeId]);
        }

        batch.Send(OutboxMessage.Create(
            $"issue-{claim.InvoiceId}", Queues.Billing, IssueClaimedInvoice.Subject, new IssueClaimedInvoice(claim.CustomerId, claim.InvoiceId)));
        CommitResult result = await committer.CommitAsync(batch, cancellation);
        return result.Kind is not (CommitKind.Stale or CommitKind.Duplicate) && Required(result, true);
    }

    public async Task<Claim?> FindClaimAsync(CustomerId customer, InvoiceId invoice, CancellationToken cancellation) =>
        (await tables.FindAsync(Table, EntityId.Home(customer), ClaimKey(customer, invoice), cancellation))?.As<Claim>();

    /// <summary>Up to <paramref name="limit"/> customers who may have open charges, in key order after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<CustomerId>> OpenLedgersAsync(CustomerId? after, int limit, CancellationToken cancellation)
    {
        RowRange range = after is { } last ? RowRange.All.After(last.Value) : RowRange.All;
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(Table, OpenPartition, range, limit, cancellation);
        return [.. rows.Select(row => EntityId.Parse<CustomerId>(row.Key))];
    }

    /// <summary>The version of the customer's index row, to be read before the ledger is; null when there is none.</summary>
    public async Task<string?> OpenLedgerVersionAsync(CustomerId customer, CancellationToken cancellation) =>
        (await tables.FindAsync(Table, OpenPartition, customer.Value, cancellation))?.ETag;

    /// <summary>Drops the index row of a ledger that was found empty, unless a charge has come since the version was read.</summary>
    public async Task CloseLedgerAsync(CustomerId customer, string version, CancellationToken cancellation)
    {
        CommitResult result = await tables.CommitAsync(new TableBatch(Table, OpenPartition).Delete(customer.Value, version), cancellation);
        if (result.Kind != CommitKind.Stale)
        {
            result.Require();
        }
    }

    private async Task TouchAsync(CustomerId customer, Instant now, CancellationToken cancellation)
    {
        TableRow? row = await tables.FindAsync(Table, OpenPartition, customer.Value, cancellation);
        CommitResult result = await tables.CommitAsync(new TableBatch(Table, OpenPartition).Put(customer.Value, now, row?.ETag), cancellation);
        if (result.Kind is CommitKind.Duplicate or CommitKind.Stale)
        {
            throw new TransientFaultException("The index of open ledgers changed meanwhile.");
        }

        result.Require();
    }

    private async Task CancelOutAsync(ChargeCreated charge, Instant now, CancellationToken cancellation)
    {
        string key = ChargeKey(charge.CustomerId, charge.ChargeId);
        if (await tables.FindAsync(Table, EntityId.Home(charge.CustomerId), key, cancellation) is not { } row || !row.As<LedgerCharge>().Cancelled)
        {
            return;
        }

        CommitResult result = await committer.CommitAsync(
            Batch(charge.CustomerId).Insert(Inbox(ChargeCreated.Subject, charge.ChargeId), now).Delete(key, row.ETag), cancellation);
        if (!result.IsDuplicateOf(RowKeys.Inbox))
        {
            result.Require();
        }
    }

    private static T Required<T>(CommitResult result, T value)
    {
        result.Require();
        return value;
    }

    private static TableBatch Batch(CustomerId customer) => new(Table, EntityId.Home(customer));

    private static string ChargeKey(CustomerId customer, ChargeId charge) => $"{ChargePrefix}{customer}|{charge}";

    private static string ClaimKey(CustomerId customer, InvoiceId invoice) => $"{ClaimPrefix}{customer}|{invoice}";

    private static string Inbox(string subject, ChargeId charge) => $"{RowKeys.Inbox}{subject}|{charge}";
}
