using System.Net;
using System.Text;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// The simulator as the transport of an <see cref="HttpClient"/>, without sockets: Stripe.net's <c>SystemNetHttpClient</c>
/// over it behaves as over HTTP. A lost answer is the exception a broken connection gives.
/// </summary>
public sealed class StripeSimulatorHandler(StripeSimulator simulator) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string body = request.Content is null ? string.Empty : await request.Content.ReadAsStringAsync(cancellationToken);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, IEnumerable<string> values) in request.Headers.NonValidated.Select(pair => (pair.Key, pair.Value.AsEnumerable())))
        {
            headers[name] = string.Join(", ", values);
        }

        Uri uri = request.RequestUri ?? throw new InvalidOperationException("A request needs a URI.");
        StripeReply reply = simulator.Handle(new StripeRequest(request.Method.Method, StripeSimulatorModule.PathWithin(uri.AbsolutePath),
            uri.Query.TrimStart('?'), body, headers));
        if (reply.Lost)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "The connection broke before the answer was complete.",
                new IOException("Simulated."));
        }

        var response = new HttpResponseMessage((HttpStatusCode)reply.Status)
        {
            Content = new StringContent(reply.Body, Encoding.UTF8, "application/json"),
            RequestMessage = request,
        };
        foreach ((string name, string value) in reply.Headers)
        {
            response.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }
}
