using Flex.Access;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.Memberships;

/// <param name="On">Local date at whose start the membership ends; today ends it at once.</param>
public sealed record CancelMembershipRequest(LocalDate On);

/// <summary>
/// Sets a membership to end on a date. Nothing more is charged, a ladder stops; on the date the default membership takes its
/// place.
/// </summary>
public sealed class CancelMembershipHandler(MembershipStore memberships, SettingsStore settings, ITableStore tables, TimeProvider time)
{
    public async Task<Reply<MembershipView>> HandleAsync(
        MembershipId id, CancelMembershipRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await memberships.FindAsync(id, cancellation) is not { } stored || !context.Caller.Reaches(stored.Value.MemberId))
        {
            return Error.NotFound("The membership");
        }

        Location location = await settings.LocationAsync(stored.Value.LocationId, cancellation);
        Instant now = time.Now();
        Error? refusal = context.CheckIfMatch(stored.Value.Version) ?? Refuse(stored.Value, request.On, location.Calendar.DateOf(now));
        if (refusal is not null)
        {
            return await tables.ReplayOrAsync<MembershipView>(MembershipStore.Table, EntityId.Home(id), context, refusal, cancellation);
        }

        Membership cancelled = stored.Value.CancelAt(request.On);
        MembershipView view = MembershipView.Of(cancelled, location.Calendar);
        TableBatch batch = await memberships.ChangeAsync(MembershipStore.BatchFor(id), stored, cancelled, cancellation);
        batch.Send(MembershipMessages.Of(stored.Value, cancelled, location.Calendar, AccessEndReason.Expired));

        batch.Send(MembershipMessages.Look(cancelled, RenewalLook.StatusChanged)).Remember(context, view, now);
        CommitResult result = await memberships.CommitAsync(batch, cancellation);
        return await tables.ReplyAsync(batch, result, context, view, cancellation);
    }

    private static Error? Refuse(Membership membership, LocalDate on, LocalDate today) =>
        membership.Status is not (MembershipStatus.Active or MembershipStatus.Delinquent) || membership.Plan.IsDefault
            ? Error.Refused(ErrorCodes.InvalidTransition, $"A membership that is {membership.Status} cannot be cancelled.")
            : on < today ? Error.Invalid(ErrorCodes.InThePast, "/on", "The date is in the past.") : null;
}
