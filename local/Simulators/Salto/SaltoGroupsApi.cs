namespace Flex.Local.Simulators.Salto;

/// <summary>Access groups of a site: <c>/access_groups/{id}/users</c> speaks platform user ids only.</summary>
public sealed class SaltoGroupsApi(SaltoState state, SaltoUsersApi users)
{
    public SaltoResponse Handle(SaltoRequest request, SaltoSite site, string[] path) => (request.Method, path) switch
    {
        ("GET", ["access_groups"]) => SaltoSimulator.Page(request, state.Groups(site.Id).Select(View)),
        ("POST", ["access_groups"]) => Create(request, site),
        (_, ["access_groups", string id, .. string[] below]) => state.Group(site.Id, id) is { } group
            ? One(request, site, group, below)
            : SaltoJson.Error(404, "2202", "Access group not found"),
        _ => SaltoJson.Problem(405, "Method Not Allowed"),
    };

    private static object View(SaltoGroup group) => new { group.Id, customer_reference = group.CustomerReference };

    private SaltoResponse One(SaltoRequest request, SaltoSite site, SaltoGroup group, string[] below) => (request.Method, below) switch
    {
        ("GET", []) => SaltoJson.Answer(200, View(group)),
        ("DELETE", []) => Delete(group),
        ("GET", ["users"]) => SaltoSimulator.Page(request, group.UserIds.Select(Person)),
        ("POST", ["users"]) => Add(request, site, group),
        ("DELETE", ["users", string userId]) => Remove(group, userId),
        _ => SaltoJson.Problem(405, "Method Not Allowed"),
    };

    private SaltoResponse Create(SaltoRequest request, SaltoSite site)
    {
        if (SaltoJson.Object(request.Body)?.Text("customer_reference") is not { Length: > 0 } reference)
        {
            return SaltoJson.Error(400, "1101", "The customer_reference field is required.");
        }

        if (state.Groups(site.Id).Any(g => g.CustomerReference == reference))
        {
            return SaltoJson.Error(400, "1102", "The customer reference is already in use");
        }

        var group = new SaltoGroup(SaltoState.GroupId(site.Id, reference), site.Id, reference, []);
        state.Put(group);
        return SaltoJson.Answer(200, View(group));
    }

    private SaltoResponse Delete(SaltoGroup group)
    {
        state.Put(group with { Deleted = true, UserIds = [] });
        return SaltoJson.Empty(204);
    }

    private SaltoResponse Add(SaltoRequest request, SaltoSite site, SaltoGroup group)
    {
        if (SaltoJson.Object(request.Body)?.Text("user_id") is not { } userId)
        {
            return SaltoJson.Error(400, "1101", "The user_id field is required.");
        }

        if (state.UserOf(site.Id, userId) is not { } user || !users.IsSettled(user))
        {
            return SaltoUsersApi.NotFound();
        }

        if (!group.UserIds.Contains(userId))
        {
            state.Put(group with { UserIds = [.. group.UserIds, userId] });
        }

        return SaltoJson.Answer(200, Person(userId));
    }

    private SaltoResponse Remove(SaltoGroup group, string userId)
    {
        if (!group.UserIds.Contains(userId))
        {
            return SaltoUsersApi.NotFound();
        }

        state.Put(group with { UserIds = [.. group.UserIds.Where(u => u != userId)] });
        return SaltoJson.Empty(204);
    }

    private object Person(string userId)
    {
        SaltoPlatformUser person = state.Person(userId)!;
        return new { person.Id, person.Email, person.FirstName, person.LastName };
    }
}
