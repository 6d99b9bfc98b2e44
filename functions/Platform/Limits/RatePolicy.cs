namespace Flex.Platform.Limits;

/// <summary>How often one caller may call a function; <see cref="RateLimits"/> has the numbers.</summary>
public enum RatePolicy
{
    /// <summary>The default of functions that only read.</summary>
    Reads,

    /// <summary>The default of all others.</summary>
    Writes,

    /// <summary>Prices are worked out and nothing is kept: much reading for one call.</summary>
    Previews,

    /// <summary>Money moves: the payment provider is called, which costs something each time and could be used to try out cards.</summary>
    Payments,

    /// <summary>The same without a token.</summary>
    Storefront,

    /// <summary>What opens the thing is in its address, which could be guessed at.</summary>
    Feeds,

    /// <summary>
    /// Only calls with a bad token or signature count, by address and over all functions. Neither can be guessed, so this bounds what
    /// refusing costs. A call that proves where it comes from is never limited.
    /// </summary>
    Refusals,

    /// <summary>Not counted: the answer comes from memory and costs no more than refusing it.</summary>
    Unlimited,
}

/// <summary>Gives an HTTP function another policy than its method's default.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RateLimitAttribute(RatePolicy policy) : Attribute
{
    public RatePolicy Policy { get; } = policy;
}
