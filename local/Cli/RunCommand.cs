using Flex.Local.Runtime.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using NodaTime;
using Spectre.Console;

namespace Flex.Local.Cli;

/// <summary><c>./flex run</c>: serves until it is told to stop.</summary>
internal sealed class RunCommand : ICommand
{
    public string Name => "run";

    public string Summary => "Serves Flex on this machine, with simulated payments, doors and mail.";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        .. HostOptions,
        new("log", "LEVEL", "What is logged: warning (default), information or debug."),
    ];

    /// <summary>The options of every command that starts a host.</summary>
    public static IReadOnlyList<CommandOption> HostOptions { get; } =
    [
        new("port", "PORT", "Port on 127.0.0.1; 0 is any free one. Default 7071."),
        new("data", "DIR", "Where everything is kept; the next run goes on there. Default .flex/data in the clone."),
        new("clock", "TIME", "Simulated time from this instant on, e.g. 2025-01-01T00:00:00Z. Default: the machine's."),
        new("storage", "KIND", "azurite (default) keeps data on disk, memory forgets it at the end."),
    ];

    /// <summary>The clone's directory, wherever the script was called from.</summary>
    private static string Root => Environment.GetEnvironmentVariable("FLEX_ROOT") ?? Directory.GetCurrentDirectory();

    public static LocalHostOptions Read(CommandArguments arguments, int defaultPort)
    {
        bool memory = arguments.Choice("storage", "azurite", "memory") == "memory";
        return new LocalHostOptions(
            arguments.Number("port", 0, 65535, defaultPort),
            arguments.Text("data") ?? (memory ? null : Path.Combine(Root, ".flex", "data")),
            arguments.Instant("clock"),
            memory)
        {
            SettingsFile = Path.Combine(Root, "local.settings.json"),
            Logging = Log(LogLevel.Warning),
        };
    }

    public async Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        LogLevel level = arguments.Choice("log", "warning", "information", "debug") switch
        {
            "debug" => LogLevel.Debug,
            "information" => LogLevel.Information,
            _ => LogLevel.Warning,
        };
        await using LocalHost host = await LocalHost.StartAsync(Read(arguments, 7071) with { Logging = Log(level) }, cancellation);
        Show(host);
        var stopped = new TaskCompletionSource();
        await using CancellationTokenRegistration stop = cancellation.Register(stopped.SetResult);
        await stopped.Task;
        Console.WriteLine("Stopping.");
        return 0;
    }

    /// <summary>Log lines go to the error output, one line each, so that the output stays the command's own.</summary>
    public static Action<ILoggingBuilder> Log(LogLevel level) => logging => logging
        .SetMinimumLevel(level)
        .AddFilter("Microsoft", LogLevel.Warning)
        .AddFilter("System.Net.Http", LogLevel.Warning)
        .AddFilter("Polly", LogLevel.Error)
        .AddSimpleConsole(o =>
        {
            o.SingleLine = true;
            o.ColorBehavior = Console.IsErrorRedirected ? LoggerColorBehavior.Disabled : LoggerColorBehavior.Default;
        })
        .Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);

    private static void Show(LocalHost host)
    {
        string local = host.Address.AbsoluteUri.TrimEnd('/');
        string clock = host.Runtime.Scheduler.IsSimulated ? $"simulated, now {host.Runtime.Scheduler.Now}" : "the machine's";
        (string What, string Value)[] lines =
        [
            ("API", local + "/api/v1"),
            ("description", local + "/api/v1/openapi.json"),
            ("token", $"POST {local}/local/token {{\"role\":\"staff\"}}"),
            ("clock", $"{clock} ({local}/local/clock)"),
            ("inside", $"{local}/local/queues, /local/orchestrations, /local/timers, /local/mail, /local/faults"),
        ];
        if (Console.IsOutputRedirected)
        {
            foreach ((string what, string value) in lines)
            {
                Console.WriteLine($"{what}: {value}");
            }

            Console.WriteLine("Ready.");
            return;
        }

        var grid = new Grid().AddColumn().AddColumn();
        foreach ((string what, string value) in lines)
        {
            grid.AddRow(new Text(what, new Style(Color.Grey)), new Text(value));
        }

        AnsiConsole.Write(new Panel(grid).Header("Flex").RoundedBorder());
        AnsiConsole.MarkupLine("[green]Ready.[/] Ctrl+C stops.");
    }
}
