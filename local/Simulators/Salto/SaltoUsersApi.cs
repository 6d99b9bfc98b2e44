using System.Globalization;
using System.Text.Json;
using NodaTime;
using NodaTime.Text;

namespace Flex.Local.Simulators.Salto;

/// <summary>Users and guests of a site: <c>/users</c> speaks site user ids only.</summary>
public sealed class SaltoUsersApi(SaltoState state, TimeProvider time, SaltoSimulatorOptions options)
{
    public const string UserRole = "site_user";
    public const string GuestRole = "site_guest";
    public const string AdminRole = "site_admin";
    public const string OwnerRole = "site_owner";

    public static IReadOnlyList<string> Roles { get; } = [UserRole, GuestRole, AdminRole, OwnerRole];

    public SaltoResponse Handle(SaltoRequest request, SaltoSite site, string[] path) => (request.Method, path) switch
    {
        ("GET", ["users"]) => SaltoJson.Answer(200, Filtered(request, site).Select(View)),
        ("POST", ["users"]) => Create(request, site),
        ("POST", ["users", "existing"]) => AddExisting(request, site),
        ("POST", ["guests"]) => CreateGuest(request, site),
        (_, ["users", string id, .. string[] below]) => state.User(site.Id, id) is { } user
            ? One(request, site, user, below)
            : NotFound(),
        _ => SaltoJson.Problem(405, "Method Not Allowed"),
    };

    public static object Role(string code) => new { id = SaltoState.Uuid("role|" + code), code, customer_reference = code };

    /// <summary>False in the time after creation in which only parts of the service know the user.</summary>
    public bool IsSettled(SaltoSiteUser user) => time.Now() >= user.CreatedAt + options.Inconsistency;

    public object View(SaltoSiteUser user)
    {
        SaltoPlatformUser person = state.Person(user.UserId)!;
        return new
        {
            user.Id,
            user.Alias,
            user.Blocked,
            user.UsePin,
            remote_access = false,
            expires_at = user.ExpiresAt is { } at ? InstantPattern.General.Format(at) : null,
            subscription_state = user.State,
            user = new { person.Id, person.Email, person.FirstName, person.LastName },
            roles = IsSettled(user) ? user.Roles.Select(Role) : [],
        };
    }

    internal static SaltoResponse NotFound() => SaltoJson.Error(404, "2202", "User not found");

    private SaltoResponse One(SaltoRequest request, SaltoSite site, SaltoSiteUser user, string[] below) => (request.Method, below) switch
    {
        ("GET", []) => SaltoJson.Answer(200, View(user)),
        ("PATCH", []) => Patch(request, user),
        ("DELETE", []) => Delete(user),
        ("PATCH", ["subscription"]) => SetSubscription(request, site, user),
        ("PUT", ["pin"]) => DrawPin(user),
        ("GET", ["keys"]) => SaltoSimulator.Page(
            request, user.PinDraws == 0 ? [] : new[] { new { type = "pin", key_identifier = "pin", offline_access = false } }),
        _ => SaltoJson.Problem(405, "Method Not Allowed"),
    };

    /// <summary><c>$filter=user/email eq '…'</c> is the one filter known here; <c>$top</c> cuts.</summary>
    private IEnumerable<SaltoSiteUser> Filtered(SaltoRequest request, SaltoSite site)
    {
        const string Before = "user/email eq '";
        IEnumerable<SaltoSiteUser> users = state.Users(site.Id);
        if (request.Query.GetValueOrDefault("$filter") is { } filter && filter.StartsWith(Before, StringComparison.Ordinal))
        {
            string email = filter[Before.Length..].TrimEnd('\'').Replace("''", "'", StringComparison.Ordinal);
            users = state.PersonByEmail(email) is { } person && state.UserOf(site.Id, person.Id) is { } user ? [user] : [];
        }

        return request.Query.GetValueOrDefault("$top") is { } top && int.TryParse(top, CultureInfo.InvariantCulture, out int count)
            ? users.Take(count)
            : users;
    }

    private SaltoResponse Create(SaltoRequest request, SaltoSite site)
    {
        if (SaltoJson.Object(request.Body) is not { } body || body.Text("alias") is not { Length: > 0 } alias)
        {
            return SaltoJson.Error(400, "1101", "The alias field is required.");
        }

        string? email = body.Text("email");
        if (email is not null && !email.Contains('@', StringComparison.Ordinal))
        {
            return SaltoJson.Error(400, "1101", $"Email '{email}' is not valid");
        }

        var person = new SaltoPlatformUser(
            email is null ? state.NextGuestId(site.Id) : SaltoState.PersonId(email),
            email,
            body.Text("first_name"),
            body.Text("last_name"));
        if (state.UserOf(site.Id, person.Id) is not null)
        {
            return SaltoJson.Error(400, "1102", "The user already belongs to the site");
        }

        if (state.Person(person.Id) is null)
        {
            state.Put(person);
        }

        return Join(site, person.Id, alias, RolesOf(body), body);
    }

    private SaltoResponse AddExisting(SaltoRequest request, SaltoSite site)
    {
        if (SaltoJson.Object(request.Body) is not { } body || body.Text("id") is not { } id || body.Text("alias") is not { Length: > 0 } alias)
        {
            return SaltoJson.Error(400, "1101", "The id and alias fields are required.");
        }

        if (state.Person(id) is null)
        {
            return NotFound();
        }

        return state.UserOf(site.Id, id) is not null
            ? SaltoJson.Error(400, "1102", "The user already belongs to the site")
            : Join(site, id, alias, RolesOf(body), body);
    }

    private SaltoResponse CreateGuest(SaltoRequest request, SaltoSite site)
    {
        if (SaltoJson.Object(request.Body) is not { } body || body.Text("alias") is not { Length: > 0 } alias)
        {
            return SaltoJson.Error(400, "1101", "The alias field is required.");
        }

        var person = new SaltoPlatformUser(state.NextGuestId(site.Id), null, null, null);
        state.Put(person);
        return Join(site, person.Id, alias, [GuestRole], body);
    }

    /// <summary>Without a free seat the user is created all the same, suspended, and the answer is 201: nothing says so but the state.</summary>
    private SaltoResponse Join(SaltoSite site, string userId, string alias, IReadOnlyList<string> roles, JsonElement body)
    {
        var user = new SaltoSiteUser(
            state.NextSiteUserId(site.Id, userId),
            site.Id,
            userId,
            alias,
            state.HasFreeSeat(site) ? SaltoSiteUser.Subscribed : SaltoSiteUser.Suspended,
            roles,
            time.Now())
        {
            Blocked = body.Flag("blocked") ?? false,
            UsePin = body.Flag("use_pin") ?? false,
            Guest = roles.Contains(GuestRole),
            ExpiresAt = body.Text("expires_at") is { } at && InstantPattern.ExtendedIso.Parse(at) is { Success: true } parsed ? parsed.Value : null,
        };
        state.Put(user);
        return SaltoJson.Answer(201, View(user));
    }

    private static string[] RolesOf(JsonElement body)
    {
        string[] known = [.. body.Texts("role_ids").Select(id => Roles.FirstOrDefault(r => SaltoState.Uuid("role|" + r) == id)).OfType<string>()];
        return known.Length == 0 ? [UserRole] : known;
    }

    private SaltoResponse Patch(SaltoRequest request, SaltoSiteUser user)
    {
        if (SaltoJson.Object(request.Body) is not { } body)
        {
            return SaltoJson.Error(400, "1101", "The body is not valid.");
        }

        user = user with
        {
            UsePin = body.Flag("use_pin") ?? user.UsePin,
            Blocked = body.Flag("blocked") ?? user.Blocked,
            Alias = body.Text("alias") ?? user.Alias,
        };
        state.Put(user);
        return SaltoJson.Answer(200, View(user));
    }

    private SaltoResponse Delete(SaltoSiteUser user)
    {
        state.Remove(user);
        return SaltoJson.Empty(202);
    }

    private SaltoResponse SetSubscription(SaltoRequest request, SaltoSite site, SaltoSiteUser user)
    {
        string? wanted = SaltoJson.Object(request.Body)?.Text("state");
        if (wanted is not (SaltoSiteUser.Subscribed or SaltoSiteUser.Suspended))
        {
            return SaltoJson.Error(400, "1101", "The state field is required.");
        }

        if (!IsSettled(user))
        {
            return NoPermission();
        }

        if (wanted == SaltoSiteUser.Subscribed && user.State != wanted && !state.HasFreeSeat(site))
        {
            return options.SilentWithoutSeat ? SaltoJson.Empty(204) : SaltoJson.Error(400, "1102", "No subscription available");
        }

        if (user.State != wanted)
        {
            state.Put(user with { State = wanted });
        }

        return SaltoJson.Empty(204);
    }

    /// <summary>Six digits, drawn by the service and shown once; a suspended user gets one as well.</summary>
    private SaltoResponse DrawPin(SaltoSiteUser user)
    {
        if (!IsSettled(user))
        {
            return NoPermission();
        }

        user = user with { PinDraws = user.PinDraws + 1 };
        state.Put(user);
        int digits = (int)(Convert.ToUInt32(SaltoState.Uuid($"pin|{user.Id}|{user.PinDraws}")[..8], 16) % 1_000_000);
        return SaltoJson.Answer(200, digits.ToString("D6", CultureInfo.InvariantCulture));
    }

    private static SaltoResponse NoPermission() =>
        SaltoJson.Error(403, "2203", "User does not have permission for this operation on this user");
}
