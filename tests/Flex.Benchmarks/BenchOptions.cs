using System.Globalization;
using Flex.Local.Cli;

namespace Flex.Benchmarks;

/// <summary>What is measured and how long.</summary>
internal sealed record BenchOptions(string? Only, bool Quick, IReadOnlyList<int> Memberships)
{
    public static readonly string[] Areas = ["bookings", "webhooks", "startup", "month", "calls"];

    public static IReadOnlyList<CommandOption> Described { get; } =
    [
        new("only", "NAME", $"Measures one area: {string.Join(", ", Areas)}."),
        new("quick", null, "Takes seconds instead of minutes, and is less exact."),
        new("memberships", "N,N,…", "Sizes of the simulated months, ascending. Default 1000,10000; --quick 200,1000."),
    ];

    /// <summary>How long each load lasts.</summary>
    public TimeSpan LoadTime => TimeSpan.FromSeconds(Quick ? 0.7 : 4);

    public IReadOnlyList<int> Clients => Quick ? [1, 8] : [1, 8, 32];

    public static BenchOptions Parse(string[] args)
    {
        CommandArguments arguments = CommandArguments.Parse(Described, args);
        bool quick = arguments.Has("quick");
        string? only = arguments.Text("only");
        return only is not null && !Areas.Contains(only)
            ? throw new CommandArgumentException($"--only is one of {string.Join(", ", Areas)}.")
            : new BenchOptions(only, quick, arguments.Text("memberships") is { } sizes ? Sizes(sizes) : quick ? [200, 1000] : [1000, 10_000]);
    }

    public bool Wants(string area) => Only is null || Only == area;

    private static int[] Sizes(string text)
    {
        var sizes = new List<int>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            bool isSize = int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size is >= 1 and <= 1_000_000;
            if (!isSize || (sizes.Count > 0 && size <= sizes[^1]))
            {
                throw new CommandArgumentException("--memberships is a list of ascending numbers from 1 to 1000000, e.g. 1000,10000,100000.");
            }

            sizes.Add(size);
        }

        return [.. sizes];
    }
}
