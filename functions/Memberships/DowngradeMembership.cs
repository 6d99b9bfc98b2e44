using Flex.Access;
using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.Memberships;

/// <summary>
/// Ends a membership and puts the location's default membership in its place, in one commit. Doors, bookings and the
/// member's standing follow by messages of the same commit.
/// </summary>
public sealed class DowngradeMembership(MembershipStore memberships, CatalogueStore catalogue, SettingsStore settings, TimeProvider time)
{
    /// <param name="notices">Messages of the caller that are to leave with the commit.</param>
    /// <exception cref="TransientFaultException">The membership changed meanwhile; look again.</exception>
    public async Task HandleAsync(
        Stored<Membership> stored, AccessEndReason reason, IReadOnlyList<OutboxMessage> notices, CancellationToken cancellation)
    {
        Membership before = stored.Value;
        Location location = await settings.LocationAsync(before.LocationId, cancellation);
        SiteCalendar calendar = location.Calendar;
        Instant now = time.Now();
        Membership ended = before.End(MembershipStatus.Downgraded, now);
        TableBatch batch = await memberships.ChangeAsync(MembershipStore.BatchFor(before.Id), stored, ended, cancellation);
        batch.Send(notices).Send(MembershipMessages.Of(before, ended, calendar, reason));

        if (await catalogue.FindDefaultPlanAsync(before.LocationId, cancellation) is { } plan && !before.Plan.IsDefault)
        {
            MembershipId id = EntityId.Derive<MembershipId>($"default|{before.Id}", EntityId.Home(before.Id));
            Membership fallback = Membership.Assign(id, before.MemberId, before.CustomerId, plan, now, calendar.DateOf(now), null);
            await memberships.IndexAsync(fallback, cancellation);
            MembershipStore.Add(batch, fallback).Send(MembershipMessages.Of(null, fallback, calendar, reason));
        }

        (await memberships.CommitAsync(batch, cancellation)).Require();
    }
}
