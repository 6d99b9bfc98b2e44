using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Flex.Platform;
using NodaTime;

namespace Flex.Bookings;

/// <summary>Keys that sign the prices of previews.</summary>
public sealed class QuoteSettings : ISettings
{
    public const string Section = "Quotes";

    /// <summary>As long as the hash, beyond which a key gains nothing. Source: RFC 2104 section 3</summary>
    private const int MinKeyLength = 32;

    /// <summary>At least 32 characters; from the key vault. Empty: a key of the process's own, whose quotes no other process takes.</summary>
    public string SigningKey { get; init; } = string.Empty;

    /// <summary>A second key that is accepted too, while the first is being rolled.</summary>
    public string SigningKeyNext { get; init; } = string.Empty;

    public IEnumerable<SettingFault> Faults()
    {
        foreach ((string name, string key) in new[] { (nameof(SigningKey), SigningKey), (nameof(SigningKeyNext), SigningKeyNext) })
        {
            if (key.Length is > 0 and < MinKeyLength)
            {
                yield return new(name, $"must have at least {MinKeyLength} characters.");
            }
        }

        if (SigningKeyNext.Length > 0 && SigningKey.Length == 0)
        {
            yield return SettingFault.Missing(nameof(SigningKey), $"{Section}__{nameof(SigningKeyNext)} is accepted beside it");
        }

        if (SigningKeyNext.Length > 0 && SigningKeyNext == SigningKey)
        {
            yield return new(nameof(SigningKeyNext), $"must differ from {Section}__{nameof(SigningKey)}.");
        }
    }
}

/// <summary>
/// A quote is the price of a preview, signed: whoever books with it within ten minutes pays that price and draws those minutes, or is
/// refused with <c>quote_stale</c> (BKG-8). Nothing is stored for it.
/// </summary>
public sealed class BookingQuotes
{
    public static readonly Duration Validity = Duration.FromMinutes(10);

    private readonly byte[][] _keys;

    public BookingQuotes(QuoteSettings settings) => _keys = settings.SigningKey.Length == 0
        ? [RandomNumberGenerator.GetBytes(32)]
        : [.. new[] { settings.SigningKey, settings.SigningKeyNext }.Where(k => k.Length > 0).Select(Encoding.UTF8.GetBytes)];

    /// <summary>Text of at most 100 characters.</summary>
    public string Issue(PricedWish priced, Instant now)
    {
        string expires = (now + Validity).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{expires}.{Base64Url.EncodeToString(Sign(_keys[0], expires, priced))}";
    }

    /// <summary>Null when the quote is ours, still valid, and says just what is to be booked now.</summary>
    public Error? Refuse(string quote, PricedWish priced, Instant now)
    {
        string[] parts = quote.Split('.');
        bool holds = parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long expires)
            && now.ToUnixTimeSeconds() <= expires
            && Base64Url.IsValid(parts[1])
            && _keys.Any(key => CryptographicOperations.FixedTimeEquals(Sign(key, parts[0], priced), Base64Url.DecodeFromChars(parts[1])));
        return holds ? null : Error.Refused(ErrorCodes.QuoteStale, "The price is not the quoted one any more, or the quote has run out: ask for a new preview.");
    }

    private static byte[] Sign(byte[] key, string expires, PricedWish priced)
    {
        BookingWish wish = priced.Wish;
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{expires}|{wish.Member.Id}|{wish.Resource.Id}|{wish.Time.Start.ToUnixTimeSeconds()}|{wish.Time.End.ToUnixTimeSeconds()}|{wish.Rate.TaxRateId}|{priced.Price.Fee.Minor}|{priced.Price.Fee.Currency}|{priced.Price.MoneyCredit.Minor}|{priced.Price.CreditMinutes}|{priced.Price.PassMinutes}");
        return HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
    }
}
