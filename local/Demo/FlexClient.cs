using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Flex.Local.Demo;

/// <summary>
/// A client that knows nothing but the HTTP API and the <c>/local</c> controls. Every request can be repeated: it carries an
/// idempotency key of the caller's choice, and the connection may break or the service restart in between.
/// </summary>
public sealed class FlexClient(HttpClient http, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    private readonly ConcurrentDictionary<string, string> _tokens = new(StringComparer.Ordinal);

    /// <summary>How long a request is repeated before it is given up. Longer than a restart of the service takes.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(90);

    public Task<JsonObject> GetAsync(string role, string path, CancellationToken cancellation) => OkAsync(role, HttpMethod.Get, path, null, null, null, cancellation);

    /// <summary>A POST that must succeed. <paramref name="key"/> names it across repeats.</summary>
    public Task<JsonObject> PostAsync(string role, string path, JsonNode body, string key, CancellationToken cancellation) =>
        OkAsync(role, HttpMethod.Post, path, body, key, null, cancellation);

    /// <summary>Reads, changes and writes back, until the version that was read is the one that is replaced.</summary>
    public async Task<JsonObject> EditAsync(string role, string path, Action<JsonObject> change, CancellationToken cancellation)
    {
        while (true)
        {
            JsonObject current = await GetAsync(role, path, cancellation);
            string etag = $"\"{(long)current["version"]!}\"";
            current.Remove("version");
            change(current);
            (HttpStatusCode status, JsonObject answer) = await SendAsync(role, HttpMethod.Put, path, current, null, etag, cancellation);
            if (status != HttpStatusCode.PreconditionFailed)
            {
                return Require(status, answer, HttpMethod.Put, path);
            }
        }
    }

    public async Task<JsonObject> OkAsync(
        string role, HttpMethod method, string path, JsonNode? body, string? key, string? ifMatch, CancellationToken cancellation)
    {
        (HttpStatusCode status, JsonObject answer) = await SendAsync(role, method, path, body, key, ifMatch, cancellation);
        return Require(status, answer, method, path);
    }

    /// <summary>The answer whatever its status, once there is one: 429, 503 and broken connections are repeated.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Answer)> SendAsync(
        string role, HttpMethod method, string path, JsonNode? body, string? key, string? ifMatch, CancellationToken cancellation)
    {
        long began = time.GetTimestamp();
        while (true)
        {
            TimeSpan pause = Pause;
            try
            {
                using var request = new HttpRequestMessage(method, path);
                if (role.Length > 0)
                {
                    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(role, cancellation));
                }

                if (body is not null)
                {
                    request.Content = JsonContent.Create(body);
                }

                if (key is not null)
                {
                    request.Headers.Add("Idempotency-Key", key);
                }

                if (ifMatch is not null)
                {
                    request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
                }

                using HttpResponseMessage response = await http.SendAsync(request, cancellation);
                string text = await response.Content.ReadAsStringAsync(cancellation);
                bool again = response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.Unauthorized
                    && time.GetElapsedTime(began) < Patience;
                if (!again)
                {
                    return (response.StatusCode, Parse(text));
                }

                if (response.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    pause = response.Headers.RetryAfter?.Delta ?? Pause;
                }
                else
                {
                    _tokens.TryRemove(role, out _);
                }
            }
            catch (Exception fault) when (fault is HttpRequestException or IOException or TaskCanceledException
                && !cancellation.IsCancellationRequested && time.GetElapsedTime(began) < Patience)
            {
                // The service is restarting; the request is repeated under the same key.
            }

            await Task.Delay(pause, time, cancellation);
        }
    }

    /// <summary>Tokens live for a limited simulated time; a refused one is asked for anew.</summary>
    private async Task<string> TokenAsync(string role, CancellationToken cancellation)
    {
        if (_tokens.TryGetValue(role, out string? token))
        {
            return token;
        }

        JsonObject body = role.StartsWith("mbr_", StringComparison.Ordinal)
            ? new JsonObject { ["role"] = "member", ["memberId"] = role }
            : new JsonObject { ["role"] = role };
        using HttpResponseMessage response = await http.PostAsJsonAsync("/local/token", body, cancellation);
        response.EnsureSuccessStatusCode();
        token = (string)Parse(await response.Content.ReadAsStringAsync(cancellation))["token"]!;
        return _tokens[role] = token;
    }

    private static JsonObject Parse(string text) => text.Length == 0 || JsonNode.Parse(text) is not JsonObject parsed ? [] : parsed;

    private static JsonObject Require(HttpStatusCode status, JsonObject answer, HttpMethod method, string path) =>
        (int)status is >= 200 and < 300
            ? answer
            : throw new DemoFailedException($"{method} {path} answered {(int)status} {answer["code"]}: {answer["detail"]} {answer["errors"]?.ToJsonString()}");
}

/// <summary>Something did not happen as the demo expects. The message says what.</summary>
public sealed class DemoFailedException : Exception
{
    public DemoFailedException()
    {
    }

    public DemoFailedException(string message)
        : base(message)
    {
    }

    public DemoFailedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
