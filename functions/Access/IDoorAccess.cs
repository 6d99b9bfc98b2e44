namespace Flex.Access;

/// <summary>
/// The port to the door system: Salto KS. Every call may throw <see cref="TransientFaultException"/> (down, throttled, no answer,
/// and then the effect may have happened) or <see cref="DoorRefusedException"/>. All calls can be repeated.
/// </summary>
public interface IDoorAccess
{
    /// <summary>Null when the site has no such user.</summary>
    Task<DoorUser?> FindUserAsync(string siteId, string siteUserId, CancellationToken cancellation);

    /// <summary>All users of the site with this e-mail; case does not matter.</summary>
    Task<IReadOnlyList<DoorUser>> FindUsersAsync(string siteId, string email, CancellationToken cancellation);

    /// <summary>Creates the user, which invites the person by e-mail. He is subscribed only if a seat was free.</summary>
    Task<DoorUser> CreateUserAsync(string siteId, AccessPerson person, CancellationToken cancellation);

    /// <summary>The groups of the site the user is in; only those of <paramref name="among"/> when it is given.</summary>
    Task<IReadOnlySet<string>> GroupsOfAsync(string siteId, string platformUserId, IReadOnlyCollection<string>? among, CancellationToken cancellation);

    Task AddToGroupAsync(string siteId, string groupId, string platformUserId, CancellationToken cancellation);

    Task RemoveFromGroupAsync(string siteId, string groupId, string platformUserId, CancellationToken cancellation);

    /// <summary>Asks for or gives back a seat. Without a free seat it may do nothing and not say so: read the user again.</summary>
    Task SetSubscribedAsync(string siteId, string siteUserId, bool subscribed, CancellationToken cancellation);
}

/// <summary>Whether Flex may touch a user at all.</summary>
public enum DoorUserKind
{
    /// <summary>No role but the member ones.</summary>
    Plain,

    /// <summary>Some other role: an administrator, owner or installer.</summary>
    Protected,

    /// <summary>No role is known: so answers the service for a user it has only just created.</summary>
    Unclear,
}

/// <summary>A user of the site as the door system shows him.</summary>
public sealed record DoorUser(DoorUserIds Ids, bool Subscribed, DoorUserKind Kind);

/// <summary>The door system understood and said no, e.g. 403/2203 or 404/2202.</summary>
public sealed class DoorRefusedException : Exception
{
    public DoorRefusedException()
        : this(0, string.Empty)
    {
    }

    public DoorRefusedException(string message)
        : base(message) => Code = string.Empty;

    public DoorRefusedException(string message, Exception innerException)
        : base(message, innerException) => Code = string.Empty;

    public DoorRefusedException(int status, string code)
        : base($"Salto refused with {status}/{code}.")
    {
        Status = status;
        Code = code;
    }

    public int Status { get; }

    /// <summary>The vendor's code, e.g. <c>2202</c>; empty when there was none.</summary>
    public string Code { get; }
}

/// <summary>Who the member is to the door system.</summary>
public sealed record AccessPerson(string? Email, string FirstName, string LastName);

/// <summary>Port to the members: name and address at the time of asking; null when there is no such member.</summary>
public interface IAccessDirectory
{
    Task<AccessPerson?> FindAsync(MemberId memberId, CancellationToken cancellation);
}

/// <summary>What the operator has set in the SaltoKS dialog.</summary>
/// <param name="UnsubscribeWhenAllRevoked">Free the seat of who has lost everything; off by default (ACC-5).</param>
/// <param name="SiteId">The site's UUID; null when Salto is not connected, and nothing is then done at the doors.</param>
/// <param name="ManagedGroups">Groups Flex may put members into and take them out of; it touches no other.</param>
public sealed record AccessSettings(bool UnsubscribeWhenAllRevoked, string? SiteId, IReadOnlySet<string> ManagedGroups);

/// <summary>Port to the settings.</summary>
public interface IAccessSettings
{
    Task<AccessSettings> GetAsync(CancellationToken cancellation);
}
