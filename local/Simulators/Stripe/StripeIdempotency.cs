using System.Security.Cryptography;
using System.Text;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// Idempotency keys of POST requests: the first result, also a 500, is kept and replayed for the retention; after that the
/// key is forgotten and the same key really acts again.
/// </summary>
internal sealed class StripeIdempotency(StripeWorld world)
{
    private const int MaxLength = 255;

    private StripeTable<KeyRow> Keys => world.Store.Keys;

    public static string? KeyOf(StripeRequest request) => request.Method == "POST" ? request.Header("Idempotency-Key") : null;

    /// <summary>The kept result; null when the request is the first with this key. Throws on a mismatch or while it runs.</summary>
    public KeyRow? Find(string key, StripeRequest request)
    {
        if (key.Length is 0 or > MaxLength)
        {
            throw StripeProblem.BadParameter($"The idempotency key must have 1 to {MaxLength} characters.", null, null);
        }

        if (Keys.Find(key) is not { } row)
        {
            return null;
        }

        if (row.Path != request.Path)
        {
            throw Mismatch($"Keys for idempotent requests can only be used for the same endpoint they were first used for " +
                $"('{request.Path}' vs '{row.Path}'). Try using a key other than '{key}' if you meant to execute a different request.");
        }

        if (row.Fingerprint != Fingerprint(request))
        {
            throw Mismatch($"Keys for idempotent requests can only be used with the same parameters they were first used with. " +
                $"Try using a key other than '{key}' if you meant to execute a different request.");
        }

        return row.Status is not null ? row : throw new StripeProblem(409, "idempotency_error",
            $"There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is " +
            $"still going through): {key}. Please try again later.")
        { Code = "idempotency_key_in_use", Storable = false };
    }

    /// <summary>Keeps the result of the request, or with a null status that it still runs.</summary>
    public void Keep(string key, StripeRequest request, string requestId, int? status, string? body) => Keys.Put(new KeyRow
    {
        Id = key,
        Created = world.Seconds,
        Path = request.Path,
        Fingerprint = Fingerprint(request),
        At = world.Now,
        RequestId = requestId,
        Status = status,
        Body = body,
    });

    public void Prune()
    {
        while (Keys.Oldest is { } row && row.At + world.Options.IdempotencyRetention <= world.Now)
        {
            Keys.Delete(row.Id);
        }
    }

    private static StripeProblem Mismatch(string message) => new(400, "idempotency_error", message) { Storable = false };

    /// <summary>The parameters in any order make the same request.</summary>
    private static string Fingerprint(StripeRequest request)
    {
        string[] pairs = request.Body.Split('&', StringSplitOptions.RemoveEmptyEntries);
        Array.Sort(pairs, StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('&', pairs))));
    }
}
