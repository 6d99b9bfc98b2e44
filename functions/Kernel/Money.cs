using System.Globalization;
using System.Text.Json.Serialization;

namespace Flex.Kernel;

/// <summary>
/// An amount in whole minor units (cents) of one currency. Arithmetic is checked: overflow and mixed currencies
/// throw. Rounding is half away from zero and happens only in <see cref="Times(decimal)"/> and <see cref="Sum"/>;
/// <see cref="Allocate"/> is exact.
/// </summary>
[JsonConverter(typeof(MoneyStorageConverter))]
public readonly record struct Money : IComparable<Money>
{
    private readonly Currency? _currency;

    public Money(long minor, Currency currency)
    {
        Minor = minor;
        _currency = currency;
    }

    public long Minor { get; }

    public Currency Currency => _currency ?? throw new InvalidOperationException("Uninitialised Money has no currency.");

    public bool IsZero => Minor == 0;

    public bool IsPositive => Minor > 0;

    public static Money Zero(Currency currency) => new(0, currency);

    public static Money operator +(Money a, Money b) => new(checked(a.Minor + b.Same(a).Minor), a.Currency);

    public static Money operator -(Money a, Money b) => new(checked(a.Minor - b.Same(a).Minor), a.Currency);

    public static Money operator -(Money a) => new(checked(-a.Minor), a.Currency);

    public static bool operator <(Money a, Money b) => a.CompareTo(b) < 0;

    public static bool operator >(Money a, Money b) => a.CompareTo(b) > 0;

    public static bool operator <=(Money a, Money b) => a.CompareTo(b) <= 0;

    public static bool operator >=(Money a, Money b) => a.CompareTo(b) >= 0;

    public static Money Add(Money left, Money right) => left + right;

    public static Money Subtract(Money left, Money right) => left - right;

    public static Money Negate(Money item) => -item;

    public int CompareTo(Money other) => Minor.CompareTo(other.Same(this).Minor);

    /// <summary>Multiplies by a factor and rounds once, half away from zero.</summary>
    public Money Times(decimal factor) =>
        new(checked((long)Math.Round(Minor * factor, 0, MidpointRounding.AwayFromZero)), Currency);

    /// <summary>
    /// Multiplies by a fraction and rounds once, half away from zero. Exact where a decimal factor is not: 5 of 60 minutes is no
    /// decimal, and a tie computed from its first 28 digits would round the wrong way.
    /// </summary>
    public Money Times(long numerator, long denominator) => Sum([(this, numerator)], denominator);

    /// <summary>The sum of amounts, each times its own numerator, over one denominator; rounded once, half away from zero.</summary>
    public static Money Sum(IReadOnlyList<(Money Amount, long Numerator)> parts, long denominator)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(denominator);
        Currency currency = parts[0].Amount.Currency;
        Int128 sum = 0;
        foreach ((Money amount, long numerator) in parts)
        {
            sum = checked(sum + ((Int128)amount.Same(parts[0].Amount).Minor * numerator));
        }

        Int128 rounded = ((Int128.Abs(sum) * 2) + denominator) / ((Int128)denominator * 2);
        return new(checked((long)(sum < 0 ? -rounded : rounded)), currency);
    }

    /// <summary>
    /// Splits the amount by weights so that the parts sum exactly: largest remainder first, ties to the earlier part.
    /// All weights zero splits evenly. Weights must not be negative.
    /// </summary>
    public IReadOnlyList<Money> Allocate(IReadOnlyList<long> weights)
    {
        if (weights.Count == 0)
        {
            throw new ArgumentException("At least one weight is needed.", nameof(weights));
        }

        if (weights.Any(w => w < 0))
        {
            throw new ArgumentException("Weights must not be negative.", nameof(weights));
        }

        Int128 total = weights.Aggregate(Int128.Zero, (sum, w) => sum + w);
        Int128[] effective = total == 0 ? weights.Select(_ => Int128.One).ToArray() : weights.Select(w => (Int128)w).ToArray();
        total = total == 0 ? weights.Count : total;
        Int128 magnitude = Int128.Abs(Minor);
        int sign = Math.Sign(Minor);
        long[] parts = effective.Select(w => (long)(magnitude * w / total)).ToArray();
        long rest = (long)(magnitude - parts.Aggregate(Int128.Zero, (sum, p) => sum + p));
        foreach (int index in Enumerable.Range(0, parts.Length)
                     .OrderByDescending(i => magnitude * effective[i] % total)
                     .ThenBy(i => i)
                     .Take((int)rest))
        {
            parts[index]++;
        }

        Currency currency = Currency;
        return parts.Select(p => new Money(p * sign, currency)).ToArray();
    }

    /// <summary>The exact decimal text, e.g. <c>14.98</c>, <c>-0.05</c>, <c>1200</c> for a currency without minor unit.</summary>
    public string ToDecimalString()
    {
        decimal scale = Scale(Currency);
        return (Minor / scale).ToString("F" + Currency.Exponent.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>Parses an exact decimal text; more digits than the currency has are refused.</summary>
    public static bool TryParse(string? amount, Currency currency, out Money money)
    {
        money = default;
        if (!decimal.TryParse(amount, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value))
        {
            return false;
        }

        // Twelve digits before the point is far above any provider's limit and keeps every later product inside Int64.
        if (Math.Abs(value) >= 1_000_000_000_000m)
        {
            return false;
        }

        decimal minor = value * Scale(currency);
        if (minor != decimal.Truncate(minor))
        {
            return false;
        }

        money = new Money((long)minor, currency);
        return true;
    }

    public override string ToString() => $"{ToDecimalString()} {Currency.Code.ToUpperInvariant()}";

    private static decimal Scale(Currency currency) => currency.Exponent switch
    {
        0 => 1m,
        2 => 100m,
        3 => 1000m,
        _ => throw new InvalidOperationException("Currencies have 0, 2 or 3 digits."),
    };

    private Money Same(Money other) => Currency.Equals(other.Currency)
        ? this
        : throw new InvalidOperationException($"Amounts in {Currency} and {other.Currency} cannot be combined.");
}
