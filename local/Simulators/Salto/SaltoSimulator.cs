using System.Globalization;

namespace Flex.Local.Simulators.Salto;

/// <summary>
/// A stateful Salto KS: identity server and Connect API. It knows no transport; <see cref="SaltoSimulatorHandler"/> serves an
/// <see cref="HttpClient"/> in process, <see cref="SaltoEndpoints"/> serves HTTP. One request at a time, as if it had one database.
/// Paths, field names, the two ids and the quirks follow public client code and measurements of the vendor's test site;
/// what is not published is chosen so that a client that trusts too much fails.
/// </summary>
public sealed class SaltoSimulator
{
    private const int PageSize = 100;
    private static readonly string[] Features = ["pods", "events_streaming", "nfc"];

    private readonly Lock _gate = new();
    private readonly ISaltoFaults? _faults;
    private readonly SaltoTokens _tokens;
    private readonly SaltoUsersApi _users;
    private readonly SaltoGroupsApi _groups;

    public SaltoSimulator(SaltoState state, TimeProvider time, SaltoSimulatorOptions options, ISaltoFaults? faults = null)
    {
        State = state;
        _faults = faults;
        _tokens = new SaltoTokens(options, time);
        _users = new SaltoUsersApi(state, time, options);
        _groups = new SaltoGroupsApi(state, _users);
        Inspection = new SaltoInspection(state, _gate);
        Control = new SaltoControl(state, time, _gate);
    }

    /// <summary>What audits and tests read: users with their state and groups.</summary>
    public SaltoInspection Inspection { get; }

    /// <summary>What staff would do in Salto's own app: sites, groups, users that were there before.</summary>
    public SaltoControl Control { get; }

    private SaltoState State { get; }

    public SaltoResponse Handle(SaltoRequest request)
    {
        lock (_gate)
        {
            SaltoFault? fault = _faults?.Next(request);
            switch (fault?.Kind)
            {
                case SaltoFaultKind.TooManyRequests:
                    return SaltoJson.Problem(429, "Too Many Requests") with { RetryAfterSeconds = 1 };
                case SaltoFaultKind.ServerError:
                    return SaltoJson.Problem(fault.Status ?? 503, "Service Unavailable");
                case SaltoFaultKind.LostRequest:
                    return SaltoResponse.Lost;
                case SaltoFaultKind.ErrorCodeInSuccess:
                    return SaltoJson.Error(200, "1000", "Unexpected error");
                case SaltoFaultKind.TokenRejected:
                    return SaltoJson.Empty(401);
                default:
                    break;
            }

            SaltoResponse response = Route(request);
            return fault?.Kind switch
            {
                SaltoFaultKind.Slow => response with { Latency = fault.Latency },
                SaltoFaultKind.ServerErrorAfterEffect => SaltoJson.Problem(500, "Internal Server Error"),
                SaltoFaultKind.LostAnswer => SaltoResponse.Lost,
                _ => response,
            };
        }
    }

    private SaltoResponse Route(SaltoRequest request)
    {
        string[] path = request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (path is ["identity", "connect", "token"])
        {
            return _tokens.Issue(request);
        }

        if (path is not ["api", "v1.1" or "v1.2", .. string[] rest])
        {
            return SaltoJson.Problem(404, "Not Found");
        }

        if (!_tokens.Accepts(request.Authorization))
        {
            return SaltoJson.Empty(401);
        }

        return rest switch
        {
            ["sites"] when request.Method == "GET" => SaltoJson.Answer(200, State.Sites.Select(Site)),
            ["sites", string id, .. string[] below] => State.Site(id) is { } site
                ? InSite(request, site, below)
                : NoSite(id),
            _ => SaltoJson.Problem(404, "Not Found"),
        };
    }

    private SaltoResponse InSite(SaltoRequest request, SaltoSite site, string[] below) => below switch
    {
        [] when request.Method == "GET" => SaltoJson.Answer(200, Site(site)),
        ["subscription"] when request.Method == "GET" => SaltoJson.Answer(
            200,
            new { user_amount = site.UserAmount, type = "default", features = Features }),
        ["roles"] when request.Method == "GET" => Page(request, SaltoUsersApi.Roles.Select(SaltoUsersApi.Role)),
        ["users" or "guests", ..] => _users.Handle(request, site, below),
        ["access_groups", ..] => _groups.Handle(request, site, below),
        _ => SaltoJson.Problem(404, "Not Found"),
    };

    /// <summary>The other list form of the API: some lists are bare arrays, some are this, a hundred at a time.</summary>
    internal static SaltoResponse Page<T>(SaltoRequest request, IEnumerable<T> items)
    {
        T[] all = [.. items];
        int skip = int.TryParse(request.Query.GetValueOrDefault("$skip"), NumberStyles.None, CultureInfo.InvariantCulture, out int given) ? given : 0;
        int next = Math.Min(skip, all.Length) + PageSize;
        return SaltoJson.Answer(200, new
        {
            items = all.Skip(skip).Take(PageSize).ToArray(),
            next_page_link = next < all.Length ? string.Create(CultureInfo.InvariantCulture, $"{request.Path["/api".Length..]}?$skip={next}") : null,
            count = all.Length,
        });
    }

    private SaltoResponse NoSite(string id) => State.Sites.Any(s => s.Uid == id)
        ? SaltoJson.Error(400, "1100", $"The value '{id}' is not valid.")
        : SaltoJson.Error(404, "2202", "Site not found");

    private object Site(SaltoSite site) => new
    {
        site.Id,
        site_uid = site.Uid,
        customer_reference = site.Name,
        active_user_amount = State.SubscribedCount(site.Id),
        subscribed_user_amount = site.UserAmount,
        pin_enabled = true,
        time_zone = site.TimeZone,
    };
}
