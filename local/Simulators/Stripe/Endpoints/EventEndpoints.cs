using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary><c>/v1/events</c>, <c>/v1/webhook_endpoints</c> and <c>/v1/account</c>.</summary>
internal sealed class EventEndpoints(StripeWorld world)
{
    private StripeStore Store => world.Store;

    public void Map(StripeRoutes routes)
    {
        routes.Map("GET", "/v1/events", ListEvents);
        routes.Map("GET", "/v1/events/{id}", GetEvent);
        routes.Map("POST", "/v1/webhook_endpoints", Create);
        routes.Map("GET", "/v1/webhook_endpoints", List);
        routes.Map("GET", "/v1/webhook_endpoints/{id}", Get);
        routes.Map("POST", "/v1/webhook_endpoints/{id}", Update);
        routes.Map("DELETE", "/v1/webhook_endpoints/{id}", Delete);
        routes.Map("GET", "/v1/account", GetAccount);
    }

    private JsonObject GetEvent(StripeCall call)
    {
        call.Params.RejectOthers();
        return StripeRenderer.Event(Store.Events.Find(call.Id) ?? throw StripeProblem.Missing("event", call.Id));
    }

    private JsonObject ListEvents(StripeCall call)
    {
        string? type = call.Params.Text("type");
        IReadOnlyList<string>? types = call.Params.List("types");
        bool? delivered = call.Params.Flag("delivery_success");
        return StripePages.Page(world, call, Store.Events, where: row =>
            (type is null || StripeEndpoints.Matches(type, row.Type)) && (types is null || types.Contains(row.Type)) &&
            (delivered is null || delivered == (row.Pending == 0)));
    }

    /// <summary>Only the answer of the creation carries the signing secret.</summary>
    private JsonObject Create(StripeCall call)
    {
        StripeParams p = call.Params;
        string url = p.Required("url");
        IReadOnlyList<string> enabled = p.List("enabled_events") is { Count: > 0 } given ? given
            : throw p.Bad("Missing required param: enabled_events.", "enabled_events", "parameter_missing");
        var row = new EndpointRow
        {
            Id = world.NewId("we"),
            Created = world.Seconds,
            Url = url,
            EnabledEvents = enabled,
            Secret = world.NewId("whsec"),
            ApiVersion = p.Text("api_version"),
            Description = p.Text("description"),
            Metadata = p.Metadata([]),
        };
        p.Ignore("connect");
        p.RejectOthers();
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) || parsed.Scheme is not ("http" or "https"))
        {
            throw StripeProblem.Invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid");
        }

        JsonObject json = world.Render.Object(Store.Endpoints.Put(row));
        json["secret"] = row.Secret;
        return json;
    }

    private JsonObject Update(StripeCall call)
    {
        EndpointRow row = Find(call.Id);
        StripeParams p = call.Params;
        row = row with
        {
            Url = p.Text("url") ?? row.Url,
            EnabledEvents = p.List("enabled_events") ?? row.EnabledEvents,
            Description = p.Has("description") ? p.Text("description") : row.Description,
            Disabled = p.Flag("disabled") ?? row.Disabled,
            Metadata = p.Metadata(row.Metadata),
        };
        p.RejectOthers();
        return world.Render.Object(Store.Endpoints.Put(row));
    }

    private JsonObject Get(StripeCall call)
    {
        call.Params.RejectOthers();
        return StripeEndpoints.Configured(world).FirstOrDefault(row => row.Id == call.Id) is { } configured
            ? world.Render.Object(configured) : world.Render.Object(Find(call.Id));
    }

    /// <summary>The configured endpoints come last: they were there first. They are not paged.</summary>
    private JsonObject List(StripeCall call)
    {
        JsonObject page = StripePages.Page(world, call, Store.Endpoints);
        if (!(bool)page["has_more"]!)
        {
            foreach (EndpointRow row in StripeEndpoints.Configured(world))
            {
                page["data"]!.AsArray().Add(world.Render.Object(row));
            }
        }

        return page;
    }

    private JsonObject Delete(StripeCall call)
    {
        call.Params.RejectOthers();
        EndpointRow row = Find(call.Id);
        Store.Endpoints.Delete(row.Id);
        return new JsonObject { ["id"] = row.Id, ["object"] = "webhook_endpoint", ["deleted"] = true };
    }

    private JsonObject GetAccount(StripeCall call)
    {
        call.Params.RejectOthers();
        return world.Render.Account();
    }

    private EndpointRow Find(string id) => Store.Endpoints.Find(id) ?? throw StripeProblem.Missing("webhook endpoint", id, "webhook_endpoint");
}
