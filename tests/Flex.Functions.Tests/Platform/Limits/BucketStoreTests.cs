using System.Globalization;
using Flex.Platform.Limits;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flex.Functions.Tests.Platform.Limits;

public sealed class BucketStoreTests
{
    private const string Scope = "Bookings_Create";
    private static readonly Rate Rate = new(60, 2);
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Of_a_million_callers_the_store_remembers_as_many_as_it_may()
    {
        var store = new BucketStore(_clock, CallLimits.MaxCallers);

        for (int i = 0; i < 1_000_000; i++)
        {
            store.Take(new BucketKey(Scope, i.ToString("X16", CultureInfo.InvariantCulture)), Rate);
        }

        Assert.Equal(CallLimits.MaxCallers + 1, store.Count);
    }

    [Fact]
    public void While_the_store_is_full_newcomers_share_one_bucket_and_others_keep_theirs()
    {
        var store = new BucketStore(_clock, 3);
        Assert.All(["a", "b", "c"], caller => Assert.Equal(TimeSpan.Zero, Take(store, caller)));

        bool[] newcomers = [.. new[] { "d", "e", "f", "g" }.Select(caller => Take(store, caller) == TimeSpan.Zero)];

        Assert.Equal([true, true, false, false], newcomers);
        Assert.Equal(TimeSpan.Zero, Take(store, "a"));
        Assert.NotEqual(TimeSpan.Zero, Take(store, "a"));
    }

    [Fact]
    public void Only_buckets_that_are_full_again_are_forgotten()
    {
        var store = new BucketStore(_clock, 3);
        Take(store, "a");
        Take(store, "b");
        Take(store, "b");
        _clock.Advance(TimeSpan.FromSeconds(1));

        Take(store, "c");

        Assert.Equal(2, store.Count);
        Assert.Equal(TimeSpan.Zero, Take(store, "b"));
        Assert.NotEqual(TimeSpan.Zero, Take(store, "b"));
    }

    [Fact]
    public void Callers_who_come_once_and_go_leave_nothing_behind()
    {
        var store = new BucketStore(_clock, 1_000);
        for (int i = 0; i < 900; i++)
        {
            Take(store, $"at once {i}");
        }

        for (int i = 0; i < 10_000; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(TimeSpan.Zero, Take(store, $"{i}"));
        }

        Assert.InRange(store.Count, 1, 3);
    }

    [Fact]
    public void Whoever_is_not_known_shares_a_bucket_for_each_scope()
    {
        var store = new BucketStore(_clock, 3);
        Take(store, null);
        Take(store, null);

        Assert.NotEqual(TimeSpan.Zero, Take(store, null));
        Assert.Equal(TimeSpan.Zero, store.Take(new BucketKey("Bookings_List", null), Rate));
        Assert.Equal(TimeSpan.Zero, store.Wait(new BucketKey(Scope, null), Rate));
    }

    [Fact]
    public async Task Of_many_calls_at_once_exactly_the_burst_passes()
    {
        var store = new BucketStore(_clock, 10);
        using var start = new Barrier(8);

        TimeSpan[][] waits = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                return (TimeSpan[])[.. Enumerable.Range(0, 1_000).Select(_ => store.Take(new BucketKey(Scope, "a"), new Rate(60, 500)))];
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        Assert.Equal(500, waits.SelectMany(w => w).Count(w => w == TimeSpan.Zero));
    }

    private static TimeSpan Take(BucketStore store, string? caller) => store.Take(new BucketKey(Scope, caller), Rate);
}
