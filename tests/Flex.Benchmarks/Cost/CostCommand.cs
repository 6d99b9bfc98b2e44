using Flex.Local.Cli;

namespace Flex.Benchmarks.Cost;

/// <summary><c>./flex cost</c>: prints the page about what Azure takes, or writes it.</summary>
internal static class CostCommand
{
    public const string Name = "cost";

    private static readonly IReadOnlyList<CommandOption> Options = [new("write", null, $"Writes {CostDocument.File} instead of printing it.")];

    public static async Task<int> RunAsync(string[] args, CancellationToken cancellation)
    {
        if (args.Any(a => a is "--help" or "-h"))
        {
            Console.WriteLine("Usage: ./flex cost [OPTIONS]");
            Console.WriteLine();
            Console.WriteLine("Counts what members' actions ask for and computes what Azure takes for it a month.");
            Console.WriteLine();
            foreach (CommandOption option in Options)
            {
                Console.WriteLine($"  {"--" + option.Name,-24} {option.Help}");
            }

            return 0;
        }

        CommandArguments arguments = CommandArguments.Parse(Options, args);
        string root = Environment.GetEnvironmentVariable("FLEX_ROOT") ?? Directory.GetCurrentDirectory();
        Prices prices = Prices.Parse(await File.ReadAllTextAsync(Path.Combine(root, Prices.File), cancellation));
        string page = CostDocument.Render(await WorkBench.RunAsync(cancellation), prices);
        if (arguments.Has("write"))
        {
            await File.WriteAllTextAsync(Path.Combine(root, CostDocument.File), page, cancellation);
        }
        else
        {
            Console.Write(page);
        }

        return 0;
    }
}
