using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Flex.Functions.Tests.Simulation;

/// <summary>A thousand worlds, each with its own people and its own misfortune, keep every invariant.</summary>
public abstract class SimulationRun
{
    /// <summary>Set to replay one seed: <c>FLEX_SEED=123</c>.</summary>
    private static readonly string? Only = Environment.GetEnvironmentVariable("FLEX_SEED");

    /// <summary>So many failed worlds tell enough; a broken rule breaks them all.</summary>
    private const int MaxFailures = 5;

    protected static async Task RunAsync(int first, int count)
    {
        var failures = new List<string>();
        foreach (int seed in Only is null ? Enumerable.Range(first, count) : [int.Parse(Only, CultureInfo.InvariantCulture)])
        {
            if (await TryAsync(seed) is { } failure)
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

    /// <summary>Null, or what went wrong and how to see it again.</summary>
    /// <param name="services">Changes the Flex under test.</param>
    internal static async Task<string?> TryAsync(int seed, Action<IServiceCollection>? services = null)
    {
        await using SimulatedOperator house = await SimulatedOperator.OpenAsync(seed, services);
        try
        {
            await PlayAsync(house);
            return null;
        }
        catch (Exception failure)
        {
            // A replay tells the whole story, the run of a thousand the end of it.
            IEnumerable<object> story = Only is null ? house.Log.TakeLast(6) : [.. house.Log, .. house.World.Log.Entries];
            return $"seed {seed} (replay: FLEX_SEED={seed} ./flex test), {house.World.Now}, after {house.Crashes} crashes: {failure}{Environment.NewLine}"
                + string.Join(Environment.NewLine, story);
        }
    }

    internal static async Task PlayAsync(SimulatedOperator house)
    {
        var watch = new Watch(house);
        house.Disturbances.IsOn = true;
        await new Story(house).PlayAsync(watch.LookAsync);
        await watch.ComeToRestAsync();
    }
}

public sealed class SimulationFirstQuarterTests : SimulationRun
{
    [Fact]
    public Task Two_hundred_and_fifty_worlds_keep_every_invariant() => RunAsync(0, 250);
}

public sealed class SimulationSecondQuarterTests : SimulationRun
{
    [Fact]
    public Task Two_hundred_and_fifty_worlds_keep_every_invariant() => RunAsync(250, 250);
}

public sealed class SimulationThirdQuarterTests : SimulationRun
{
    [Fact]
    public Task Two_hundred_and_fifty_worlds_keep_every_invariant() => RunAsync(500, 250);
}

public sealed class SimulationFourthQuarterTests : SimulationRun
{
    [Fact]
    public Task Two_hundred_and_fifty_worlds_keep_every_invariant() => RunAsync(750, 250);
}
