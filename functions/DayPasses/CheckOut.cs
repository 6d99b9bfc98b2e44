using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.DayPasses;

/// <summary>
/// Ends a stay: by request, or at the start of the next local day. Whoever comes first after midnight finds the day over, and the stay
/// ended with it. Repeats change nothing.
/// </summary>
public sealed class CheckOutHandler(DayPassStore store, PassTaker taker, MemberStore members, SettingsStore settings, TimeProvider time)
{
    /// <summary>A round is lost only to another request for the same member.</summary>
    private const int MaxRounds = 20;

    public async Task<Reply<CheckInView>> HandleAsync(CheckInId id, RequestContext context, CancellationToken cancellation)
    {
        if (await store.FindCheckInAsync(id, cancellation) is not { } found || !context.Caller.Reaches(found.Value.MemberId))
        {
            return Error.NotFound("The check-in");
        }

        return CheckInView.Of(await LeaveAsync(id, context.Caller.IsStaff ? CheckOutBy.Staff : CheckOutBy.Member, cancellation));
    }

    /// <summary>Two storage calls; those of taking a pass besides when half a day was paid and is exceeded.</summary>
    /// <param name="by">Null: nobody asks, it is to end with the day.</param>
    public async Task<CheckIn> LeaveAsync(CheckInId id, CheckOutBy? by, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            Stored<CheckIn> found = await store.FindCheckInAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");
            Location location = await settings.LocationAsync(found.Value.LocationId, cancellation);
            Instant now = time.Now();
            Instant end = location.Calendar.StartOfDay(found.Value.Date.PlusDays(1));
            CheckIn left = now < end
                ? found.Value.Leave(now, by ?? throw new TransientFaultException($"The day of {id} is not over yet."))
                : found.Value.Leave(end, CheckOutBy.Auto) with { IsOver = true };
            if (left == found.Value)
            {
                return left;
            }

            TableBatch batch = DayPassStore.BatchFor(left.MemberId);
            if (found.Value.IsInside && left.IsLongerThan(HalfDay(location, left.Date)))
            {
                left = await SettleAsync(batch, left, location, cancellation);
            }

            CheckIn after = DayPassStore.Put(batch, found, left, location.Calendar, now);
            CommitResult result = await store.CommitAsync(batch, cancellation);
            if (!DayPassStore.IsRace(result))
            {
                result.Require();
                return after;
            }
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    /// <summary>Takes the other half. Nobody is kept inside for want of it: then it is noted.</summary>
    private async Task<CheckIn> SettleAsync(TableBatch batch, CheckIn left, Location location, CancellationToken cancellation)
    {
        Member member = await members.FindAsync(left.MemberId, cancellation)
            ?? throw new DefectException($"{left.Id} is of {left.MemberId}, who does not exist.");
        Result<TakenPasses> taken = await taker.TakeAsync(
            batch, new Visit(left.Id, member, location, left.Date), left.Halves, DayPass.HalvesPerDay - left.Halves, cancellation);
        return taken.IsError ? left with { HasOverstayed = true } : left.Paid(taken.Value.Uses, taken.Value.AccessGroups);
    }

    private static Duration HalfDay(Location location, LocalDate date) => Duration.FromMinutes(location.OpeningHours.DayMinutes(date)) / 2;
}

/// <summary>Handles <see cref="EndCheckInDay"/>: PAS-4. State decides, hence no inbox row.</summary>
public sealed class EndCheckInDayHandler(CheckOutHandler checkOut) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => EndCheckInDay.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation) =>
        checkOut.LeaveAsync(envelope.Read<EndCheckInDay>().CheckInId, by: null, cancellation);
}
