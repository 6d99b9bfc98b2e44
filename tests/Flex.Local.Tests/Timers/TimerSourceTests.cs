using Flex.Local.Runtime.Functions;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Runtime.Storage;
using Flex.Local.Runtime.Timers;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Timers;

public static class SampleTimers
{
    [Function("EveryTenMinutes")]
    public static void Ten([TimerTrigger("0 */10 * * * *")] TimerInfo timer) => GC.KeepAlive(timer);

    [Function("EveryTenSeconds")]
    public static void Seconds([TimerTrigger("*/10 * * * * *")] TimerInfo timer) => GC.KeepAlive(timer);

    [Function("FromSetting")]
    public static void Setting([TimerTrigger("%Sweep__Schedule%")] TimerInfo timer) => GC.KeepAlive(timer);
}

public sealed class TimerSourceTests
{
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 1, 0, 5);
    private readonly MemoryTableStore _tables = new();
    private readonly List<(string Name, Instant At, TimerInfo Info)> _runs = [];
    private Func<Task> _body = () => Task.CompletedTask;

    [Fact]
    public async Task A_monitored_timer_runs_on_its_schedule_and_knows_its_last_and_next_run()
    {
        await using Scheduler scheduler = await StartAsync(Start);

        await scheduler.AdvanceToAsync(Start + Duration.FromMinutes(20), CancellationToken.None);

        (string _, Instant At, TimerInfo Info)[] runs = [.. _runs.Where(r => r.Name == "EveryTenMinutes")];
        Assert.Equal([Instant.FromUtc(2025, 1, 1, 0, 10), Instant.FromUtc(2025, 1, 1, 0, 20)], runs.Select(r => r.At));
        Assert.All(runs, r => Assert.False(r.Info.IsPastDue));
        Assert.Equal(default, runs[0].Info.ScheduleStatus!.Last);
        Assert.Equal(new DateTime(2025, 1, 1, 0, 10, 0, DateTimeKind.Utc), runs[1].Info.ScheduleStatus!.Last);
        Assert.Equal(new DateTime(2025, 1, 1, 0, 20, 0, DateTimeKind.Utc), runs[1].Info.ScheduleStatus!.Next);
    }

    [Fact]
    public async Task After_a_downtime_there_is_one_past_due_run_and_then_the_schedule()
    {
        await using (Scheduler first = await StartAsync(Start))
        {
            await first.AdvanceToAsync(Start + Duration.FromMinutes(7), CancellationToken.None);
        }

        _runs.Clear();
        Instant later = Start + Duration.FromHours(5);
        await using Scheduler second = await StartAsync(later);
        await second.AdvanceToAsync(later + Duration.FromMinutes(5), CancellationToken.None);

        (string _, Instant At, TimerInfo Info)[] runs = [.. _runs.Where(r => r.Name == "EveryTenMinutes")];
        Assert.Equal([later, Instant.FromUtc(2025, 1, 1, 5, 10)], runs.Select(r => r.At));
        Assert.Equal([true, false], runs.Select(r => r.Info.IsPastDue));
    }

    [Fact]
    public async Task A_timer_that_was_never_due_while_the_process_was_down_is_not_past_due()
    {
        await using (Scheduler first = await StartAsync(Start))
        {
            await first.AdvanceToAsync(Start + Duration.FromMinutes(6), CancellationToken.None);
        }

        _runs.Clear();
        Instant later = Start + Duration.FromMinutes(10);
        await using Scheduler second = await StartAsync(later);
        await second.RunUntilIdleAsync(CancellationToken.None);

        Assert.DoesNotContain(_runs, r => r.Name == "EveryTenMinutes");
    }

    [Fact]
    public async Task A_schedule_under_a_minute_has_no_status_and_is_not_made_up_for()
    {
        await using (Scheduler first = await StartAsync(Start))
        {
            await first.AdvanceToAsync(Start + Duration.FromSeconds(20), CancellationToken.None);
        }

        Assert.Equal(2, _runs.Count(r => r.Name == "EveryTenSeconds"));
        Assert.All(_runs, r => Assert.Null(r.Info.ScheduleStatus));
        _runs.Clear();
        await using Scheduler second = await StartAsync(Start + Duration.FromHours(1));
        await second.RunUntilIdleAsync(CancellationToken.None);
        Assert.DoesNotContain(_runs, r => r.Name == "EveryTenSeconds");
    }

    [Fact]
    public async Task A_run_that_takes_long_does_not_overlap_and_what_it_missed_is_left_out()
    {
        var clock = new SimulatedClock(Start);
        TimerSource source = Create(clock);
        await source.LoadAsync(CancellationToken.None);
        clock.MoveTo(Instant.FromUtc(2025, 1, 1, 0, 10));
        var release = new TaskCompletionSource();
        _body = () => release.Task;
        var running = new List<Task>();
        while (source.Schedules["EveryTenMinutes"] is not null)
        {
            running.Add(source.Take(clock.Now)!.Run(CancellationToken.None));
        }

        clock.MoveTo(Instant.FromUtc(2025, 1, 1, 0, 35));
        Assert.Null(source.Schedules["EveryTenMinutes"]);
        release.SetResult();
        await Task.WhenAll(running);

        Assert.Equal(Instant.FromUtc(2025, 1, 1, 0, 40), source.Schedules["EveryTenMinutes"]);
        Assert.Single(_runs, r => r.Name == "EveryTenMinutes");
    }

    [Fact]
    public async Task A_run_that_fails_waits_for_the_next_time()
    {
        _body = () => throw new InvalidOperationException("broken");
        await using Scheduler scheduler = await StartAsync(Start);

        await scheduler.AdvanceToAsync(Start + Duration.FromMinutes(20), CancellationToken.None);

        Assert.Equal(2, _runs.Count(r => r.Name == "EveryTenMinutes"));
    }

    [Theory]
    [InlineData("true", false)]
    [InlineData("false", true)]
    [InlineData("1", true)]
    public void A_function_is_switched_off_as_the_real_host_does_it(string value, bool runs) => Assert.Equal(
        runs,
        Create(new SimulatedClock(Start), (TimerSource.DisabledSetting("EveryTenMinutes"), value)).Schedules.ContainsKey("EveryTenMinutes"));

    [Fact]
    public void A_schedule_comes_from_a_setting_and_a_missing_setting_disables_only_its_function()
    {
        var clock = new SimulatedClock(Start);

        Assert.Equal(["EveryTenMinutes", "EveryTenSeconds"], Create(clock).Schedules.Keys.Order());
        Assert.Contains("FromSetting", Create(clock, ("Sweep:Schedule", "0 0 3 * * *")).Schedules.Keys);
    }

    private async Task<Scheduler> StartAsync(Instant at)
    {
        var clock = new SimulatedClock(at);
        TimerSource source = Create(clock);
        await source.LoadAsync(CancellationToken.None);
        var scheduler = new Scheduler(clock, new SchedulerOptions(), NullLogger<Scheduler>.Instance);
        scheduler.Add(source);
        return scheduler;
    }

    private TimerSource Create(SimulatedClock clock, params (string Key, string Value)[] settings) => new(
        FunctionCatalogue.Of(typeof(SampleTimers)),
        (function, info, _) =>
        {
            _runs.Add((function.Name, clock.Now, info));
            return _body();
        },
        _tables,
        clock,
        new NoSignal(),
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value))).Build(),
        NullLogger<TimerSource>.Instance);

    private sealed class NoSignal : IWorkSignal
    {
        public void Changed()
        {
        }
    }
}
