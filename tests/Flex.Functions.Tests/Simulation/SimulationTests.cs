using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Simulation;

/// <summary>A thousand worlds, each with its own people and its own misfortune, keep every invariant.</summary>
public abstract class SimulationRun
{
    /// <summary>Set to replay one seed: <c>FLEX_SEED=123</c>.</summary>
    private static readonly string? Only = Environment.GetEnvironmentVariable("FLEX_SEED");

    /// <summary>So many failed worlds tell enough; a broken rule breaks them all.</summary>
    private const int MaxFailures = 5;

    /// <summary>A world takes seconds on a busy machine; one in which two wait for each other would take for ever.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <param name="tryAsync">Plays a seed; null, or what went wrong.</param>
    protected static async Task RunAsync(int first, int count, Func<int, Task<string?>> tryAsync)
    {
        var failures = new List<string>();
        foreach (int seed in Only is null ? Enumerable.Range(first, count) : [int.Parse(Only, CultureInfo.InvariantCulture)])
        {
            if (await tryAsync(seed) is { } failure)
            {
                failures.Add(failure);
            }

            if (failures.Count == MaxFailures)
            {
                break;
            }
        }

        Assert.True(failures.Count == 0, string.Join(Environment.NewLine + Environment.NewLine, failures));
    }

    /// <summary>A world of renewals. Null, or what went wrong and how to see it again.</summary>
    /// <param name="services">Changes the Flex under test.</param>
    internal static async Task<string?> TryAsync(int seed, Action<IServiceCollection>? services = null)
    {
        await using SimulatedOperator house = await SimulatedOperator.OpenAsync(seed, services);
        return await TryAsync(house, PlayAsync);
    }

    /// <summary>As <see cref="TryAsync(int, Action{IServiceCollection})"/>, of bookings.</summary>
    internal static async Task<string?> TryBookingsAsync(int seed, Action<IServiceCollection>? services = null)
    {
        BookedHouses houses = await BookedHouses.OfAsync(seed);
        await using SimulatedOperator house = await houses.OpenAsync(seed, services);
        return await TryAsync(house, h => PlayAsync(h, houses));
    }

    internal static Task PlayAsync(SimulatedOperator house) => PlayAsync(house, new Story(house).PlayAsync, Duration.FromDays(7));

    internal static Task PlayAsync(SimulatedOperator house, BookedHouses houses) =>
        PlayAsync(house, new BookingStory(house, houses).PlayAsync, Duration.FromDays(2));

    private static async Task PlayAsync(SimulatedOperator house, Func<Func<Task>, Task> story, Duration rest)
    {
        var watch = new Watch(house);
        house.Disturbances.IsOn = true;
        await story(watch.LookAsync);
        await watch.ComeToRestAsync(rest);
    }

    private static async Task<string?> TryAsync(SimulatedOperator house, Func<SimulatedOperator, Task> play)
    {
        try
        {
            await play(house).WaitAsync(Patience);
            return null;
        }
        catch (Exception failure)
        {
            // A replay tells the whole story, the run of a thousand the end of it.
            IEnumerable<object> story = Only is null ? house.Log.TakeLast(6) : [.. house.Log, .. house.World.Log.Entries];
            return $"seed {house.Seed} (replay: FLEX_SEED={house.Seed} ./flex test), {house.World.Now}, after {house.Crashes} crashes: {failure}{Environment.NewLine}"
                + string.Join(Environment.NewLine, story);
        }
    }
}

public sealed class SimulationFirstQuarterTests : SimulationRun
{
    [Fact]
    public Task Two_hundred_and_fifty_worlds_keep_every_invariant() => RunAsync(0, 250, seed => TryAsync(seed));
}

public sealed class SimulationSecondQuarterTests : SimulationRun
{
    [Fact]
    public Task Two_hundred_and_fifty_worlds_keep_every_invariant() => RunAsync(250, 250, seed => TryAsync(seed));
}

public sealed class SimulationThirdQuarterTests : SimulationRun
{
    [Fact]
    public Task Two_hundred_and_fifty_worlds_keep_every_invariant() => RunAsync(500, 250, seed => TryAsync(seed));
}

public sealed class SimulationFourthQuarterTests : SimulationRun
{
    [Fact]
    public Task Two_hundred_and_fifty_worlds_keep_every_invariant() => RunAsync(750, 250, seed => TryAsync(seed));
}

public sealed class BookingSimulationFirstHalfTests : SimulationRun
{
    [Fact]
    public Task A_hundred_worlds_of_bookings_keep_every_invariant() => RunAsync(0, 100, seed => TryBookingsAsync(seed));
}

public sealed class BookingSimulationSecondHalfTests : SimulationRun
{
    [Fact]
    public Task A_hundred_worlds_of_bookings_keep_every_invariant() => RunAsync(100, 100, seed => TryBookingsAsync(seed));
}
