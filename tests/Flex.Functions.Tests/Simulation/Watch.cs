using Flex.Access;
using Flex.Bookings;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Audit;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Testing;
using Flex.Members;
using Flex.Memberships;
using Flex.Platform.Tables;
using Flex.Renewals;
using Microsoft.DurableTask.Client;
using NodaTime;

namespace Flex.Functions.Tests.Simulation;

/// <summary>
/// Looks at a world from outside. After every step: the audit of <c>flex verify</c>, and what history forbids although each
/// instant alone looks fine. At rest also: whatever was to happen has happened.
/// </summary>
internal sealed class Watch(SimulatedOperator house)
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <summary>Logs the last failed try and the open circuit as errors, and without the failure; every one here is a simulated outage.</summary>
    private const string Resilience = "Polly";

    private readonly Dictionary<MembershipId, Membership> _memberships = [];
    private readonly Dictionary<BookingId, Booking> _bookings = [];
    private readonly Dictionary<InvoiceId, BookEntry> _invoices = [];

    private long _steps = -1;

    private FlexWorld World => house.World;

    public async Task LookAsync()
    {
        if (World.Crash.Steps == _steps)
        {
            // Nothing has been written since, e.g. by a step that was refused.
            return;
        }

        _steps = World.Crash.Steps;
        Require(await HostAuditAsync(atRest: false));
        Require(await HistoryAsync());
        Require(Defects());
    }

    /// <summary>
    /// Everything calm, time passes. What may still be on its way at any given hour must have arrived at one of the next.
    /// </summary>
    /// <param name="time">Long enough for the daily look at unanswered payments and, where there are some, for ladders and bank debits.</param>
    public async Task ComeToRestAsync(Duration time)
    {
        house.Disturbances.Calm();
        await house.AdvanceAsync(time);
        _steps = -1;
        await LookAsync();
        IReadOnlyList<string> findings = [];
        for (int hour = 0; hour < 12; hour++)
        {
            findings = [.. await HostAuditAsync(atRest: true), .. await OutstandingAsync()];
            if (findings.Count == 0)
            {
                return;
            }

            await house.AdvanceAsync(Duration.FromMinutes(61));
        }

        Require(findings);
    }

    private async Task<IReadOnlyList<string>> HostAuditAsync(bool atRest)
    {
        AuditReport report = await HostAudit.RunAsync(World.Services, atRest, None);
        return [.. report.Findings.Select(f => $"{f.Rule}: {f.What}")];
    }

    /// <summary>Nothing comes back from its end, and what was final stays as it is.</summary>
    private async Task<IReadOnlyList<string>> HistoryAsync()
    {
        var findings = new List<string>();
        foreach (Membership now in await DocumentsAsync<Membership>(MembershipStore.Table, "S|"))
        {
            if (_memberships.TryGetValue(now.Id, out Membership? before))
            {
                if (before.EndedAt is not null && (now.EndedAt != before.EndedAt || now.Status != before.Status))
                {
                    findings.Add($"history: {now.Id} was {before.Status} and is {now.Status} again.");
                }

                if (now.Version < before.Version || now.AttemptNo < before.AttemptNo || now.Run < before.Run)
                {
                    findings.Add($"history: {now.Id} went back from version {before.Version} to {now.Version}.");
                }

                if (before.CancelOn is not null && now.AttemptNo != before.AttemptNo)
                {
                    findings.Add($"history: {now.Id} is cancelled and was charged again.");
                }
            }

            _memberships[now.Id] = now;
        }

        foreach (Booking now in await DocumentsAsync<Booking>(BookingStore.Table, "B|"))
        {
            if (_bookings.TryGetValue(now.Id, out Booking? before) && ((!before.HoldsSlot() && now.State != before.State)
                || (before.State == BookingState.Confirmed && now.Version == before.Version && now.Price.Fee != before.Price.Fee)))
            {
                findings.Add($"history: {now.Id} was {before.State} at {before.Price.Fee} and is {now.State} at {now.Price.Fee}.");
            }

            _bookings[now.Id] = now;
        }

        List<BookEntry> entries = await DocumentsAsync<BookEntry>(InvoiceBook.Table, InvoiceBook.InvoicePrefix);
        foreach (BookEntry now in entries)
        {
            if (_invoices.TryGetValue(now.Invoice.Id, out BookEntry? before)
                && ((before.Invoice.Number is { } number && now.Invoice.Number != number)
                    || before.Invoice.Total != now.Invoice.Total
                    || before.Attempts.Where((a, i) => now.Attempts[i].State < a.State || now.Attempts[i].Key != a.Key).Any()))
            {
                findings.Add($"history: {now.Invoice.Id} had its number, total or an attempt taken back.");
            }

            _invoices[now.Invoice.Id] = now;
        }

        foreach (InvoiceId gone in _invoices.Keys.Except(entries.Select(e => e.Invoice.Id)))
        {
            findings.Add($"history: {gone} has disappeared.");
        }

        return findings;
    }

    /// <summary>What is logged as an error is a defect, unless a simulated misfortune explains it; those all say so.</summary>
    private IReadOnlyList<string> Defects() => [.. World.Log.Errors
        .Where(e => e.Category != Resilience && e.Exception?.ToString().Contains("simulated", StringComparison.OrdinalIgnoreCase) != true)
        .Select(e => $"log: {e.Category}: {e.Message} {e.Exception}")];

    /// <summary>What should have happened long ago.</summary>
    private async Task<IReadOnlyList<string>> OutstandingAsync()
    {
        var findings = new List<string>();
        findings.AddRange((await World.Get<LocalQueues>().ListAsync(null, None)).Select(d => $"dead letter: {d.Subject} {d.Id}: {d.Reason}"));
        await foreach (OrchestrationMetadata instance in World.Get<DurableTaskClient>().GetAllInstancesAsync())
        {
            if (instance.RuntimeStatus == OrchestrationRuntimeStatus.Failed)
            {
                findings.Add($"orchestration: {instance.InstanceId} failed: {instance.FailureDetails?.ErrorMessage}");
            }
        }

        LocalDate today = house.Calendar.DateOf(World.Now);
        foreach (Membership membership in await DocumentsAsync<Membership>(MembershipStore.Table, "S|"))
        {
            bool inFlight = membership.InFlight is { } attempt && attempt.StartedAt > World.Now - Duration.FromDays(7);
            bool stuck = !inFlight && membership switch
            {
                { Status: MembershipStatus.Pending } => membership.CreatedAt < World.Now - Duration.FromDays(7),
                { Status: MembershipStatus.Active, NextRenewalOn: { } on } => on < today,
                { Status: MembershipStatus.Delinquent, Ladder: { AwaitsStaff: false } ladder } =>
                    !(RenewalLadder.RungAt(membership, ladder, house.Calendar) > World.Now - Duration.FromHours(2)),
                { Status: MembershipStatus.PendingCancellation, CancelOn: { } on } => on < today,
                { EndedAt: not null, InFlight: not null } => true,
                _ => false,
            };
            if (stuck)
            {
                findings.Add($"stuck: {membership}");
            }
        }

        List<MemberAccess> doors = await DocumentsAsync<MemberAccess>(AccessStore.Table, "A");
        foreach (MemberAccess access in doors.Where(a => a.Pending || a.State == AccessState.NeedsAttention))
        {
            findings.Add($"stuck: doors of {access.MemberId} are {access.State} {access.Attention}: {access.LastFault}");
        }

        findings.AddRange(await DoorsAsync());
        foreach (BookEntry entry in await DocumentsAsync<BookEntry>(InvoiceBook.Table, InvoiceBook.InvoicePrefix))
        {
            if (entry.InFlight is { } attempt && attempt.CreatedAt < World.Now - Duration.FromDays(8))
            {
                findings.Add($"stuck: attempt {attempt.No} of {entry.Invoice.Id} is {attempt.State} since {attempt.CreatedAt}.");
            }
        }

        return findings;
    }

    /// <summary>Whoever has an open membership with doors can open them, nobody else can.</summary>
    private async Task<IReadOnlyList<string>> DoorsAsync()
    {
        HashSet<string> entitled = [.. (await DocumentsAsync<Membership>(MembershipStore.Table, "S|"))
            .Where(m => m.IsOpen && m.Plan.OwnAccessGroups.Count > 0)
            .Select(m => m.MemberId.Value)];
        HashSet<string> open = [.. World.Salto.Inspection.Users().Where(u => u.CanOpen).Select(u => u.Email!)];
        return [.. house.Members
            .Where(m => entitled.Contains(m.MemberId) != open.Contains(m.Email))
            .Select(m => $"doors: {m.Name} {(entitled.Contains(m.MemberId) ? "is entitled and cannot open" : "can open and is not entitled")}.")];
    }

    private async Task<List<T>> DocumentsAsync<T>(string table, string prefix)
    {
        var found = new List<T>();
        await foreach (TableRow row in World.Tables.ScanAsync(table, None))
        {
            if (row.Key.StartsWith(prefix, StringComparison.Ordinal))
            {
                found.Add(row.As<T>());
            }
        }

        return found;
    }

    private static void Require(IReadOnlyList<string> findings)
    {
        if (findings.Count > 0)
        {
            throw new SimulationFailureException(string.Join(Environment.NewLine, findings.Take(20)));
        }
    }
}
