using System.Collections.Concurrent;
using System.Diagnostics;

namespace Flex.Benchmarks;

/// <summary>What a load has achieved. Latencies in milliseconds, of everything that was answered.</summary>
internal sealed record LoadResult(int Done, int Failed, double Seconds, IReadOnlyCollection<double> Latencies)
{
    public static LoadResult Nothing { get; } = new(0, 0, 0, []);

    public double PerSecond => Done / Seconds;

    public static LoadResult operator +(LoadResult one, LoadResult other) =>
        new(one.Done + other.Done, one.Failed + other.Failed, one.Seconds + other.Seconds, [.. one.Latencies, .. other.Latencies]);
}

/// <summary>Clients that each send their next request when the last one is answered.</summary>
internal static class ClosedLoop
{
    /// <param name="action">One request of a client, numbered from 0 per client. True: done; false: failed; null: there is nothing left to do.</param>
    public static async Task<LoadResult> RunAsync(int clients, TimeSpan duration, Func<int, int, Task<bool?>> action)
    {
        int done = 0;
        int failed = 0;
        var latencies = new ConcurrentBag<double>();
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(() => LoopAsync(client))));
        return new LoadResult(done, failed, clock.Elapsed.TotalSeconds, latencies);

        async Task LoopAsync(int client)
        {
            for (int number = 0; clock.Elapsed < duration; number++)
            {
                TimeSpan began = clock.Elapsed;
                if (await action(client, number) is not { } succeeded)
                {
                    return;
                }

                latencies.Add((clock.Elapsed - began).TotalMilliseconds);
                _ = succeeded ? Interlocked.Increment(ref done) : Interlocked.Increment(ref failed);
            }
        }
    }
}
