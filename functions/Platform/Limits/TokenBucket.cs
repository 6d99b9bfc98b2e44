namespace Flex.Platform.Limits;

/// <summary>How many calls a bucket lets through.</summary>
/// <param name="PerMinute">Tokens that come back in a minute, evenly spread; at least 1.</param>
/// <param name="Burst">Tokens a full bucket holds; at least 1.</param>
public readonly record struct Rate(int PerMinute, int Burst)
{
    /// <summary>After how long one token is back. Rounded up to the tick, so that it is never more than <see cref="PerMinute"/>.</summary>
    public TimeSpan Interval { get; } = TimeSpan.FromTicks((TimeSpan.TicksPerMinute + PerMinute - 1) / PerMinute);

    /// <summary>After how long an empty bucket is full again.</summary>
    public TimeSpan Filling => Interval * Burst;
}

/// <summary>
/// A token bucket, kept as nothing but the time at which it will be full again: every token taken puts that off by one
/// interval. A bucket that is full is like one that was never used and can be forgotten.
/// </summary>
/// <param name="FullAt">On the clock that every <c>now</c> is read from.</param>
public readonly record struct TokenBucket(TimeSpan FullAt)
{
    public bool IsFull(TimeSpan now) => FullAt <= now;

    /// <summary>How long until there is a token; zero when there is one.</summary>
    public TimeSpan Wait(TimeSpan now, Rate rate)
    {
        TimeSpan wait = At(now, rate).FullAt + rate.Interval - rate.Filling - now;
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    /// <summary>Takes a token if there is one.</summary>
    /// <returns>The bucket afterwards, and zero when a token was taken, else how long until there is one.</returns>
    public (TokenBucket Next, TimeSpan Wait) Take(TimeSpan now, Rate rate)
    {
        TimeSpan wait = Wait(now, rate);
        TokenBucket current = At(now, rate);
        return wait > TimeSpan.Zero ? (current, wait) : (new TokenBucket(current.FullAt + rate.Interval), TimeSpan.Zero);
    }

    /// <summary>
    /// Neither more than full nor emptier than empty. The second happens only when a clock went back or the rate is another
    /// one, and then costs at most the time an empty bucket needs.
    /// </summary>
    private TokenBucket At(TimeSpan now, Rate rate) => new(TimeSpan.FromTicks(Math.Clamp(FullAt.Ticks, now.Ticks, (now + rate.Filling).Ticks)));
}
