using System.Security.Cryptography;
using System.Text;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Simulation;

/// <summary>A thousand worlds, each with its own people and its own misfortune, keep every invariant.</summary>
public abstract class SimulationRun
{
    /// <summary>Set to replay one seed: <c>FLEX_SEED=123</c>.</summary>
    private static readonly string? Only = Environment.GetEnvironmentVariable("FLEX_SEED");

    protected static async Task RunAsync(int first, int count)
    {
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        string[] range = (Only ?? $"{first}:{count}").Split(':');
        int from = int.Parse(range[0], System.Globalization.CultureInfo.InvariantCulture);
        IEnumerable<int> seeds = Enumerable.Range(from, range.Length == 1 ? 1 : int.Parse(range[1], System.Globalization.CultureInfo.InvariantCulture));
        var failures = new List<string>();
        foreach (int each in seeds)
        {
            if (await TryAsync(each) is { } failure)
            {
                failures.Add(failure);
            }

            if (failures.Count == 12)
            {
                break;
            }
        }

        Console.WriteLine($"{System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalMilliseconds:F0} ms");
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine + Environment.NewLine, failures));
    }

    /// <summary>Null, or what went wrong and how to see it again.</summary>
    internal static async Task<string?> TryAsync(int seed)
    {
        await using SimulatedOperator house = await SimulatedOperator.OpenAsync(seed);
        try
        {
            await PlayAsync(house);
            return null;
        }
        catch (Exception failure)
        {
            IEnumerable<string> last = Only is null || Only.Contains(':') ? house.Log.TakeLast(6) : house.Log;
            string log = Only is null || Only.Contains(':') ? string.Empty : Environment.NewLine + string.Join(Environment.NewLine, house.World.Log.Entries);
            return $"seed {seed} (replay: FLEX_SEED={seed} ./flex test) after {house.Crashes} crashes, {house.World.Now}: {failure}{Environment.NewLine}"
                + string.Join(Environment.NewLine, last) + log;
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

public sealed class SimulationItselfTests
{
    [Fact]
    public async Task The_same_seed_gives_the_same_world_to_the_last_row()
    {
        Assert.Equal(await DigestAsync(4711), await DigestAsync(4711));
        Assert.NotEqual(await DigestAsync(4711), await DigestAsync(4712));
    }

    private static async Task<string> DigestAsync(int seed)
    {
        await using SimulatedOperator house = await SimulatedOperator.OpenAsync(seed);
        await SimulationRun.PlayAsync(house);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string table in await house.World.Tables.TablesAsync(CancellationToken.None))
        {
            await foreach (TableRow row in house.World.Tables.ScanAsync(table, CancellationToken.None))
            {
                hash.AppendData(Encoding.UTF8.GetBytes($"{table}|{row.Partition}|{row.Key}|{row.ETag}|{row.Data}\n"));
            }
        }

        hash.AppendData(Encoding.UTF8.GetBytes(house.World.Stripe.Snapshot()));
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
