namespace Flex.Local.Simulators.Salto;

/// <summary>A request to the simulated Salto KS, whatever carried it.</summary>
/// <param name="Path">Below the simulator's root: <c>/identity/connect/token</c> or <c>/api/v1.2/sites/…</c>.</param>
/// <param name="Authorization">The header's value.</param>
public sealed record SaltoRequest(
    string Method,
    string Path,
    IReadOnlyDictionary<string, string> Query,
    string? Authorization,
    string Body);

/// <summary>The answer; <see cref="Lost"/> stands for a connection that broke before the answer arrived.</summary>
public sealed record SaltoResponse(int Status, string? Body, string ContentType = "application/json", int? RetryAfterSeconds = null)
{
    /// <summary>How long the answer is under way, in real time.</summary>
    public TimeSpan Latency { get; init; }

    public static SaltoResponse Lost { get; } = new(0, null);

    public bool IsLost => Status == 0;
}

/// <summary>What goes wrong with one request.</summary>
public enum SaltoFaultKind
{
    /// <summary>429 with Retry-After; nothing happened.</summary>
    TooManyRequests,

    /// <summary>An error status, 503 unless another is given; nothing happened.</summary>
    ServerError,

    /// <summary>It happened, but the answer is a 500.</summary>
    ServerErrorAfterEffect,

    /// <summary>The connection breaks before the request arrives.</summary>
    LostRequest,

    /// <summary>It happened, but the connection breaks before the answer arrives.</summary>
    LostAnswer,

    /// <summary>Nothing happened, yet the answer is 200 with a body that carries a non-zero <c>ErrorCode</c>.</summary>
    ErrorCodeInSuccess,

    /// <summary>The bearer token is not accepted any more.</summary>
    TokenRejected,

    /// <summary>All is well, but it takes a while.</summary>
    Slow,
}

/// <param name="Status">For <see cref="SaltoFaultKind.ServerError"/>.</param>
/// <param name="Latency">For <see cref="SaltoFaultKind.Slow"/>; real time.</param>
public sealed record SaltoFault(SaltoFaultKind Kind, int? Status = null, TimeSpan Latency = default);

/// <summary>Decides per request what goes wrong. Called once per request, serially.</summary>
public interface ISaltoFaults
{
    SaltoFault? Next(SaltoRequest request);
}

/// <summary>Faults to come, in order: the first entry that matches a request is used up by it.</summary>
public sealed class SaltoFaultQueue : ISaltoFaults
{
    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];

    /// <param name="method">Null matches every method.</param>
    /// <param name="pathContains">Null matches every path.</param>
    /// <param name="skip">Lets so many matching requests through first.</param>
    public SaltoFaultQueue Add(SaltoFaultKind kind, string? method = null, string? pathContains = null, int times = 1, int skip = 0)
    {
        lock (_gate)
        {
            _entries.Add(new Entry(kind, method, pathContains) { Times = times, Skip = skip });
        }

        return this;
    }

    public void Clear()
    {
        lock (_gate)
        {
            _entries.Clear();
        }
    }

    public SaltoFault? Next(SaltoRequest request)
    {
        lock (_gate)
        {
            Entry? entry = _entries.Find(e => e.Matches(request));
            if (entry is null)
            {
                return null;
            }

            if (entry.Skip > 0)
            {
                entry.Skip--;
                return null;
            }

            if (--entry.Times == 0)
            {
                _entries.Remove(entry);
            }

            return new SaltoFault(entry.Kind);
        }
    }

    private sealed record Entry(SaltoFaultKind Kind, string? Method, string? PathContains)
    {
        public int Times { get; set; }

        public int Skip { get; set; }

        public bool Matches(SaltoRequest request) =>
            (Method is null || string.Equals(Method, request.Method, StringComparison.OrdinalIgnoreCase))
            && (PathContains is null || request.Path.Contains(PathContains, StringComparison.Ordinal));
    }
}
