using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>Webhook endpoints from both places: made through the API, and given by configuration.</summary>
internal static class StripeEndpoints
{
    public static IEnumerable<(string Id, IReadOnlyList<string> Enabled)> Active(StripeWorld world) =>
        Configured(world).Concat(world.Store.Endpoints.OldestFirst()).Where(row => !row.Disabled).Select(row => (row.Id, row.EnabledEvents));

    public static IEnumerable<EndpointRow> Configured(StripeWorld world) => world.Options.Endpoints.Select(given => new EndpointRow
    {
        Id = "we_" + given.Name,
        Url = given.Url.ToString(),
        EnabledEvents = given.EnabledEvents,
        Secret = given.Secrets[0],
        PreviousSecret = given.Secrets.Count > 1 ? given.Secrets[1] : null,
        PreviousUntil = given.Secrets.Count > 1 ? Instant.MaxValue : null,
    });

    public static EndpointRow? Find(StripeWorld world, string id) =>
        world.Store.Endpoints.Find(id) ?? Configured(world).FirstOrDefault(row => row.Id == id);

    /// <summary>The secrets a delivery is signed with now: two while a roll overlaps.</summary>
    public static IEnumerable<string> Secrets(EndpointRow row, Instant now)
    {
        yield return row.Secret;
        if (row.PreviousSecret is { } previous && now < row.PreviousUntil)
        {
            yield return previous;
        }
    }

    /// <summary>An event filter: the exact type, or a prefix such as <c>charge.*</c>.</summary>
    public static bool Matches(string filter, string type) =>
        filter == type || (filter.EndsWith('*') && type.StartsWith(filter[..^1], StringComparison.Ordinal));
}
