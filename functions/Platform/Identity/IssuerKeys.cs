using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Flex.Platform.Identity;

/// <summary>
/// Metadata and signing keys of one issuer. Fetched on first use, again after twelve hours, and at once, but at most every
/// thirty seconds, when a token names a key that is not among them, because issuers roll keys without notice. While a fetch
/// fails the keys that were known last stay in use. The caller waits for the fetch, unlike with <c>ConfigurationManager</c>,
/// which refreshes behind its back and so refuses the first tokens under a new key.
/// </summary>
public sealed class IssuerKeys(IssuerSettings issuer, HttpClient http, TimeProvider network) : IDisposable
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);
    public static readonly TimeSpan MinRefreshInterval = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile Snapshot? _current;
    private long? _lastAttempt;

    public IssuerSettings Settings { get; } = issuer;

    /// <exception cref="TransientFaultException">There are no keys yet and the issuer cannot be reached.</exception>
    public async Task<OpenIdConnectConfiguration> GetAsync(CancellationToken cancellation)
    {
        Snapshot? current = _current;
        return current is not null && network.GetElapsedTime(current.FetchedAt) < Lifetime
            ? current.Configuration
            : await FetchAsync(current, cancellation);
    }

    /// <summary>The metadata after a token named an unknown key: fetched again unless that was just done.</summary>
    public Task<OpenIdConnectConfiguration> RefreshAsync(OpenIdConnectConfiguration seen, CancellationToken cancellation)
    {
        Snapshot? current = _current;
        return current is not null && !ReferenceEquals(current.Configuration, seen)
            ? Task.FromResult(current.Configuration)
            : FetchAsync(current, cancellation);
    }

    public void Dispose() => _gate.Dispose();

    private async Task<OpenIdConnectConfiguration> FetchAsync(Snapshot? seen, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            if (_current is { } newer && (!ReferenceEquals(newer, seen) || IsTooSoon()))
            {
                return newer.Configuration;
            }

            _lastAttempt = network.GetTimestamp();
            OpenIdConnectConfiguration configuration = await OpenIdConnectConfigurationRetriever.GetAsync(
                $"{Settings.Authority.TrimEnd('/')}/.well-known/openid-configuration",
                new HttpDocumentRetriever(http) { RequireHttps = !new Uri(Settings.Authority).IsLoopback },
                cancellation);
            _current = new Snapshot(configuration, network.GetTimestamp());
            return configuration;
        }
        catch (Exception fault) when (!cancellation.IsCancellationRequested
            && fault is IOException or HttpRequestException or OperationCanceledException or InvalidOperationException)
        {
            return seen?.Configuration ?? throw new TransientFaultException("The token issuer's keys cannot be fetched.", fault);
        }
        finally
        {
            _gate.Release();
        }
    }

    private bool IsTooSoon() => _lastAttempt is { } last && network.GetElapsedTime(last) < MinRefreshInterval;

    private sealed record Snapshot(OpenIdConnectConfiguration Configuration, long FetchedAt);
}
