using System.Net;
using System.Net.Sockets;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Resilience;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform.Limits;

/// <summary>
/// Counts calls, for this process only. Callers with a token are told apart by issuer and subject, others by the address the
/// host reports; headers a client could forge are not read. Time is the network's, so that limits mean the same on a simulated
/// calendar. Nothing here waits or does I/O.
/// </summary>
public sealed class CallLimits
{
    /// <summary>
    /// Buckets of each kind that are not full, in 11 MB (measured). A bucket is full again seconds after a call, so that many take thousands
    /// of calls a second, each from somebody else.
    /// </summary>
    public const int MaxCallers = 50_000;

    private const string RefusedCalls = "refused";

    private readonly Rate?[] _rates;
    private readonly Rate _refusals;

    // Apart, so that a flood of addresses never takes the place of callers who have shown a token.
    private readonly BucketStore _identities;
    private readonly BucketStore _addresses;

    public CallLimits(RateLimits settings, [FromKeyedServices(NetworkTime.Key)] TimeProvider network)
    {
        _rates = [.. Enum.GetValues<RatePolicy>().Select(settings.Of)];
        _refusals = settings.Of(RatePolicy.Refusals)!.Value;
        _identities = new BucketStore(network, MaxCallers);
        _addresses = new BucketStore(network, MaxCallers);
    }

    /// <summary>Callers remembered at the moment.</summary>
    public int Remembered => _identities.Count + _addresses.Count;

    /// <summary>Counts a call: null to go on, else 429 <c>rate_limited</c>.</summary>
    public Error? Count(HttpContext http, FunctionEntry entry, Caller caller)
    {
        if (entry.RatePolicy == RatePolicy.Refusals || _rates[(int)entry.RatePolicy] is not { } rate)
        {
            return null;
        }

        return TooMany(caller.Role is null
            ? _addresses.Take(new BucketKey(entry.Name, AddressOf(http)), rate)
            : _identities.Take(new BucketKey(entry.Name, caller.Subject), rate));
    }

    /// <summary>
    /// 429 when the address has been refused too often, so that its next token is not even looked at; else null. An address that is
    /// not known or not remembered is not held against anyone.
    /// </summary>
    public Error? Bars(HttpContext http) => TooMany(_addresses.Wait(new BucketKey(RefusedCalls, AddressOf(http)), _refusals));

    /// <summary>Counts a call that is refused because nobody knows who sends it. The answer is the refusal or, after too many, 429.</summary>
    public Error Refuse(HttpContext http, Error refusal) =>
        TooMany(_addresses.Take(new BucketKey(RefusedCalls, AddressOf(http)), _refusals)) ?? refusal;

    /// <summary>IPv6 by its /64, which is what one subscriber has; null when the host does not know.</summary>
    private static string? AddressOf(HttpContext http) => http.Connection.RemoteIpAddress switch
    {
        null => null,
        { IsIPv4MappedToIPv6: true } mapped => mapped.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } six => Convert.ToHexStringLower(six.GetAddressBytes().AsSpan(0, 8)),
        IPAddress four => four.ToString(),
    };

    private static Error? TooMany(TimeSpan wait) => wait == TimeSpan.Zero
        ? null
        : new Error(ErrorKind.RateLimited, ErrorCodes.RateLimited, "Too many calls. Repeat after the seconds in Retry-After.")
        {
            RetryAfterSeconds = (int)((wait.Ticks + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond),
        };
}
