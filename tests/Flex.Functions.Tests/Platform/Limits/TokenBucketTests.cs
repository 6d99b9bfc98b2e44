using CsCheck;
using Flex.Platform.Limits;
using Xunit;

namespace Flex.Functions.Tests.Platform.Limits;

public sealed class TokenBucketTests
{
    /// <summary>A token every ten seconds, three at once.</summary>
    private static readonly Rate Slow = new(6, 3);

    [Fact]
    public void A_new_bucket_is_full_and_gives_its_burst_and_no_more()
    {
        var bucket = default(TokenBucket);

        Assert.True(bucket.IsFull(TimeSpan.Zero));
        Assert.Equal([0, 0, 0, 10, 10], Waits(ref bucket, Slow, 100, 100, 100, 100, 100));
    }

    [Theory]
    [InlineData(109.9999999, 0.0000001)]
    [InlineData(110, 0)]
    public void A_token_is_back_after_exactly_one_interval(double now, double wait)
    {
        var bucket = default(TokenBucket);
        Waits(ref bucket, Slow, 100, 100, 100);

        Assert.Equal([wait], Waits(ref bucket, Slow, now));
    }

    [Fact]
    public void Tokens_come_back_one_by_one_up_to_the_burst()
    {
        var bucket = default(TokenBucket);
        Waits(ref bucket, Slow, 100, 100, 100);

        Assert.Equal([0, 0, 5], Waits(ref bucket, Slow, 125, 125, 125));
        Assert.Equal([0, 0, 0, 10], Waits(ref bucket, Slow, 9_000, 9_000, 9_000, 9_000));
        Assert.False(bucket.IsFull(TimeSpan.FromSeconds(9_029)));
        Assert.True(bucket.IsFull(TimeSpan.FromSeconds(9_030)));
    }

    [Fact]
    public void To_look_takes_nothing_and_a_refused_take_puts_nothing_off()
    {
        var bucket = default(TokenBucket);
        Waits(ref bucket, Slow, 100, 100, 100, 105, 105, 105);

        Assert.Equal(TimeSpan.Zero, bucket.Wait(TimeSpan.FromSeconds(110), Slow));
        Assert.Equal([0], Waits(ref bucket, Slow, 110));
    }

    [Fact]
    public void A_clock_that_goes_back_costs_no_more_than_an_empty_bucket()
    {
        var bucket = default(TokenBucket);
        Waits(ref bucket, Slow, 90_000, 90_000, 90_000);

        Assert.Equal([10, 5, 0, 10], Waits(ref bucket, Slow, 100, 105, 110, 110));
    }

    [Fact]
    public void A_rate_that_does_not_divide_a_minute_is_never_exceeded()
    {
        var rate = new Rate(7, 1);
        var bucket = default(TokenBucket);
        var now = TimeSpan.Zero;
        int taken = 0;
        while (now < TimeSpan.FromHours(1000))
        {
            (bucket, TimeSpan wait) = bucket.Take(now, rate);
            taken += wait == TimeSpan.Zero ? 1 : 0;
            now += wait;
        }

        Assert.Equal(7 * 60 * 1000, taken);
    }

    /// <summary>However calls are spread, any stretch of time lets through at most the burst and what came back meanwhile.</summary>
    [Fact]
    public void No_stretch_of_time_lets_through_more_than_burst_and_rate() =>
        Gen.Select(Gen.Int[1, 1_000], Gen.Int[1, 20], Gen.Long[0, 20 * TimeSpan.TicksPerSecond].Array[1, 60]).Sample((perMinute, burst, gaps) =>
        {
            var rate = new Rate(perMinute, burst);
            var bucket = default(TokenBucket);
            var now = TimeSpan.Zero;
            var taken = new List<TimeSpan>();
            foreach (long gap in gaps)
            {
                now += TimeSpan.FromTicks(gap);
                (bucket, TimeSpan wait) = bucket.Take(now, rate);
                if (wait == TimeSpan.Zero)
                {
                    taken.Add(now);
                }
                else
                {
                    // A refusal is right: one tick before the wait is over there is no token, and then there is.
                    Assert.NotEqual(TimeSpan.Zero, bucket.Wait(now + wait - TimeSpan.FromTicks(1), rate));
                    Assert.Equal(TimeSpan.Zero, bucket.Wait(now + wait, rate));
                }
            }

            for (int from = 0; from < taken.Count; from++)
            {
                for (int to = from; to < taken.Count; to++)
                {
                    long back = (long)((Int128)(taken[to] - taken[from]).Ticks * perMinute / TimeSpan.TicksPerMinute);
                    Assert.True(to - from + 1 <= burst + back, $"{to - from + 1} calls in {taken[to] - taken[from]} at {rate}.");
                }
            }
        });

    /// <summary>One call at each time, in seconds; the waits in seconds, zero for a token.</summary>
    private static double[] Waits(ref TokenBucket bucket, Rate rate, params ReadOnlySpan<double> times)
    {
        var waits = new List<double>();
        foreach (double time in times)
        {
            (bucket, TimeSpan wait) = bucket.Take(TimeSpan.FromTicks((long)Math.Round(time * TimeSpan.TicksPerSecond)), rate);
            waits.Add(wait.TotalSeconds);
        }

        return [.. waits];
    }
}
