using Flex.Platform.Http;
using Flex.Platform.Resilience;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Platform.Health;

/// <summary>Something the service cannot work without; registered by whoever owns the dependency.</summary>
public interface IReadinessCheck
{
    /// <summary>One of <see cref="Dependencies"/>: anyone may read it, so it says what and never where.</summary>
    string Dependency { get; }

    /// <summary>One cheap call that shows that the dependency answers us. Any exception means that it does not.</summary>
    Task CheckAsync(CancellationToken cancellation);
}

public static class Dependencies
{
    public const string Storage = "storage";
    public const string Queue = "queue";
    public const string Payments = "payments";
}

/// <summary>
/// Asks all dependencies at once and says which do not answer, and nothing else about them; why is in the log. Anyone may ask, so
/// the answer is kept for a few seconds: however many ask, a dependency is called once in <see cref="Lifetime"/>.
/// </summary>
public sealed class Readiness : IDisposable
{
    /// <summary>Longer than a dependency takes that works, shorter than a load balancer waits.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    public static readonly Duration Lifetime = Duration.FromSeconds(5);

    private readonly IReadOnlyList<IReadinessCheck> _checks;
    private readonly TimeProvider _network;
    private readonly ILogger<Readiness> _log;
    private readonly SnapshotCache<IReadOnlyList<string>> _silent;

    public Readiness(IEnumerable<IReadinessCheck> checks, [FromKeyedServices(NetworkTime.Key)] TimeProvider network, ILogger<Readiness> log)
    {
        (_checks, _network, _log) = ([.. checks], network, log);

        // Not under the first caller's token: whoever hangs up must not make the next one ask again.
        _silent = new SnapshotCache<IReadOnlyList<string>>(network, Lifetime, _ => FindSilentAsync());
    }

    public async Task<Reply<HealthView>> HandleAsync(RequestContext context, CancellationToken cancellation)
    {
        IReadOnlyList<string> silent = await _silent.GetAsync(cancellation);
        return silent.Count == 0
            ? HealthView.Healthy
            : new Error(ErrorKind.Unavailable, ErrorCodes.Unavailable, $"Not answering: {string.Join(", ", silent)}.")
            {
                Extensions = new Dictionary<string, object?> { ["dependencies"] = silent },
            };
    }

    public void Dispose() => _silent.Dispose();

    private async Task<IReadOnlyList<string>> FindSilentAsync() =>
        [.. (await Task.WhenAll(_checks.Select(SilentAsync))).OfType<string>().Order(StringComparer.Ordinal)];

    /// <summary>The dependency's name when it fails or takes too long, also when it ignores its token.</summary>
    private async Task<string?> SilentAsync(IReadinessCheck check)
    {
        using var stop = new CancellationTokenSource();
        try
        {
            await check.CheckAsync(stop.Token).WaitAsync(Limit, _network);
            return null;
        }
        catch (Exception fault)
        {
            _log.LogWarning(fault, "{Dependency} is not ready.", check.Dependency);
            return check.Dependency;
        }
        finally
        {
            await stop.CancelAsync();
        }
    }
}
