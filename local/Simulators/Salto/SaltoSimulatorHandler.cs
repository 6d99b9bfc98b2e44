using System.Net;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Flex.Local.Simulators.Salto;

/// <summary>
/// Lets an <see cref="HttpClient"/> talk to the simulator in process. Whatever comes before <c>/identity/</c> or <c>/api/</c> in
/// the address is ignored, so a client needs no other address than over HTTP.
/// </summary>
public sealed class SaltoSimulatorHandler(SaltoSimulator simulator) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Uri address = request.RequestUri!;
        SaltoResponse response = simulator.Handle(new SaltoRequest(
            request.Method.Method,
            Below(Uri.UnescapeDataString(address.AbsolutePath)),
            QueryHelpers.ParseQuery(address.Query).ToDictionary(p => p.Key, p => p.Value.ToString(), StringComparer.Ordinal),
            request.Headers.Authorization?.ToString(),
            request.Content is null ? string.Empty : await request.Content.ReadAsStringAsync(cancellationToken)));
        if (response.Latency > TimeSpan.Zero)
        {
            await Task.Delay(response.Latency, cancellationToken);
        }

        if (response.IsLost)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "The simulated connection broke.");
        }

        var message = new HttpResponseMessage((HttpStatusCode)response.Status) { RequestMessage = request };
        if (response.Body is not null)
        {
            message.Content = new StringContent(response.Body, Encoding.UTF8, response.ContentType);
        }

        if (response.RetryAfterSeconds is { } seconds)
        {
            message.Headers.RetryAfter = new System.Net.Http.Headers.RetryConditionHeaderValue(TimeSpan.FromSeconds(seconds));
        }

        return message;
    }

    private static string Below(string path)
    {
        int at = path.IndexOf("/identity/", StringComparison.Ordinal);
        return path[(at < 0 ? Math.Max(0, path.IndexOf("/api/", StringComparison.Ordinal)) : at)..];
    }
}
