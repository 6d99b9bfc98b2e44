using System.Runtime.InteropServices;
using Flex.Local.Runtime.Hosting;

namespace Flex.Local.Cli;

/// <summary>All commands of <c>./flex</c>. A new one is one line here.</summary>
public static class CommandTable
{
    /// <summary>Wrong use of the command line; a command that fails answers 1.</summary>
    public const int Usage = 2;

    public static IReadOnlyList<ICommand> Commands { get; } = [new RunCommand(), new DemoCommand(), new VerifyCommand(), new RulesCommand(), new AuditCommand(), new PackCommand()];

    /// <summary>What the script <c>flex</c> does itself, because it needs the SDK.</summary>
    private static readonly (string Name, string Summary)[] OfTheScript =
    [
        ("test", "Runs all tests and closes with the line \"N passed, N failed\"."),
        ("bench", "Measures bookings, webhooks, start-up and simulated months, beside Azurite's own speed."),
        ("cost", "Computes what Azure takes a month, from counts, habits and prices."),
        ("azure", "Checks the infrastructure and builds what is deployed, where the real Azure packages can be restored."),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is [] or ["--help" or "-h" or "help"])
        {
            PrintCommands();
            return args.Length == 0 ? Usage : 0;
        }

        if (Commands.FirstOrDefault(c => c.Name == args[0]) is not { } command)
        {
            return Fail(Usage, $"There is no command '{args[0]}'. ./flex --help lists them.");
        }

        if (args.Skip(1).Any(a => a is "--help" or "-h"))
        {
            PrintHelp(command);
            return 0;
        }

        try
        {
            using var stopping = new CancellationTokenSource();
            using PosixSignalRegistration interrupt = OnSignal(PosixSignal.SIGINT, stopping);
            using PosixSignalRegistration terminate = OnSignal(PosixSignal.SIGTERM, stopping);
            return await command.RunAsync(CommandArguments.Parse(command.Options, args[1..]), stopping.Token);
        }
        catch (CommandArgumentException wrong)
        {
            return Fail(Usage, $"{wrong.Message} ./flex {command.Name} --help tells more.");
        }
        catch (LocalHostException refused)
        {
            return Fail(1, refused.Message);
        }
        catch (OperationCanceledException)
        {
            return Fail(1, "Stopped.");
        }
        catch (Exception unexpected) when (Environment.GetEnvironmentVariable("FLEX_TRACE") is null)
        {
            return Fail(1, $"{unexpected.GetType().Name}: {unexpected.Message.ReplaceLineEndings(" ")} (FLEX_TRACE=1 shows where.)");
        }
    }

    private static PosixSignalRegistration OnSignal(PosixSignal signal, CancellationTokenSource stopping) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            // The second signal ends the process at once, in the system's way.
            context.Cancel = !stopping.IsCancellationRequested;
            stopping.Cancel();
        });

    private static int Fail(int code, string line)
    {
        Console.Error.WriteLine("flex: " + line);
        return code;
    }

    private static void PrintCommands()
    {
        Console.WriteLine("Usage: ./flex COMMAND [OPTIONS]");
        Console.WriteLine();
        foreach ((string name, string summary) in Commands.Select(c => (c.Name, c.Summary)).Concat(OfTheScript))
        {
            Console.WriteLine($"  {name,-10} {summary}");
        }

        Console.WriteLine();
        Console.WriteLine("./flex COMMAND --help tells a command's options.");
    }

    private static void PrintHelp(ICommand command)
    {
        Console.WriteLine($"Usage: ./flex {command.Name} [OPTIONS]");
        Console.WriteLine();
        Console.WriteLine(command.Summary);
        Console.WriteLine();
        foreach (CommandOption option in command.Options)
        {
            Console.WriteLine($"  {($"--{option.Name} {option.Value}").TrimEnd(),-28} {option.Help}");
        }
    }
}

/// <summary>One command of the command line.</summary>
public interface ICommand
{
    string Name { get; }

    /// <summary>One sentence.</summary>
    string Summary { get; }

    IReadOnlyList<CommandOption> Options { get; }

    /// <returns>The exit code: 0 is success.</returns>
    Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation);
}

/// <param name="Value">What follows the option, e.g. <c>PORT</c>; null for a switch.</param>
public sealed record CommandOption(string Name, string? Value, string Help);
