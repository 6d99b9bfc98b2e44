namespace Flex.Platform.Limits;

/// <summary>
/// The numbers of each <see cref="RatePolicy"/>, for one instance of the app: n instances together let through n times as
/// much. What is 0 or absent has its default, which is in <see cref="Of"/>.
/// </summary>
public sealed class RateLimits : ISettings
{
    public const string Section = "RateLimits";

    public RateSettings Reads { get; init; } = new();

    public RateSettings Writes { get; init; } = new();

    public RateSettings Previews { get; init; } = new();

    public RateSettings Payments { get; init; } = new();

    public RateSettings Storefront { get; init; } = new();

    public RateSettings Feeds { get; init; } = new();

    public RateSettings Refusals { get; init; } = new();

    public IEnumerable<SettingFault> Faults() =>
        from policy in new (string Name, RateSettings Numbers)[]
        {
            (nameof(Reads), Reads),
            (nameof(Writes), Writes),
            (nameof(Previews), Previews),
            (nameof(Payments), Payments),
            (nameof(Storefront), Storefront),
            (nameof(Feeds), Feeds),
            (nameof(Refusals), Refusals),
        }
        from fault in policy.Numbers.Faults()
        select fault with { Setting = $"{policy.Name}__{fault.Setting}" };

    /// <summary>
    /// Null for what is not limited. A whole space may share one address, and a calendar service asks for everybody's feeds
    /// from a few: the numbers by address are for them.
    /// </summary>
    public Rate? Of(RatePolicy policy) => policy switch
    {
        RatePolicy.Reads => Reads.Or(300, 100),
        RatePolicy.Writes => Writes.Or(120, 60),
        RatePolicy.Previews => Previews.Or(60, 30),
        RatePolicy.Payments => Payments.Or(30, 10),
        RatePolicy.Storefront => Storefront.Or(10, 10),
        RatePolicy.Feeds => Feeds.Or(120, 60),
        RatePolicy.Refusals => Refusals.Or(1200, 600),
        _ => null,
    };
}

/// <summary>One policy's numbers; 0 is the default's.</summary>
public sealed class RateSettings : ISettings
{
    /// <summary>No caller is that fast; a larger number is a mistake.</summary>
    public const int Max = 1_000_000;

    /// <summary>Calls a minute in the long run.</summary>
    public int PerMinute { get; init; }

    /// <summary>Calls at once after a while without any.</summary>
    public int Burst { get; init; }

    public IEnumerable<SettingFault> Faults() => new (string Name, int Number)[] { (nameof(PerMinute), PerMinute), (nameof(Burst), Burst) }
        .Where(s => s.Number is not (>= 0 and <= Max))
        .Select(s => new SettingFault(s.Name, $"must be from 0 (the default) to {Max}."));

    internal Rate Or(int perMinute, int burst) => new(PerMinute == 0 ? perMinute : PerMinute, Burst == 0 ? burst : Burst);
}
