namespace Flex.Platform.Limits;

/// <summary>Whose bucket it is.</summary>
/// <param name="Scope">What is counted, e.g. a function's name. There are few.</param>
/// <param name="Caller">Who is counted; null is everybody who cannot be told apart. There may be any number, as attackers choose them.</param>
public readonly record struct BucketKey(string Scope, string? Caller);

/// <summary>
/// The buckets of one process. Memory is bounded: only buckets that are not full are worth keeping, and those are at most
/// <paramref name="capacity"/>. While that many are in use, callers without a bucket share one per scope: they are limited
/// together rather than not at all. One lock; what is done under it takes well under a microsecond.
/// </summary>
/// <param name="clock">Monotonic. Read under the lock, so no bucket sees time go back.</param>
public sealed class BucketStore(TimeProvider clock, int capacity)
{
    /// <summary>More than one for every bucket that comes, so that idle ones become fewer.</summary>
    private const int LookedAtPerNewBucket = 2;

    private readonly Lock _lock = new();
    private readonly Dictionary<BucketKey, TokenBucket> _buckets = [];
    private readonly Dictionary<string, TokenBucket> _shared = new(StringComparer.Ordinal);
    private readonly Queue<BucketKey> _turns = new();
    private readonly long _start = clock.GetTimestamp();

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _buckets.Count + _shared.Count;
            }
        }
    }

    /// <summary>Zero when a token was taken, else how long until there is one.</summary>
    public TimeSpan Take(BucketKey key, Rate rate)
    {
        lock (_lock)
        {
            TimeSpan now = clock.GetElapsedTime(_start);
            return key.Caller is not null && HasPlace(key, now)
                ? Take(_buckets, key, now, rate)
                : Take(_shared, key.Scope, now, rate);
        }
    }

    /// <summary>How long until the key's own bucket has a token; zero when it has one or there is no such bucket.</summary>
    public TimeSpan Wait(BucketKey key, Rate rate)
    {
        lock (_lock)
        {
            return _buckets.TryGetValue(key, out TokenBucket bucket) ? bucket.Wait(clock.GetElapsedTime(_start), rate) : TimeSpan.Zero;
        }
    }

    private static TimeSpan Take<TKey>(Dictionary<TKey, TokenBucket> buckets, TKey key, TimeSpan now, Rate rate)
        where TKey : notnull
    {
        (buckets[key], TimeSpan wait) = buckets.GetValueOrDefault(key).Take(now, rate);
        return wait;
    }

    /// <summary>True when the key has a bucket or may have one now.</summary>
    private bool HasPlace(BucketKey key, TimeSpan now)
    {
        if (_buckets.ContainsKey(key))
        {
            return true;
        }

        ForgetSome(now);
        if (_buckets.Count >= capacity)
        {
            return false;
        }

        _turns.Enqueue(key);
        return true;
    }

    /// <summary>Looks at the buckets in turn and forgets those that are full.</summary>
    private void ForgetSome(TimeSpan now)
    {
        for (int i = 0; i < LookedAtPerNewBucket && _turns.TryDequeue(out BucketKey oldest); i++)
        {
            if (_buckets[oldest].IsFull(now))
            {
                _buckets.Remove(oldest);
            }
            else
            {
                _turns.Enqueue(oldest);
            }
        }
    }
}
