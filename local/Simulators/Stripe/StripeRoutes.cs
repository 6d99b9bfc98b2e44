using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary>One request on its way through an endpoint.</summary>
internal sealed record StripeCall(StripeRequest Request, IReadOnlyDictionary<string, string> Route, StripeParams Params)
{
    public string Id => Route["id"];
}

/// <summary>The endpoints by method and path template; <c>{name}</c> matches one segment.</summary>
internal sealed class StripeRoutes
{
    private readonly List<(string Method, string[] Segments, Func<StripeCall, JsonObject> Handler)> routes = [];

    public void Map(string method, string template, Func<StripeCall, JsonObject> handler) =>
        routes.Add((method, template.Split('/', StringSplitOptions.RemoveEmptyEntries), handler));

    public (Func<StripeCall, JsonObject> Handler, Dictionary<string, string> Values)? Find(string method, string path)
    {
        string[] segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        foreach ((string Method, string[] Segments, Func<StripeCall, JsonObject> Handler) route in routes)
        {
            if (route.Method == method && Match(route.Segments, segments) is { } values)
            {
                return (route.Handler, values);
            }
        }

        return null;
    }

    private static Dictionary<string, string>? Match(string[] template, string[] segments)
    {
        if (template.Length != segments.Length)
        {
            return null;
        }

        var values = new Dictionary<string, string>();
        for (int i = 0; i < template.Length; i++)
        {
            if (template[i][0] == '{')
            {
                values[template[i][1..^1]] = Uri.UnescapeDataString(segments[i]);
            }
            else if (template[i] != segments[i])
            {
                return null;
            }
        }

        return values;
    }
}

/// <summary>Cursor lists, newest first: <c>limit</c>, <c>starting_after</c>, <c>ending_before</c>, <c>created</c>.</summary>
internal static class StripePages
{
    private const int DefaultLimit = 10;
    private const int MaxLimit = 100;

    /// <summary>Reads the paging parameters and everything else must have been read: this is the last step of a list.</summary>
    public static JsonObject Page<T>(StripeWorld world, StripeCall call, StripeTable<T> table, string? index = null, string? key = null,
        Func<T, bool>? where = null)
        where T : StripeRow
    {
        StripeParams p = call.Params;
        long limit = p.Whole("limit") ?? DefaultLimit;
        if (limit is < 1 or > MaxLimit)
        {
            throw p.Bad($"Invalid limit: must be between 1 and {MaxLimit}", "limit", null);
        }

        long? after = Cursor(p, table, "starting_after");
        long? before = Cursor(p, table, "ending_before");
        Func<StripeRow, bool> created = Created(p);
        p.RejectOthers();
        IEnumerable<T> rows = before is { } above ? table.OldestFirst(above, index, key) : table.NewestFirst(after ?? long.MaxValue, index, key);
        var page = rows.Where(row => created(row) && (where is null || where(row))).Take((int)limit + 1).ToList();
        bool more = page.Count > limit;
        IEnumerable<T> shown = page.Take((int)limit);
        return StripeJson.List(call.Request.Path, (before is null ? shown : shown.Reverse()).Select(world.Render.Object), more);
    }

    private static long? Cursor<T>(StripeParams p, StripeTable<T> table, string name)
        where T : StripeRow => p.Text(name) is not { } id ? null
        : table.Find(id)?.Order ?? throw StripeProblem.Missing(table.Kind, id, name, status: 400);

    private static Func<StripeRow, bool> Created(StripeParams p)
    {
        if (!p.Has("created"))
        {
            return static _ => true;
        }

        if (p.IsText("created"))
        {
            long exact = p.RequiredWhole("created");
            return row => row.Created == exact;
        }

        StripeParams range = p.Nested("created")!;
        long? gt = range.Whole("gt");
        long? gte = range.Whole("gte");
        long? lt = range.Whole("lt");
        long? lte = range.Whole("lte");
        range.RejectOthers();
        return row => !(row.Created <= gt || row.Created < gte || row.Created >= lt || row.Created > lte);
    }
}
