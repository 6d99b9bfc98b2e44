namespace Flex.Platform.Identity;

/// <summary>
/// Who may call an HTTP function. A function with neither this nor <see cref="AllowAnyoneAttribute"/> is refused to everyone
/// (403); <see cref="Role.Staff"/> includes owners. Which of their own things a member reaches is the handler's decision.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AllowAttribute(params Role[] roles) : Attribute
{
    public Role[] Roles { get; } = roles;
}

/// <summary>Anyone may call the function, without a token. The reason says what protects it instead, e.g. a webhook signature.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AllowAnyoneAttribute(string reason) : Attribute
{
    public string Reason { get; } = reason;
}
