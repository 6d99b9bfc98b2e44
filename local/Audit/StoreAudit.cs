using Flex.Access;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.DayPasses;
using Flex.Invoicing;
using Flex.Local.Simulators.Salto;
using Flex.Local.Simulators.Stripe;
using Flex.Members;
using Flex.Memberships;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.Local.Audit;

/// <summary>Something that must never be true of a store, and is.</summary>
/// <param name="Rule">Which promise is broken, in a word.</param>
public sealed record Finding(string Rule, string What);

/// <summary>How much was looked at, so that "nothing found" says what it is worth.</summary>
/// <param name="Payments">Those the gateway knows; null where there was no account of the gateway's to compare with.</param>
public sealed record AuditReport(IReadOnlyList<Finding> Findings, int Bookings, int Invoices, int Memberships, int? Payments, int Doors);

/// <summary>
/// Audits a whole store against its invariants. What may never happen is checked at any instant, also while messages are
/// under way; what follows by message is checked only of a world at rest.
/// </summary>
/// <param name="stripe">The gateway's own account of the money; null where there is none to compare with.</param>
/// <param name="salto">The door system's own account of its users; null where there is none to compare with.</param>
public sealed class StoreAudit(ITableScanner tables, Func<StripeAudit>? stripe, Func<IReadOnlyList<SaltoUserFacts>>? salto)
{
    /// <param name="now">By the clock that the store lives by.</param>
    /// <param name="atRest">No message, activity or reconciliation is outstanding.</param>
    public async Task<AuditReport> RunAsync(Instant now, bool atRest, CancellationToken cancellation)
    {
        List<TableRow> bookingRows = await RowsAsync(BookingStore.Table, cancellation);
        Booking[] bookings = Documents<Booking>(bookingRows, "B|");
        Dictionary<BookingId, Booking> bookingsById = bookings.ToDictionary(b => b.Id);
        List<TableRow> walletRows = await RowsAsync(WalletStore.Table, cancellation);
        List<TableRow> dayPassRows = await RowsAsync(DayPassStore.Table, cancellation);
        Membership[] memberships = Documents<Membership>(await RowsAsync(MembershipStore.Table, cancellation), "S|");
        BillingSnapshot billing = await new BillingAudit(tables).ReadAsync(cancellation);
        MemberAccess[] doors = [.. (await RowsAsync(AccessStore.Table, cancellation)).Where(r => r.Key == "A").Select(r => r.As<MemberAccess>())];
        Member[] members = [.. (await RowsAsync(MemberStore.Table, cancellation))
            .Where(r => r.Partition == MemberStore.Partition && r.Key.StartsWith(MemberId.Prefix, StringComparison.Ordinal))
            .Select(r => r.As<Member>())];
        StripeAudit? money = stripe?.Invoke();

        List<Finding> findings =
        [
            .. BookingAudit.Check(bookings, bookingRows),
            .. WalletAudit.Check(walletRows, bookingsById, PlansOf(members, await RowsAsync(CatalogueStore.Table, cancellation)), now),
            .. BillingInvariants.Check(billing).Select(what => new Finding("billing", what)),
            .. MembershipAudit.Check(memberships, billing),
            .. money is null ? [] : MoneyAudit.Check(billing, money, atRest),
            .. DayPassAudit.Check(dayPassRows),
            .. AccessAudit.Check(doors, members, Entitlements(memberships, dayPassRows), salto?.Invoke(), atRest),
        ];
        if (atRest)
        {
            findings.AddRange(BookingAudit.CheckAtRest(bookings, billing, now));
            findings.AddRange(WalletAudit.CheckAtRest(walletRows, bookingsById));
            findings.AddRange(SeriesAudit.CheckAtRest(bookingRows, bookingsById, now));
            findings.AddRange(MembershipAudit.CheckStandings(memberships, members));
        }

        return new AuditReport(findings, bookings.Length, billing.Entries.Count, memberships.Length, money?.PaymentIntents.Count, doors.Length);
    }

    /// <summary>The plans that memberships keep, as they were when the memberships began.</summary>
    private static Func<MembershipId, Plan?> PlansOf(IEnumerable<Member> members, IEnumerable<TableRow> catalogue)
    {
        Dictionary<(PlanId, long), Plan> versions = Documents<Plan>(catalogue, "V|").ToDictionary(p => (p.Id, p.Version));
        Dictionary<MembershipId, Plan?> kept = members.SelectMany(m => m.Standing)
            .ToDictionary(s => s.MembershipId, s => versions.GetValueOrDefault((s.PlanId, s.PlanVersion)));
        return id => kept.GetValueOrDefault(id);
    }

    /// <summary>The access groups of open memberships, of passes that can be used and of days paid with a company's pass.</summary>
    private static ILookup<MemberId, string> Entitlements(IEnumerable<Membership> memberships, IReadOnlyCollection<TableRow> dayPassRows) =>
        memberships.Where(m => m.IsOpen).SelectMany(m => m.Plan.OwnAccessGroups.Select(g => (Member: m.MemberId, Group: g)))
            .Concat(Documents<DayPass>(dayPassRows, DayPassStore.PassPrefix).Where(p => p.IsGranted)
                .SelectMany(p => p.AccessGroups.Select(g => (Member: p.MemberId!.Value, Group: g))))
            .Concat(Documents<CheckIn>(dayPassRows, DayPassStore.CheckInPrefix).Where(c => !c.IsOver)
                .SelectMany(c => c.AccessGroups.Select(g => (Member: c.MemberId, Group: g))))
            .ToLookup(e => e.Member, e => e.Group);

    private static T[] Documents<T>(IEnumerable<TableRow> rows, string prefix) =>
        [.. rows.Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(r => r.As<T>())];

    private async Task<List<TableRow>> RowsAsync(string table, CancellationToken cancellation)
    {
        var rows = new List<TableRow>();
        if ((await tables.TablesAsync(cancellation)).Contains(table, StringComparer.Ordinal))
        {
            await foreach (TableRow row in tables.ScanAsync(table, cancellation))
            {
                rows.Add(row);
            }
        }

        return rows;
    }
}
