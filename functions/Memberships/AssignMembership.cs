using Flex.Access;
using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.Memberships;

/// <param name="RenewalOn">Local date of the first charge; by default one interval from today. Recurring plans only.</param>
public sealed record AssignMembershipRequest(MemberId MemberId, PlanId PlanId, LocalDate? RenewalOn = null);

/// <summary>
/// Staff give an existing member a membership. It is active at once and bills nothing before its renewal date; a plan that
/// does not renew is never billed by itself.
/// </summary>
public sealed class AssignMembershipHandler(
    MembershipStore memberships, MemberStore members, CatalogueStore catalogue, SettingsStore settings, ITableStore tables, IIdSource ids, TimeProvider time)
{
    public async Task<Reply<MembershipView>> HandleAsync(AssignMembershipRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await members.FindAsync(request.MemberId, cancellation) is not { } member)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/memberId", "There is no such member.");
        }

        if (await catalogue.FindPlanAsync(request.PlanId, cancellation) is not { } plan)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/planId", "There is no such plan.");
        }

        // First, because a date that was ahead may have come by now, and because the index below is written before the membership.
        string home = EntityId.Home(plan.LocationId);
        if (await tables.FindReplayAsync<MembershipView>(MembershipStore.Table, home, context, cancellation) is { } earlier)
        {
            return earlier;
        }

        Location location = await settings.LocationAsync(plan.LocationId, cancellation);
        Instant now = time.Now();
        LocalDate today = location.Calendar.DateOf(now);
        if (request.RenewalOn is { } on && !PlanSnapshot.Of(plan).Renews)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/renewalOn", "A plan that does not renew has no renewal date.");
        }

        if (request.RenewalOn <= today)
        {
            return Error.Refused(ErrorCodes.RenewalDateInPast, "The renewal date must be after today.");
        }

        LocalDate? renewalOn = PlanSnapshot.Of(plan).Renews ? request.RenewalOn ?? MonthAnchor.Nth(today, plan.IntervalMonths) : null;
        Membership membership = Membership.Assign(
            EntityId.New<MembershipId>(ids, home), member.Id, member.CustomerId, plan, now, today, renewalOn);
        await memberships.IndexAsync(membership, cancellation);
        MembershipView view = MembershipView.Of(membership, location.Calendar);
        TableBatch batch = MembershipStore.Add(MembershipStore.BatchFor(membership.Id), membership).Remember(context, view, now);
        batch.Send(MembershipMessages.Of(null, membership, location.Calendar, AccessEndReason.Expired));

        CommitResult result = await memberships.CommitAsync(batch, cancellation);
        return await tables.ReplyAsync(batch, result, context, view, cancellation);
    }
}
