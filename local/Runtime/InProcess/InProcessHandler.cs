using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Flex.Local.Runtime.InProcess;

/// <summary>
/// Answers HTTP requests by calling the application in the same process: no sockets, and no threads but the caller's as
/// long as the application itself does not leave it. Bodies are buffered.
/// </summary>
/// <param name="app">What Kestrel would call.</param>
/// <param name="maxBodyBytes">Reading a longer request body fails with 413, as under Kestrel.</param>
public sealed class InProcessHandler(RequestDelegate app, long maxBodyBytes) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        byte[] body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var response = new InProcessResponse();
        DefaultHttpContext http = CreateContext(request, body, response, cancellationToken);
        await app(http);
        await response.CompleteAsync();
        return ToMessage(request, response);
    }

    private DefaultHttpContext CreateContext(HttpRequestMessage request, byte[] body, InProcessResponse response, CancellationToken cancellation)
    {
        var lifetime = new InProcessLifetime(response, cancellation);
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        features.Set<IHttpResponseFeature>(response);
        features.Set<IHttpResponseBodyFeature>(response);
        features.Set<IHttpRequestLifetimeFeature>(lifetime);
        features.Set<IHttpRequestBodyDetectionFeature>(new BodyDetection(body.Length > 0));
        features.Set<IHttpConnectionFeature>(new HttpConnectionFeature { RemoteIpAddress = IPAddress.Loopback, LocalIpAddress = IPAddress.Loopback });
        var http = new DefaultHttpContext(features);
        Uri uri = request.RequestUri!;
        http.Request.Protocol = "HTTP/1.1";
        http.Request.Method = request.Method.Method;
        http.Request.Scheme = uri.Scheme;
        http.Request.Host = HostString.FromUriComponent(uri);
        http.Request.Path = PathString.FromUriComponent(uri);
        http.Request.QueryString = QueryString.FromUriComponent(uri);
        foreach ((string name, IEnumerable<string> values) in request.Headers)
        {
            // A header that HttpClient splits into a list (User-Agent) is one line on the wire.
            http.Request.Headers[name] = name == "User-Agent" ? string.Join(' ', values) : new StringValues([.. values]);
        }

        if (request.Content is { } content)
        {
            _ = content.Headers.ContentLength;
            foreach ((string name, IEnumerable<string> values) in content.Headers)
            {
                http.Request.Headers[name] = new StringValues([.. values]);
            }

            http.Request.ContentLength = body.Length;
        }

        http.Request.Body = body.Length > maxBodyBytes ? new TooLongBody() : new MemoryStream(body, writable: false);
        return http;
    }

    private static HttpResponseMessage ToMessage(HttpRequestMessage request, InProcessResponse response)
    {
        var message = new HttpResponseMessage((HttpStatusCode)response.StatusCode)
        {
            RequestMessage = request,
            ReasonPhrase = response.ReasonPhrase,
            Content = new ByteArrayContent(response.Written()),
        };
        foreach ((string name, StringValues values) in response.Headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
            {
                message.Content.Headers.Remove(name);
                message.Content.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        return message;
    }

    private sealed record BodyDetection(bool CanHaveBody) : IHttpRequestBodyDetectionFeature;

    private sealed class InProcessLifetime(InProcessResponse response, CancellationToken cancellation) : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; } = cancellation;

        public void Abort() => response.Abort();
    }

    /// <summary>Stands for a body over the limit: nothing of it can be read.</summary>
    private sealed class TooLongBody : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) =>
            throw new BadHttpRequestException("Request body too large.", StatusCodes.Status413PayloadTooLarge);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
