using NodaTime;

namespace Flex.Local.Simulators.Salto;

/// <summary>A site as it should be: what the control endpoint takes. Repeating it changes nothing but the seats.</summary>
/// <param name="Name">Names the site; its ids are derived from it.</param>
/// <param name="Seats">Paid slots for subscribed users.</param>
/// <param name="Groups">Access groups by customer reference.</param>
/// <param name="Users">People who are on the site before Flex comes.</param>
public sealed record SaltoSiteSeed(
    string Name,
    int Seats,
    IReadOnlyList<string>? Groups,
    IReadOnlyList<SaltoUserSeed>? Users)
{
    public string TimeZone { get; init; } = "Europe/Berlin";
}

/// <param name="Role">A role code of <see cref="SaltoUsersApi.Roles"/>.</param>
/// <param name="Groups">Customer references of the groups the user is in.</param>
public sealed record SaltoUserSeed(string Email, string FirstName, string LastName, string Role, IReadOnlyList<string>? Groups)
{
    public bool Subscribed { get; init; } = true;
}

/// <summary>What was seeded: the ids the operator would copy from Salto's app into Flex's settings.</summary>
/// <param name="Groups">Group id by customer reference.</param>
public sealed record SaltoSeeded(string SiteId, string SiteUid, IReadOnlyDictionary<string, string> Groups);

/// <summary>Staff's hand in Salto's own app.</summary>
public sealed class SaltoControl(SaltoState state, TimeProvider time, Lock gate)
{
    public SaltoSeeded Seed(SaltoSiteSeed seed)
    {
        lock (gate)
        {
            string siteId = SaltoState.Uuid("site|" + seed.Name);
            string uid = "DE" + siteId[..8].ToUpperInvariant();
            var site = new SaltoSite(siteId, uid, seed.Name, seed.Seats, seed.TimeZone);
            if (state.Site(siteId) != site)
            {
                state.Put(site);
            }

            foreach (string reference in (seed.Groups ?? []).Where(r => state.Group(siteId, SaltoState.GroupId(siteId, r)) is null))
            {
                state.Put(new SaltoGroup(SaltoState.GroupId(siteId, reference), siteId, reference, []));
            }

            foreach (SaltoUserSeed user in seed.Users ?? [])
            {
                SeedUser(siteId, user);
            }

            return new SaltoSeeded(siteId, uid, state.Groups(siteId).ToDictionary(g => g.CustomerReference, g => g.Id));
        }
    }

    public void SetSeats(string siteId, int seats)
    {
        lock (gate)
        {
            state.Put(state.Site(siteId)! with { UserAmount = seats });
        }
    }

    /// <summary>Takes a user off the site, with his groups and his seat.</summary>
    public void Remove(string siteId, string siteUserId)
    {
        lock (gate)
        {
            state.Remove(state.User(siteId, siteUserId)!);
        }
    }

    private void SeedUser(string siteId, SaltoUserSeed seed)
    {
        string personId = SaltoState.PersonId(seed.Email);
        if (state.Person(personId) is null)
        {
            state.Put(new SaltoPlatformUser(personId, seed.Email, seed.FirstName, seed.LastName));
        }

        if (state.UserOf(siteId, personId) is null)
        {
            state.Put(new SaltoSiteUser(
                state.NextSiteUserId(siteId, personId),
                siteId,
                personId,
                $"{seed.FirstName} {seed.LastName}",
                seed.Subscribed ? SaltoSiteUser.Subscribed : SaltoSiteUser.Suspended,
                [seed.Role],
                time.Now() - Duration.FromDays(1)));
        }

        foreach (string reference in seed.Groups ?? [])
        {
            SaltoGroup group = state.Group(siteId, SaltoState.GroupId(siteId, reference))!;
            if (!group.UserIds.Contains(personId))
            {
                state.Put(group with { UserIds = [.. group.UserIds, personId] });
            }
        }
    }
}

/// <summary>A user as an auditor sees him.</summary>
/// <param name="SubscriptionState"><c>subscribed</c> or <c>suspended</c>.</param>
/// <param name="Groups">Ids of the access groups he is in, ordered.</param>
public sealed record SaltoUserFacts(
    string SiteId,
    string SiteUserId,
    string PlatformUserId,
    string? Email,
    string SubscriptionState,
    bool Blocked,
    IReadOnlyList<string> Roles,
    IReadOnlyList<string> Groups)
{
    /// <summary>True when a door of one of his groups would open.</summary>
    public bool CanOpen => SubscriptionState == SaltoSiteUser.Subscribed && !Blocked && Groups.Count > 0;
}

/// <summary>Reads without the API's moods.</summary>
public sealed class SaltoInspection(SaltoState state, Lock gate)
{
    /// <summary>All users of all sites, by site and e-mail.</summary>
    public IReadOnlyList<SaltoUserFacts> Users()
    {
        lock (gate)
        {
            return
            [
                .. state.Sites
                    .SelectMany(site => state.Users(site.Id))
                    .Select(Facts)
                    .OrderBy(u => u.SiteId, StringComparer.Ordinal)
                    .ThenBy(u => u.Email, StringComparer.Ordinal),
            ];
        }
    }

    public SaltoUserFacts? User(string siteId, string email)
    {
        lock (gate)
        {
            return state.UserOf(siteId, SaltoState.PersonId(email)) is { } user ? Facts(user) : null;
        }
    }

    public int FreeSeats(string siteId)
    {
        lock (gate)
        {
            return state.Site(siteId)!.UserAmount - state.SubscribedCount(siteId);
        }
    }

    private SaltoUserFacts Facts(SaltoSiteUser user) => new(
        user.SiteId,
        user.Id,
        user.UserId,
        state.Person(user.UserId)!.Email,
        user.State,
        user.Blocked,
        user.Roles,
        [.. state.Groups(user.SiteId).Where(g => g.UserIds.Contains(user.UserId)).Select(g => g.Id).Order(StringComparer.Ordinal)]);
}
