using Flex.Platform.Identity;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>Somebody who calls.</summary>
/// <param name="Token">Null: none is sent.</param>
/// <param name="Role">What Flex is to take the caller for; null: for nobody.</param>
internal sealed record Client(string Name, string? Token, Role? Role)
{
    /// <summary>Whom a member's token speaks for; null also for a member who does not exist.</summary>
    public Person? Person { get; init; }

    /// <summary>The token is acceptable, whatever it grants.</summary>
    public bool IsKnown { get; init; } = Role is not null;

    public bool IsStaff => Role is Flex.Platform.Identity.Role.Staff or Flex.Platform.Identity.Role.Owner;

    public override string ToString() => Name;
}
