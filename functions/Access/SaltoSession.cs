using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Flex.Platform.Resilience;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Access;

/// <summary>
/// What all calls to Salto share: the token, and the turn. Calls go one after the other and not faster than the configured rate.
/// Shared by the process; several instances of the app each keep to the rate on their own.
/// </summary>
/// <param name="time">The business clock: the token's lifetime is measured on it.</param>
/// <param name="network">The clock of waits between calls; real also where business time is simulated.</param>
public sealed class SaltoSession(
    IHttpClientFactory clients,
    SaltoOptions options,
    TimeProvider time,
    [FromKeyedServices(NetworkTime.Key)] TimeProvider network) : IDisposable
{
    public const string HttpClientName = "salto";

    /// <summary>A token is renewed this long before it ends, so that it does not end under way.</summary>
    private static readonly Duration Margin = Duration.FromMinutes(2);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private (string Token, Instant Until)? _token;
    private DateTimeOffset _next = DateTimeOffset.MinValue;

    /// <summary>Sends when it is the request's turn. A request that is refused with 401 is sent once more with a fresh token.</summary>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> request, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            HttpResponseMessage response = await SendOnceAsync(request(), cancellation);
            if (response.StatusCode == System.Net.HttpStatusCode.Unauthorized)
            {
                response.Dispose();
                _token = null;
                response = await SendOnceAsync(request(), cancellation);
            }

            return response;
        }
        catch (Exception broken) when (FlexHttpClients.IsNetworkFault(broken))
        {
            throw new TransientFaultException("Salto did not answer.", broken);
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw new TransientFaultException("Salto did not answer in time.", late);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        using (request)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(cancellation));
            return await PacedAsync(request, cancellation);
        }
    }

    private async Task<string> TokenAsync(CancellationToken cancellation)
    {
        if (_token is { } cached && time.Now() < cached.Until)
        {
            return cached.Token;
        }

        bool asUser = options.Username.Length > 0;
        using var request = new HttpRequestMessage(HttpMethod.Post, options.IdentityUrl.TrimEnd('/') + "/connect/token")
        {
            Content = new FormUrlEncodedContent(
            [
                new("grant_type", asUser ? "password" : "client_credentials"),
                new("scope", "user_api.full_access"),
                .. asUser ? [new("username", options.Username), new("password", options.Password)] : Array.Empty<KeyValuePair<string, string>>(),
            ]),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.ClientId}:{options.ClientSecret}")));
        using HttpResponseMessage response = await PacedAsync(request, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            throw new TransientFaultException(string.Create(CultureInfo.InvariantCulture, $"Salto gave no token: {(int)response.StatusCode}."));
        }

        SaltoWire.Token token = await ReadTokenAsync(response, cancellation);
        _token = (token.AccessToken, time.Now() + Duration.FromSeconds(token.ExpiresIn) - Margin);
        return token.AccessToken;
    }

    private static async Task<SaltoWire.Token> ReadTokenAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            return await response.Content.ReadFromJsonAsync<SaltoWire.Token>(SaltoWire.Options, cancellation)
                is { AccessToken.Length: > 0 } token ? token : throw new TransientFaultException("Salto answered without a token.");
        }
        catch (JsonException broken)
        {
            throw new TransientFaultException("Salto's token answer was not JSON.", broken);
        }
    }

    private async Task<HttpResponseMessage> PacedAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        if (options.MaxRequestsPerSecond > 0)
        {
            TimeSpan wait = _next - network.GetUtcNow();
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, network, cancellation);
            }

            _next = network.GetUtcNow() + TimeSpan.FromSeconds(1 / options.MaxRequestsPerSecond);
        }

        return await clients.CreateClient(HttpClientName).SendAsync(request, cancellation);
    }
}
