using Flex.Kernel;
using Flex.Local.Runtime.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Scheduling;

public sealed class SchedulerTests
{
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 1, 0, 0);

    private readonly List<string> _ran = [];
    private readonly SimulatedClock _clock = new(Start);

    [Fact]
    public async Task Advancing_runs_the_work_of_all_sources_in_order_of_due_time_at_its_own_instant()
    {
        await using Scheduler scheduler = Simulated(out FakeSource a, out FakeSource b);
        a.At(Start + Duration.FromHours(3), Log("a3"));
        b.At(Start + Duration.FromHours(1), Log("b1"));
        a.At(Start + Duration.FromHours(2), Log("a2"));
        b.At(Start + Duration.FromHours(9), Log("b9"));

        await scheduler.AdvanceToAsync(Start + Duration.FromHours(5), TestContext.Current.CancellationToken);

        Assert.Equal(["b1@01:00", "a2@02:00", "a3@03:00"], _ran);
        Assert.Equal(Start + Duration.FromHours(5), scheduler.Now);
    }

    [Fact]
    public async Task Ties_go_by_the_order_of_the_sources_then_by_the_sources_own_order()
    {
        await using Scheduler scheduler = Simulated(out FakeSource a, out FakeSource b);
        b.At(Start, Log("b"));
        a.At(Start, Log("a1"));
        a.At(Start, Log("a2"));

        await scheduler.RunUntilIdleAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["a1@00:00", "a2@00:00", "b@00:00"], _ran);
    }

    [Fact]
    public async Task Work_that_makes_work_due_earlier_than_the_target_is_run_before_the_clock_goes_on()
    {
        await using Scheduler scheduler = Simulated(out FakeSource a, out FakeSource b);
        a.At(Start + Duration.FromHours(1), _ =>
        {
            b.At(_clock.Now, Log("at once"));
            b.At(_clock.Now + Duration.FromMinutes(30), Log("later"));
            return Task.CompletedTask;
        });
        a.At(Start + Duration.FromHours(2), Log("last"));

        await scheduler.AdvanceToAsync(Start + Duration.FromHours(2), TestContext.Current.CancellationToken);

        Assert.Equal(["at once@01:00", "later@01:30", "last@02:00"], _ran);
    }

    [Fact]
    public async Task The_same_shuffle_seed_gives_the_same_order_and_another_seed_another_one()
    {
        async Task<string> OrderAsync(int seed)
        {
            _ran.Clear();
            await using Scheduler scheduler = Simulated(out FakeSource a, out FakeSource b, new SchedulerOptions { TieShuffleSeed = seed });
            foreach (int n in Enumerable.Range(0, 10))
            {
                a.At(_clock.Now, Log($"a{n}"));
                b.At(_clock.Now, Log($"b{n}"));
            }

            await scheduler.RunUntilIdleAsync(TestContext.Current.CancellationToken);
            return string.Join(' ', _ran);
        }

        string first = await OrderAsync(7);
        string again = await OrderAsync(7);
        string other = await OrderAsync(8);

        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
    }

    [Fact]
    public async Task Work_without_end_at_one_instant_is_reported_as_a_defect()
    {
        await using Scheduler scheduler = Simulated(out FakeSource a, out _, new SchedulerOptions { MaxUnitsPerInstant = 100 });
        void Again() => a.At(Start, _ =>
        {
            Again();
            return Task.CompletedTask;
        });
        Again();

        DefectException defect = await Assert.ThrowsAsync<DefectException>(() => scheduler.RunUntilIdleAsync(TestContext.Current.CancellationToken));

        Assert.Contains("no end", defect.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_does_not_go_back_and_a_real_clock_cannot_be_moved()
    {
        await using Scheduler scheduler = Simulated(out _, out _);
        await using var real = new Scheduler(TimeProvider.System, new SchedulerOptions(), NullLogger<Scheduler>.Instance);

        await Assert.ThrowsAsync<InvalidOperationException>(() => scheduler.AdvanceToAsync(Start - Duration.Epsilon, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<InvalidOperationException>(() => real.AdvanceToAsync(Start + Duration.FromDays(20000), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Every_instant_is_told_before_work_runs_at_it()
    {
        await using Scheduler scheduler = Simulated(out FakeSource a, out _, new SchedulerOptions { ClockMoves = i => _ran.Add($"moves {i:HH:mm}") });
        a.At(Start + Duration.FromHours(1), Log("a"));

        await scheduler.AdvanceToAsync(Start + Duration.FromHours(2), TestContext.Current.CancellationToken);

        Assert.Equal(["moves 01:00", "a@01:00", "moves 02:00"], _ran);
    }

    [Fact]
    public async Task The_background_loop_runs_work_that_falls_due_without_the_clock_being_moved()
    {
        await using Scheduler scheduler = Simulated(out FakeSource a, out _);
        a.Signal = scheduler;
        scheduler.Start();
        var done = new TaskCompletionSource();

        a.At(Start, _ =>
        {
            done.SetResult();
            return Task.CompletedTask;
        });

        await done.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task On_real_time_work_waits_for_its_instant_and_runs_concurrently_up_to_the_limit()
    {
        var time = new FakeTimeProvider(Start.ToDateTimeOffset());
        var scheduler = new Scheduler(time, new SchedulerOptions { RealTimeConcurrency = 2 }, NullLogger<Scheduler>.Instance);
        var source = new FakeSource("a") { Signal = scheduler };
        scheduler.Add(source);
        int running = 0;
        int most = 0;
        using var all = new CountdownEvent(4);
        var twoRun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (int _ in Enumerable.Range(0, 4))
        {
            source.At(Start + Duration.FromSeconds(5), async _ =>
            {
                lock (_ran)
                {
                    most = Math.Max(most, ++running);
                    if (running == 2)
                    {
                        twoRun.TrySetResult();
                    }
                }

                await release.Task;
                lock (_ran)
                {
                    running--;
                }

                all.Signal();
            });
        }

        scheduler.Start();
        Assert.Equal(0, most);
        time.Advance(TimeSpan.FromSeconds(6));
        scheduler.Changed();
        await twoRun.Task.WaitAsync(TestContext.Current.CancellationToken);
        release.SetResult();
        all.Wait(TestContext.Current.CancellationToken);
        await scheduler.DisposeAsync();

        Assert.Equal(2, most);
    }

    [Fact]
    public async Task Timers_of_the_simulated_clock_fire_when_it_is_moved_past_them()
    {
        await using Scheduler scheduler = Simulated(out _, out _);
        var fired = new List<Instant>();
        await using ITimer periodic = _clock.CreateTimer(_ => fired.Add(_clock.Now), null, TimeSpan.FromHours(1), TimeSpan.FromHours(2));
        await using ITimer disposed = _clock.CreateTimer(_ => fired.Add(Instant.MinValue), null, TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan);
        await disposed.DisposeAsync();
        long before = _clock.GetTimestamp();

        await scheduler.AdvanceToAsync(Start + Duration.FromHours(4), TestContext.Current.CancellationToken);

        Assert.Equal([Start + Duration.FromHours(1), Start + Duration.FromHours(3)], fired);
        Assert.Equal(TimeSpan.FromHours(4), _clock.GetElapsedTime(before));
    }

    private Scheduler Simulated(out FakeSource a, out FakeSource b, SchedulerOptions? options = null)
    {
        var scheduler = new Scheduler(_clock, options ?? new SchedulerOptions(), NullLogger<Scheduler>.Instance);
        scheduler.Add(a = new FakeSource("a"));
        scheduler.Add(b = new FakeSource("b"));
        return scheduler;
    }

    private Func<CancellationToken, Task> Log(string what) => _ =>
    {
        _ran.Add($"{what}@{_clock.Now:HH:mm}");
        return Task.CompletedTask;
    };
}
