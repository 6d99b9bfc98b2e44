using System.Text;

namespace Flex.Local.Simulators.Stripe;

/// <summary>The secret key, as a bearer token or as the user name of basic authentication.</summary>
internal static class StripeAuthorization
{
    public static void Check(StripeRequest request, string apiKey)
    {
        string? given = Key(request.Header("Authorization"));
        if (string.IsNullOrEmpty(given))
        {
            throw StripeProblem.Unauthorized("You did not provide an API key. You need to provide your API key in the Authorization header, " +
                "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details.");
        }

        if (given != apiKey)
        {
            throw StripeProblem.Unauthorized($"Invalid API Key provided: {Masked(given)}");
        }
    }

    private static string? Key(string? header)
    {
        const string Bearer = "Bearer ";
        const string Basic = "Basic ";
        if (header is null)
        {
            return null;
        }

        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return header[Bearer.Length..].Trim();
        }

        var buffer = new byte[header.Length];
        return header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase)
            && Convert.TryFromBase64String(header[Basic.Length..].Trim(), buffer, out int length)
            ? Encoding.UTF8.GetString(buffer, 0, length).Split(':')[0]
            : null;
    }

    private static string Masked(string key) => key.Length <= 12 ? "****" : $"{key[..8]}****{key[^4..]}";
}
