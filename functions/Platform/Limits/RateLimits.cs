namespace Flex.Platform.Limits;

/// <summary>
/// The numbers of each <see cref="RatePolicy"/>, for one instance of the app: n instances together let through n times as
/// much. What is 0 or absent has its default, which is in <see cref="Of"/>.
/// </summary>
public sealed class RateLimits
{
    public const string Section = "RateLimits";

    public RateSettings Reads { get; init; } = new();

    public RateSettings Writes { get; init; } = new();

    public RateSettings Previews { get; init; } = new();

    public RateSettings Payments { get; init; } = new();

    public RateSettings Storefront { get; init; } = new();

    public RateSettings Feeds { get; init; } = new();

    public RateSettings Refusals { get; init; } = new();

    /// <exception cref="InvalidOperationException">A number is out of range; the message names the setting.</exception>
    public void Check()
    {
        foreach (RatePolicy policy in Enum.GetValues<RatePolicy>())
        {
            Of(policy);
        }
    }

    /// <summary>
    /// Null for what is not limited. A whole space may share one address, and a calendar service asks for everybody's feeds
    /// from a few: the numbers by address are for them.
    /// </summary>
    /// <exception cref="InvalidOperationException">A number is out of range; the message names the setting.</exception>
    public Rate? Of(RatePolicy policy) => policy switch
    {
        RatePolicy.Reads => Reads.Or(300, 100, policy),
        RatePolicy.Writes => Writes.Or(120, 60, policy),
        RatePolicy.Previews => Previews.Or(60, 30, policy),
        RatePolicy.Payments => Payments.Or(30, 10, policy),
        RatePolicy.Storefront => Storefront.Or(10, 10, policy),
        RatePolicy.Feeds => Feeds.Or(120, 60, policy),
        RatePolicy.Refusals => Refusals.Or(1200, 600, policy),
        _ => null,
    };
}

/// <summary>One policy's numbers; 0 is the default's.</summary>
public sealed class RateSettings
{
    /// <summary>No caller is that fast; a larger number is a mistake.</summary>
    public const int Max = 1_000_000;

    /// <summary>Calls a minute in the long run.</summary>
    public int PerMinute { get; init; }

    /// <summary>Calls at once after a while without any.</summary>
    public int Burst { get; init; }

    internal Rate Or(int perMinute, int burst, RatePolicy policy) =>
        new(Or(PerMinute, perMinute, policy, nameof(PerMinute)), Or(Burst, burst, policy, nameof(Burst)));

    private static int Or(int given, int standard, RatePolicy policy, string name) => given switch
    {
        0 => standard,
        > 0 and <= Max => given,
        _ => throw new InvalidOperationException($"{RateLimits.Section}__{policy}__{name} is a whole number from 0 to {Max}."),
    };
}
