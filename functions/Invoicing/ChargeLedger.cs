using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Invoicing;

/// <summary>A charge that waits for an invoice, or one whose cancellation or reduction was heard of before it.</summary>
/// <param name="Reduced">What is not owed of it after all; null is nothing.</param>
public sealed record LedgerCharge(ChargeCreated? Charge, bool Cancelled, Money? Reduced = null)
{
    /// <summary>The charge as it goes on an invoice; null when there is none to go on one.</summary>
    public ChargeCreated? Open() => (Cancelled, Charge, Reduced) switch
    {
        (true, _, _) or (_, null, _) => null,
        (_, { } charge, { } less) => charge with { Net = charge.Net > less ? charge.Net - less : charge.Net },
        _ => Charge,
    };
}

/// <summary>Charges taken off the ledger for one invoice; from here on they can be on no other.</summary>
public sealed record Claim(InvoiceId InvoiceId, CustomerId CustomerId, BillRunId RunId, IReadOnlyList<ChargeCreated> Charges, Instant ClaimedAt);

/// <summary>
/// Customers' open charges: table <c>billing</c>, one partition per customer (its id's last six characters). Keys:
/// <c>C|{customerId}|{chargeId}</c> open charge, <c>V|{customerId}|{invoiceId}</c> claim,
/// <c>M|{subject}|{chargeId}</c> inbox, by charge rather than by message because a charge is created and cancelled once, and
/// <c>M|{subject}|{chargeId}|{reductionId}</c>. A charge reduced to nothing is cancelled.
/// The partition <c>open-ledgers</c> has a row for every customer with open charges, and for a while for some without.
/// </summary>
public sealed class ChargeLedger(ITableStore tables, Committer committer, InvoiceBook book)
{
    public const string Table = InvoiceBook.Table;
    public const string OpenPartition = "open-ledgers";
    public const string ChargePrefix = "C|";
    public const string ClaimPrefix = "V|";

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
            // Its cancellation or a reduction came first.
            await MeetAsync(charge, now, cancellation);
            await TouchAsync(charge.CustomerId, now, cancellation);
            return;
        }

        if (!result.IsDuplicateOf(RowKeys.Inbox))
        {
            result.Require();
        }

        await TouchAsync(charge.CustomerId, now, cancellation);
    }

    /// <summary>Takes an open charge away, remembers the cancellation of one that has not come yet, or has a credit note made.</summary>
    public async Task CancelAsync(ChargeCancelled cancelled, Instant now, CancellationToken cancellation)
    {
        TableBatch batch = Batch(cancelled.CustomerId).Insert(Inbox(ChargeCancelled.Subject, cancelled.ChargeId), now);
        string key = ChargeKey(cancelled.CustomerId, cancelled.ChargeId);
        if (await FindAsync(cancelled.CustomerId, key, cancellation) is { } row)
        {
            batch = row.As<LedgerCharge>() switch
            {
                { Charge: null } => batch.Replace(key, new LedgerCharge(null, Cancelled: true), row.ETag),
                _ => batch.Delete(key, row.ETag),
            };
        }
        else if (await IsInvoicedAsync(cancelled.CustomerId, cancelled.ChargeId, cancellation))
        {
            batch.Send(Credits.Of(cancelled));
        }
        else
        {
            batch.Insert(key, new LedgerCharge(null, Cancelled: true));
        }

        await CommitOnceAsync(batch, cancellation);
    }

    /// <summary>
    /// Lowers an open charge, remembers the reduction of one that has not come yet, or has a credit note made. Nothing for a charge
    /// that was cancelled.
    /// </summary>
    public async Task ReduceAsync(ChargeReduced reduced, Instant now, CancellationToken cancellation)
    {
        (CustomerId customer, ChargeId charge) = (reduced.CustomerId, reduced.ChargeId);
        string cancelled = Inbox(ChargeCancelled.Subject, charge);
        TableBatch batch = Batch(customer).Insert($"{Inbox(ChargeReduced.Subject, charge)}|{reduced.ReductionId}", now);
        string key = ChargeKey(customer, charge);
        if (await FindAsync(customer, key, cancellation) is { } row)
        {
            LedgerCharge before = row.As<LedgerCharge>();
            LedgerCharge after = before with { Reduced = before.Reduced is { } sum ? sum + reduced.By : reduced.By };
            batch = after switch
            {
                { Cancelled: true } => batch,
                { Charge.Net: { IsPositive: true } net } when net <= after.Reduced => batch.Delete(key, row.ETag).Insert(cancelled, now),
                _ => batch.Replace(key, after, row.ETag),
            };
        }
        else if (await FindAsync(customer, cancelled, cancellation) is null)
        {
            batch = await IsInvoicedAsync(customer, charge, cancellation)
                ? batch.Send(Credits.Of(reduced))
                : batch.Insert(key, new LedgerCharge(null, Cancelled: false, reduced.By));
        }

        await CommitOnceAsync(batch, cancellation);
    }

    /// <summary>Up to one page (1,000) of the customer's open charges with the versions read.</summary>
    public async Task<IReadOnlyList<(ChargeCreated Charge, string ETag)>> OpenAsync(CustomerId customer, CancellationToken cancellation)
    {
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            Table, EntityId.Home(customer), RowRange.Prefix($"{ChargePrefix}{customer}|"), TableLimits.MaxPage, cancellation);
        return [.. rows
            .Select(row => (Row: row, Document: row.As<LedgerCharge>().Open()))
            .Where(r => r.Document is not null)
            .Select(r => (r.Document!, r.Row.ETag))];
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

    /// <summary>The charge meets what was heard of it before: a cancellation ends both, a reduction lowers it.</summary>
    private async Task MeetAsync(ChargeCreated charge, Instant now, CancellationToken cancellation)
    {
        string key = ChargeKey(charge.CustomerId, charge.ChargeId);
        if (await FindAsync(charge.CustomerId, key, cancellation) is not { } row || row.As<LedgerCharge>() is not { Charge: null } early)
        {
            return;
        }

        TableBatch batch = Batch(charge.CustomerId).Insert(Inbox(ChargeCreated.Subject, charge.ChargeId), now);
        batch = early switch
        {
            { Cancelled: true } => batch.Delete(key, row.ETag),
            { Reduced: { } less } when charge.Net.IsPositive && charge.Net <= less =>
                batch.Delete(key, row.ETag).Insert(Inbox(ChargeCancelled.Subject, charge.ChargeId), now),
            _ => batch.Replace(key, early with { Charge = charge }, row.ETag),
        };
        await CommitOnceAsync(batch, cancellation);
    }

    /// <summary>True once the charge is claimed for an invoice or was paid as it was bought.</summary>
    private async Task<bool> IsInvoicedAsync(CustomerId customer, ChargeId charge, CancellationToken cancellation) =>
        await FindAsync(customer, Inbox(ChargeCreated.Subject, charge), cancellation) is not null
        || (await book.InvoicesOfAsync(charge, cancellation)).Count > 0;

    private Task<TableRow?> FindAsync(CustomerId customer, string key, CancellationToken cancellation) =>
        tables.FindAsync(Table, EntityId.Home(customer), key, cancellation);

    /// <summary>Commits what has an inbox row: a repeat is nothing, a charge that moved meanwhile is looked at again.</summary>
    private async Task CommitOnceAsync(TableBatch batch, CancellationToken cancellation)
    {
        CommitResult result = await committer.CommitAsync(batch, cancellation);
        if (result.IsDuplicateOf(RowKeys.Inbox))
        {
            return;
        }

        if (result.Kind is CommitKind.Duplicate or CommitKind.Stale)
        {
            throw new TransientFaultException($"Row '{result.Key}' moved meanwhile.");
        }

        result.Require();
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
