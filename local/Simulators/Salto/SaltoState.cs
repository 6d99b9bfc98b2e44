using System.Security.Cryptography;
using System.Text;
using Flex.Platform;
using NodaTime;

namespace Flex.Local.Simulators.Salto;

/// <summary>A site: its seats and its time zone.</summary>
/// <param name="Uid">The readable id; the API wants <paramref name="Id"/> and answers 1100 to this one.</param>
/// <param name="UserAmount">Seats: so many users can be subscribed at a time.</param>
public sealed record SaltoSite(string Id, string Uid, string Name, int UserAmount, string TimeZone);

/// <summary>A person of the whole platform; joins sites as a <see cref="SaltoSiteUser"/>.</summary>
public sealed record SaltoPlatformUser(string Id, string? Email, string? FirstName, string? LastName);

/// <summary>A platform user's place on one site. <paramref name="Id"/> and <paramref name="UserId"/> are the two ids one must not confuse.</summary>
/// <param name="State"><c>subscribed</c> or <c>suspended</c>.</param>
/// <param name="Roles">Role codes, e.g. <c>site_user</c>.</param>
public sealed record SaltoSiteUser(
    string Id,
    string SiteId,
    string UserId,
    string Alias,
    string State,
    IReadOnlyList<string> Roles,
    Instant CreatedAt)
{
    public const string Subscribed = "subscribed";
    public const string Suspended = "suspended";

    public bool Blocked { get; init; }

    public bool UsePin { get; init; }

    public bool Guest { get; init; }

    public Instant? ExpiresAt { get; init; }

    /// <summary>How often a PIN was drawn; each draw replaces the one before.</summary>
    public int PinDraws { get; init; }

    /// <summary>Kept as a tombstone so that a person who comes back gets a new id.</summary>
    public bool Deleted { get; init; }
}

/// <summary>An access group and the platform ids of its users.</summary>
public sealed record SaltoGroup(string Id, string SiteId, string CustomerReference, IReadOnlyList<string> UserIds)
{
    public bool Deleted { get; init; }
}

/// <summary>
/// All of the simulated Salto KS. Every change is one journal line with the whole changed thing, so replaying the journal in
/// order gives the state back. Ids are derived from what they name: the same story gives the same ids.
/// </summary>
public sealed class SaltoState
{
    private readonly JsonLinesJournal _journal;
    private readonly Dictionary<string, SaltoSite> _sites = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SaltoPlatformUser> _people = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SaltoSiteUser> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SaltoGroup> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Site, string Person), (string Latest, int Stays)> _stays = [];
    private readonly Dictionary<string, int> _subscribed = new(StringComparer.Ordinal);

    public SaltoState(JsonLinesJournal journal)
    {
        _journal = journal;
        foreach (string line in journal.ReadAll())
        {
            Apply(StorageJson.Read<SaltoEntry>(line));
        }
    }

    public IEnumerable<SaltoSite> Sites => _sites.Values;

    public SaltoSite? Site(string id) => _sites.GetValueOrDefault(id);

    public SaltoPlatformUser? Person(string id) => _people.GetValueOrDefault(id);

    public SaltoPlatformUser? PersonByEmail(string email) => Person(PersonId(email));

    public SaltoSiteUser? User(string siteId, string id) =>
        _users.GetValueOrDefault(id) is { Deleted: false } user && user.SiteId == siteId ? user : null;

    public SaltoSiteUser? UserOf(string siteId, string userId) =>
        _stays.TryGetValue((siteId, userId), out (string Latest, int Stays) stays) ? User(siteId, stays.Latest) : null;

    public IEnumerable<SaltoSiteUser> Users(string siteId) => _users.Values.Where(u => u.SiteId == siteId && !u.Deleted);

    public SaltoGroup? Group(string siteId, string id) =>
        _groups.GetValueOrDefault(id) is { Deleted: false } group && group.SiteId == siteId ? group : null;

    public IEnumerable<SaltoGroup> Groups(string siteId) => _groups.Values.Where(g => g.SiteId == siteId && !g.Deleted);

    public int SubscribedCount(string siteId) => _subscribed.GetValueOrDefault(siteId);

    public bool HasFreeSeat(SaltoSite site) => SubscribedCount(site.Id) < site.UserAmount;

    public void Put(SaltoSite site) => Write(new SaltoEntry { Site = site });

    public void Put(SaltoPlatformUser person) => Write(new SaltoEntry { Person = person });

    public void Put(SaltoSiteUser user) => Write(new SaltoEntry { User = user });

    public void Put(SaltoGroup group) => Write(new SaltoEntry { Group = group });

    /// <summary>Takes a user off the site: out of all groups, and his seat is free.</summary>
    public void Remove(SaltoSiteUser user)
    {
        foreach (SaltoGroup group in Groups(user.SiteId).Where(g => g.UserIds.Contains(user.UserId)).ToArray())
        {
            Put(group with { UserIds = [.. group.UserIds.Where(u => u != user.UserId)] });
        }

        Put(user with { Deleted = true });
    }

    public static string PersonId(string email) => Uuid("person|" + email.ToUpperInvariant());

    public static string GroupId(string siteId, string reference) => Uuid($"group|{siteId}|{reference}");

    /// <summary>The id for a person's next stay on a site; a stay ends when the site user is deleted.</summary>
    public string NextSiteUserId(string siteId, string userId) =>
        Uuid($"site-user|{siteId}|{userId}|{_stays.GetValueOrDefault((siteId, userId)).Stays}");

    public string NextGuestId(string siteId) => Uuid($"guest|{siteId}|{_users.Count}");

    /// <summary>A UUID from the hash of a text.</summary>
    public static string Uuid(string text) =>
        new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16)).ToString("D");

    private void Write(SaltoEntry entry)
    {
        _journal.Append(StorageJson.Write(entry));
        Apply(entry);
    }

    private void Apply(SaltoEntry entry)
    {
        if (entry.Site is { } site)
        {
            _sites[site.Id] = site;
        }

        if (entry.Person is { } person)
        {
            _people[person.Id] = person;
        }

        if (entry.User is { } user)
        {
            Apply(user);
        }

        if (entry.Group is { } group)
        {
            _groups[group.Id] = group;
        }
    }

    private void Apply(SaltoSiteUser user)
    {
        SaltoSiteUser? before = _users.GetValueOrDefault(user.Id);
        if (before is null)
        {
            int stays = _stays.GetValueOrDefault((user.SiteId, user.UserId)).Stays;
            _stays[(user.SiteId, user.UserId)] = (user.Id, stays + 1);
        }

        _users[user.Id] = user;
        _subscribed[user.SiteId] = _subscribed.GetValueOrDefault(user.SiteId) + Seats(user) - (before is null ? 0 : Seats(before));
    }

    private static int Seats(SaltoSiteUser user) => user is { Deleted: false, State: SaltoSiteUser.Subscribed } ? 1 : 0;

    private sealed record SaltoEntry
    {
        public SaltoSite? Site { get; init; }

        public SaltoPlatformUser? Person { get; init; }

        public SaltoSiteUser? User { get; init; }

        public SaltoGroup? Group { get; init; }
    }
}
