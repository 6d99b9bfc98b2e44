using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.DayPasses;

/// <summary>Staff take away what is left of a pass; its doors close at once. Repeats, and a pass with nothing left, change nothing.</summary>
public sealed class CancelDayPassHandler(DayPassStore store, MemberStore members, SettingsStore settings, TimeProvider time)
{
    /// <summary>A round is lost only to a check-in with the pass.</summary>
    private const int MaxRounds = 20;

    /// <summary>Three storage calls.</summary>
    public async Task<Reply<DayPassView>> HandleAsync(MemberId memberId, DayPassId id, CancellationToken cancellation)
    {
        Member? member = await members.FindAsync(memberId, cancellation);
        for (int round = 0; round < MaxRounds; round++)
        {
            if (await store.FindPassAsync(id, cancellation) is not { } found || member is null || !IsReachedBy(found.Value, member))
            {
                return Error.NotFound("The day pass");
            }

            SiteCalendar calendar = (await settings.LocationAsync(found.Value.LocationId, cancellation)).Calendar;
            Instant now = time.Now();
            LocalDate today = calendar.DateOf(now);
            DayPass after = found.Value.Cancel(now, today);
            if (after == found.Value)
            {
                return DayPassView.Of(after, today);
            }

            TableBatch batch = after.MemberId is null ? DayPassStore.BatchFor(after.CustomerId) : DayPassStore.BatchFor(memberId);
            CommitResult result = await store.CommitAsync(DayPassStore.Put(batch, found, after, calendar, now), cancellation);
            if (!DayPassStore.IsRace(result))
            {
                result.Require();
                return DayPassView.Of(after, today);
            }
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    private static bool IsReachedBy(DayPass pass, Member member) =>
        pass.MemberId == member.Id || (pass.MemberId is null && pass.CustomerId == member.CustomerId);
}

/// <summary>Handles <see cref="ReviewDayPass"/>: doors open on the first day and close after the last, or after the day that used it up.</summary>
public sealed class ReviewDayPassHandler(DayPassStore store, SettingsStore settings, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => ReviewDayPass.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        ReviewDayPass command = envelope.Read<ReviewDayPass>();
        Stored<DayPass> found = await store.FindPassAsync(command.DayPassId, cancellation)
            ?? throw new DefectException($"{command.DayPassId} does not exist.");
        SiteCalendar calendar = (await settings.LocationAsync(found.Value.LocationId, cancellation)).Calendar;
        Instant now = time.Now();
        LocalDate today = calendar.DateOf(now);
        if (today < command.On)
        {
            throw new TransientFaultException($"{command.On} has not begun yet.");
        }

        DayPass after = found.Value.Review(today);
        if (after != found.Value)
        {
            TableBatch batch = DayPassStore.BatchFor(after.MemberId ?? throw new DefectException($"{after.Id} opens no doors by itself."));
            (await store.CommitAsync(DayPassStore.Put(batch, found, after, calendar, now), cancellation)).Require();
        }
    }
}

/// <summary>
/// Handles <see cref="ReleaseSharedPass"/>: when the lease has ended, the hold is part of its check-in, or its units go back. Leases that
/// were taken anew have a message of their own.
/// </summary>
public sealed class ReleaseSharedPassHandler(DayPassStore store, SettingsStore settings, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => ReleaseSharedPass.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        ReleaseSharedPass command = envelope.Read<ReleaseSharedPass>();
        if (await store.FindHoldAsync(command.CustomerId, command.CheckInId, command.Had, cancellation) is not { } hold
            || hold.Value.Version > command.Version)
        {
            return;
        }

        Instant now = time.Now();
        if (now < hold.Value.HeldAt + SharedHold.Lease)
        {
            throw new TransientFaultException($"The lease for {command.CheckInId} has not ended yet.");
        }

        Stored<CheckIn>? checkIn = await store.FindCheckInAsync(command.CheckInId, cancellation);
        TableBatch batch = DayPassStore.Remove(DayPassStore.BatchFor(command.CustomerId), hold);
        if (!hold.Value.IsPartOf(checkIn?.Value))
        {
            foreach (IGrouping<DayPassId, PassUse> use in hold.Value.Uses.GroupBy(u => u.PassId!.Value))
            {
                Stored<DayPass> pass = await store.FindPassAsync(use.Key, cancellation) ?? throw new DefectException($"{use.Key} does not exist.");
                SiteCalendar calendar = (await settings.LocationAsync(pass.Value.LocationId, cancellation)).Calendar;
                DayPassStore.Put(batch, pass, pass.Value.GiveBack(use.Sum(u => u.Halves)), calendar, now);
            }
        }

        (await store.CommitAsync(batch, cancellation)).Require();
    }
}
