using System.Threading.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Polly.CircuitBreaker;
using Polly.RateLimiting;
using Polly.Retry;
using Polly.Timeout;

namespace Flex.Platform.Resilience;

/// <summary>Bounds of one outgoing HTTP client. The defaults suit a provider that answers within seconds.</summary>
public sealed record OutgoingLimits
{
    /// <summary>Calls under way at once; more wait in <see cref="Queue"/>.</summary>
    public int Concurrency { get; init; } = 16;

    /// <summary>Calls that may wait; beyond them a call fails at once, which is a <see cref="TransientFaultException"/> for callers.</summary>
    public int Queue { get; init; } = 64;

    /// <summary>For one attempt, from request to the last byte of the headers.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For the whole call with its retries: stays below the minute a queue's lock lasts.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Repeats of calls that are safe to repeat.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>First wait between attempts; doubles, with jitter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long the circuit stays open after half of at least ten calls within half a minute failed.</summary>
    public TimeSpan BreakDuration { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>Every outgoing HTTP client of the app is made here.</summary>
public static class FlexHttpClients
{
    /// <summary>The header by which a provider recognises a repeat (Stripe).</summary>
    public const string IdempotencyKeyHeader = "Idempotency-Key";

    /// <summary>A provider that moves to other addresses is followed within this time.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A named client with, outside in: total timeout, limit on concurrency, retry with jitter of what is safe to repeat
    /// (GET and HEAD, or a call with an Idempotency-Key), circuit breaker, attempt timeout. All waits are on the network clock.
    /// </summary>
    public static IHttpClientBuilder AddFlexHttpClient(
        this IServiceCollection services, string name, OutgoingLimits? limits = null, Action<HttpClient>? configure = null)
    {
        OutgoingLimits bounds = limits ?? new OutgoingLimits();
        services.AddNetworkTime();
        IHttpClientBuilder builder = services.AddHttpClient(name, client =>
        {
            // The pipeline below is the timeout; the client's own would end calls that only wait for their turn.
            client.Timeout = Timeout.InfiniteTimeSpan;
            configure?.Invoke(client);
        });

        // Gateways keep their client for the life of the process, so connections are renewed here instead of handlers by the factory.
        builder.SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        builder.UseSocketsHttpHandler((handler, _) => handler.PooledConnectionLifetime = ConnectionLifetime);
        builder.AddResilienceHandler(name, (pipeline, context) =>
            Configure(pipeline, bounds, context.ServiceProvider.GetRequiredKeyedService<TimeProvider>(NetworkTime.Key)));
        return builder;
    }

    /// <summary>
    /// True for faults of the wire, after which no answer is known: a caller translates them to <see cref="TransientFaultException"/>
    /// or, when the call may have had an effect, to an unknown outcome.
    /// </summary>
    public static bool IsNetworkFault(Exception fault) =>
        fault is HttpRequestException or TimeoutRejectedException or BrokenCircuitException or RateLimiterRejectedException or IOException;

    /// <summary>True when the call certainly never left this process, so that nothing can have happened at the provider.</summary>
    public static bool IsNotSent(Exception fault) => fault is BrokenCircuitException or RateLimiterRejectedException;

    internal static void Configure(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, OutgoingLimits limits, TimeProvider network)
    {
        pipeline.TimeProvider = network;
        pipeline.AddTimeout(limits.TotalTimeout);
        pipeline.AddConcurrencyLimiter(new ConcurrencyLimiterOptions
        {
            PermitLimit = limits.Concurrency,
            QueueLimit = limits.Queue,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
        if (limits.Retries > 0)
        {
            pipeline.AddRetry(new HttpRetryStrategyOptions
            {
                MaxRetryAttempts = limits.Retries,
                Delay = limits.RetryDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldRetryAfterHeader = true,
                ShouldHandle = static arguments => ValueTask.FromResult(
                    HttpClientResiliencePredicates.IsTransient(arguments.Outcome) && IsSafeToRepeat(arguments)),
            });
        }

        pipeline.AddCircuitBreaker(new HttpCircuitBreakerStrategyOptions
        {
            FailureRatio = 0.5,
            MinimumThroughput = 10,
            SamplingDuration = TimeSpan.FromSeconds(30),
            BreakDuration = limits.BreakDuration,
        });
        pipeline.AddTimeout(limits.AttemptTimeout);
    }

    private static bool IsSafeToRepeat(RetryPredicateArguments<HttpResponseMessage> arguments)
    {
        HttpRequestMessage? request = arguments.Context.GetRequestMessage();
        return request is not null
            && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head || request.Headers.Contains(IdempotencyKeyHeader));
    }
}
