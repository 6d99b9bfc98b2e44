using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Flex.Platform.Resilience;

namespace Flex.Access;

/// <summary>
/// Salto KS Connect. The published part of its documentation and measurements of its test site say: two ids per user, lists in two
/// shapes, <c>ErrorCode</c> also in successful answers, seats that run out without an error, and about a minute after a user's
/// creation in which parts of the service do not know him (403/2203, 404/2202).
/// Versions are mixed in its paths; what is used here is v1.2.
/// </summary>
public sealed class SaltoClient(SaltoSession session, SaltoOptions options) : IDoorAccess
{
    private const string Subscribed = "subscribed";
    private const string Suspended = "suspended";

    /// <summary>More pages than the largest site has; ends a list that links to itself.</summary>
    private const int MaxPages = 500;

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, string[]> _roleIds = new(StringComparer.Ordinal);

    public async Task<DoorUser?> FindUserAsync(string siteId, string siteUserId, CancellationToken cancellation)
    {
        try
        {
            JsonElement? body = await CallAsync(HttpMethod.Get, $"{Site(siteId)}/users/{Escape(siteUserId)}", null, cancellation);
            return User(siteId, Read<SaltoWire.SiteUser>(body));
        }
        catch (DoorRefusedException refused) when (refused is { Status: 404 })
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<DoorUser>> FindUsersAsync(string siteId, string email, CancellationToken cancellation)
    {
        string filter = options.FilterUsersByEmail
            ? "?$filter=" + Escape($"user/email eq '{email.Replace("'", "''", StringComparison.Ordinal)}'")
            : string.Empty;
        IReadOnlyList<SaltoWire.SiteUser> users = await ListAsync<SaltoWire.SiteUser>($"{Site(siteId)}/users{filter}", cancellation);
        return [.. users.Where(u => string.Equals(u.User?.Email, email, StringComparison.OrdinalIgnoreCase)).Select(u => User(siteId, u))];
    }

    public async Task<DoorUser> CreateUserAsync(string siteId, AccessPerson person, CancellationToken cancellation)
    {
        var user = new SaltoWire.NewUser(
            $"{person.FirstName} {person.LastName}".Trim(),
            person.FirstName,
            person.LastName,
            person.Email!,
            Blocked: false,
            await MemberRoleIdsAsync(siteId, cancellation),
            UsePin: false);
        JsonElement? body = await CallAsync(HttpMethod.Post, $"{Site(siteId)}/users", user, cancellation);
        return User(siteId, Read<SaltoWire.SiteUser>(body));
    }

    public async Task<IReadOnlySet<string>> GroupsOfAsync(
        string siteId, string platformUserId, IReadOnlyCollection<string>? among, CancellationToken cancellation)
    {
        IEnumerable<string> groups = among ?? [.. (await ListAsync<SaltoWire.Group>($"{Site(siteId)}/access_groups", cancellation)).Select(g => g.Id)];
        var member = new HashSet<string>(StringComparer.Ordinal);
        foreach (string group in groups)
        {
            try
            {
                IReadOnlyList<SaltoWire.Person> people = await ListAsync<SaltoWire.Person>($"{Group(siteId, group)}/users", cancellation);
                if (people.Any(p => p.Id == platformUserId))
                {
                    member.Add(group);
                }
            }
            catch (DoorRefusedException refused) when (refused is { Status: 404 })
            {
                // A group that is gone has nobody in it.
            }
        }

        return member;
    }

    public Task AddToGroupAsync(string siteId, string groupId, string platformUserId, CancellationToken cancellation) =>
        CallAsync(HttpMethod.Post, $"{Group(siteId, groupId)}/users", new SaltoWire.NewGroupUser(platformUserId), cancellation);

    public Task RemoveFromGroupAsync(string siteId, string groupId, string platformUserId, CancellationToken cancellation) =>
        CallAsync(HttpMethod.Delete, $"{Group(siteId, groupId)}/users/{Escape(platformUserId)}", null, cancellation);

    public Task SetSubscribedAsync(string siteId, string siteUserId, bool subscribed, CancellationToken cancellation) =>
        CallAsync(
            HttpMethod.Patch,
            $"{Site(siteId)}/users/{Escape(siteUserId)}/subscription",
            new SaltoWire.Subscription(subscribed ? Subscribed : Suspended),
            cancellation);

    private async Task<string[]> MemberRoleIdsAsync(string siteId, CancellationToken cancellation)
    {
        if (_roleIds.TryGetValue(siteId, out string[]? known))
        {
            return known;
        }

        string code = options.PlainRoles()[0];
        string[] ids = [.. (await ListAsync<SaltoWire.Role>($"{Site(siteId)}/roles", cancellation)).Where(r => r.Code == code).Select(r => r.Id)];
        _roleIds[siteId] = ids;
        return ids;
    }

    private DoorUser User(string siteId, SaltoWire.SiteUser user)
    {
        IReadOnlyList<SaltoWire.Role> roles = user.Roles ?? [];
        DoorUserKind kind = roles.Count == 0 ? DoorUserKind.Unclear
            : roles.All(r => r.Code is { } code && options.PlainRoles().Contains(code)) ? DoorUserKind.Plain
            : DoorUserKind.Protected;
        string platformId = user.User?.Id ?? throw new TransientFaultException("Salto answered a user without its platform id.");
        return new DoorUser(new DoorUserIds(siteId, user.Id, platformId), user.SubscriptionState == Subscribed, kind);
    }

    private async Task<IReadOnlyList<T>> ListAsync<T>(string path, CancellationToken cancellation)
    {
        List<T> all = [];
        string? next = path;
        for (int page = 0; next is not null && page < MaxPages; page++)
        {
            JsonElement? body = await CallAsync(HttpMethod.Get, next, null, cancellation);
            (IReadOnlyList<T> items, string? link) = Parse(body, SaltoWire.List<T>);
            all.AddRange(items);
            next = link;
        }

        return all;
    }

    private async Task<JsonElement?> CallAsync(HttpMethod method, string path, object? body, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await session.SendAsync(
            () => new HttpRequestMessage(method, Address(path))
            {
                Content = body is null ? null : JsonContent.Create(body, body.GetType(), options: SaltoWire.Options),
            },
            cancellation);
        JsonElement? answer = await BodyAsync(response, cancellation);
        string? code = SaltoWire.ErrorCode(answer);
        int status = (int)response.StatusCode;
        if (status is 401 or 408 or 429 or >= 500)
        {
            throw new TransientFaultException($"Salto answered {status}.");
        }

        return status < 300 && code is null ? answer : throw new DoorRefusedException(status, code ?? string.Empty);
    }

    /// <summary>The API's address; a page link may be absolute, and must then stay on the API's host.</summary>
    private Uri Address(string path)
    {
        var root = new Uri(options.ApiUrl.TrimEnd('/') + "/");
        var address = new Uri(root, path.StartsWith("http", StringComparison.OrdinalIgnoreCase) ? path : path.TrimStart('/'));
        return address.Authority == root.Authority && address.Scheme == root.Scheme
            ? address
            : throw new TransientFaultException("Salto links to another host.");
    }

    private static async Task<JsonElement?> BodyAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        string text;
        try
        {
            text = await response.Content.ReadAsStringAsync(cancellation);
        }
        catch (Exception broken) when (FlexHttpClients.IsNetworkFault(broken))
        {
            throw new TransientFaultException("Salto's answer broke off.", broken);
        }

        if (text.Length == 0 || response.StatusCode == HttpStatusCode.NoContent)
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException broken) when (response.IsSuccessStatusCode)
        {
            throw new TransientFaultException("Salto's answer was not JSON.", broken);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static T Read<T>(JsonElement? body) => Parse(body, b => b.Deserialize<T>(SaltoWire.Options) ?? throw new JsonException("null"));

    private static T Parse<T>(JsonElement? body, Func<JsonElement, T> parse)
    {
        try
        {
            return body is { } present ? parse(present) : throw new JsonException("There was no body.");
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new TransientFaultException("Salto's answer has another form than expected.", broken);
        }
    }

    private static string Site(string siteId) => "v1.2/sites/" + Escape(siteId);

    private static string Group(string siteId, string groupId) => $"{Site(siteId)}/access_groups/{Escape(groupId)}";

    private static string Escape(string text) => Uri.EscapeDataString(text);
}
