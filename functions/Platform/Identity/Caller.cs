namespace Flex.Platform.Identity;

/// <summary>What a caller is. An owner may do everything staff may.</summary>
public enum Role
{
    Owner,
    Staff,
    Member,
}

/// <summary>Who calls.</summary>
/// <param name="Role">Null for a caller without a token, on functions that anyone may call.</param>
/// <param name="Subject">Issuer-unique name of the identity (<c>sub</c>); scopes idempotency keys. Never a person's name or address.</param>
/// <param name="MemberId">The member a token of role <see cref="Role.Member"/> speaks for.</param>
public sealed record Caller(Role? Role, string Subject, MemberId? MemberId = null)
{
    public static Caller Anonymous { get; } = new(null, "anonymous");

    public bool IsStaff => Role is Identity.Role.Owner or Identity.Role.Staff;

    /// <summary>Staff reach every member, a member only themself.</summary>
    public bool Reaches(MemberId member) => IsStaff || (Role == Identity.Role.Member && MemberId == member);

    /// <summary>
    /// Null when the caller reaches the member; else 404 <c>not_found</c> for the thing asked for, so that ids of others cannot be probed.
    /// </summary>
    public Error? Refuses(MemberId member, string what) => Reaches(member) ? null : Error.NotFound(what);

    public bool Has(IReadOnlyCollection<Role> roles) =>
        Role is { } role && (roles.Contains(role) || (role == Identity.Role.Owner && roles.Contains(Identity.Role.Staff)));
}
