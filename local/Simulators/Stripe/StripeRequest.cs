namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// One API request, independent of its transport. <paramref name="Path"/> starts with <c>/v1/</c>; <paramref name="Query"/>
/// and <paramref name="Body"/> are form-encoded without a leading question mark. Header names are matched case-insensitively.
/// </summary>
public sealed record StripeRequest(string Method, string Path, string Query, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public string? Header(string name)
    {
        foreach ((string key, string value) in Headers)
        {
            if (string.Equals(key, name, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        return null;
    }
}

/// <summary>
/// What the client gets. With <paramref name="Lost"/> it gets nothing: the adapter breaks the connection, and the client
/// cannot tell whether the request had its effect.
/// </summary>
public sealed record StripeReply(int Status, string Body, IReadOnlyDictionary<string, string> Headers, bool Lost = false);
