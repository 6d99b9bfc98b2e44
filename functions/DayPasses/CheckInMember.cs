using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.DayPasses;

/// <param name="MemberId">Who comes in; staff must say, members check in themselves and may leave it out.</param>
/// <param name="HalfDay">
/// Half a day is paid, where the operator has half days. Who stays longer than half of the location's opening minutes, all stays of the
/// day together, has the other half taken when checking out.
/// </param>
public sealed record CheckInRequest(LocationId LocationId, MemberId? MemberId = null, bool HalfDay = false);

/// <param name="Date">The local day.</param>
/// <param name="EnteredAt">The last time the member came in.</param>
/// <param name="LeftAt">Null while the member is inside.</param>
/// <param name="Used">Days it has taken from passes: 0, 0.5 or 1. 0: the membership includes it.</param>
/// <param name="Remaining">Days left on the pass it took from last, when it did; null when it took none.</param>
/// <param name="HasOverstayed">Stayed longer than half a day, and there was no other half to take.</param>
public sealed record CheckInView(
    CheckInId Id,
    MemberId MemberId,
    LocationId LocationId,
    LocalDate Date,
    Instant FirstEnteredAt,
    Instant EnteredAt,
    Instant? LeftAt,
    CheckOutBy? LeftBy,
    decimal Used,
    decimal? Remaining,
    IReadOnlyList<PassUseView> Passes,
    bool HasOverstayed,
    long Version) : IVersioned
{
    public static CheckInView Of(CheckIn c) => new(
        c.Id,
        c.MemberId,
        c.LocationId,
        c.Date,
        c.FirstEnteredAt,
        c.EnteredAt,
        c.LeftAt,
        c.LeftBy,
        DayPassView.Days(c.Halves),
        c.Uses.Count == 0 ? null : DayPassView.Days(c.Uses[^1].Left),
        [.. c.Uses.Select(u => new PassUseView(u.PassId, u.MembershipId, u.IsShared, DayPassView.Days(u.Halves)))],
        c.HasOverstayed,
        c.Version);
}

/// <param name="PassId">Null for the day passes of a membership.</param>
/// <param name="MembershipId">The membership whose plan they come with; null for a pass.</param>
/// <param name="Shared">The pass is the company's.</param>
/// <param name="Used">Days.</param>
public sealed record PassUseView(DayPassId? PassId, MembershipId? MembershipId, bool Shared, decimal Used);

/// <summary>
/// Checks a member in. The first time of a local day takes a pass; coming back the same day is free, and answers the same check-in
/// (PAS-3). Up to six storage calls and one per membership at the location, one more with a shared pass.
/// </summary>
public sealed class CheckInHandler(
    DayPassStore store, PassTaker taker, MemberStore members, SettingsStore settings, TimeProvider time)
{
    /// <summary>A round is lost only to another check-in of the same member, or to staff who change the member's passes.</summary>
    private const int MaxRounds = 20;

    public async Task<Reply<CheckInView>> HandleAsync(CheckInRequest request, RequestContext context, CancellationToken cancellation)
    {
        if ((request.MemberId ?? context.Caller.MemberId) is not { } memberId)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/memberId", "Say who checks in.");
        }

        if (context.Caller.Refuses(memberId, "The member") is { } hidden)
        {
            return hidden;
        }

        if (await settings.FindLocationAsync(request.LocationId, cancellation) is not { } location)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/locationId", "There is no such location.");
        }

        if (await members.FindAsync(memberId, cancellation) is not { } member)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/memberId", "There is no such member.");
        }

        Reply<CheckInView> reply = request.HalfDay && !(await settings.GetOperatorAsync(cancellation)).HalfDayPasses
            ? Error.Invalid(ErrorCodes.InvalidValue, "/halfDay", "There are no half days here.")
            : await EnterAsync(member, location, request.HalfDay ? 1 : DayPass.HalvesPerDay, context, cancellation);
        return reply.Error is null
            ? reply
            : await store.FindReplayAsync<CheckInView>(EntityId.Home(memberId), context, cancellation) ?? reply;
    }

    private async Task<Reply<CheckInView>> EnterAsync(
        Member member, Location location, int halves, RequestContext context, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            Instant now = time.Now();
            LocalDate date = location.Calendar.DateOf(now);
            CheckInId id = CheckIn.IdOf(member.Id, location.Id, date);
            Stored<CheckIn>? found = await store.FindCheckInAsync(id, cancellation);

            // A repeated request must not bring back in who has gone since.
            if (found is not null && await store.FindReplayAsync<CheckInView>(EntityId.Home(id), context, cancellation) is { } earlier)
            {
                return earlier;
            }

            TableBatch batch = DayPassStore.BatchFor(member.Id);
            CheckIn changed = found?.Value.Return(now) ?? CheckIn.Enter(id, member.Id, member.CustomerId, location.Id, date, now);
            if (found is null || !changed.Covers(halves))
            {
                Result<TakenPasses> taken = await taker.TakeAsync(
                    batch, new Visit(id, member, location, date), changed.Halves, halves - changed.Halves, cancellation);
                if (taken.IsError)
                {
                    return taken.Error;
                }

                changed = changed.Paid(taken.Value.Uses, taken.Value.AccessGroups);
            }

            if (found is null)
            {
                await store.IndexAsync(changed, cancellation);
            }

            if (await TryCommitAsync(batch, found, changed, location.Calendar, context, now, cancellation) is { } reply)
            {
                return reply;
            }
        }

        throw new TransientFaultException($"The check-in of {member.Id} keeps changing.");
    }

    /// <summary>Null when another request was faster: read again. A request that changes nothing writes only its key, if it has one.</summary>
    private async Task<Reply<CheckInView>?> TryCommitAsync(
        TableBatch batch, Stored<CheckIn>? found, CheckIn changed, SiteCalendar calendar, RequestContext context, Instant now, CancellationToken cancellation)
    {
        CheckIn after = changed == found?.Value ? changed : DayPassStore.Put(batch, found, changed, calendar, now);
        CheckInView view = CheckInView.Of(after);
        batch.Remember(context, view, now);
        if (batch.Operations.Count == 0)
        {
            return view;
        }

        CommitResult result = await store.CommitAsync(batch, cancellation);
        return DayPassStore.IsRace(result) ? null : await store.ReplyAsync(batch, result, context, view, cancellation);
    }
}
