using System.Text.Json.Nodes;
using Flex.Local.Audit;
using Flex.Local.Demo;
using Flex.Local.Runtime.Hosting;
using NodaTime;
using Spectre.Console;

namespace Flex.Local.Cli;

/// <summary><c>./flex demo</c>: plays the operator's main job and checks it, then audits the store it leaves.</summary>
internal sealed class DemoCommand : ICommand
{
    private static readonly Instant DefaultStart = Instant.FromUtc(2025, 1, 1, 8, 0);

    public string Name => "demo";

    public string Summary => "Plays the operator's main job through the HTTP API on simulated time, and checks every step.";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("data", "DIR", "Keeps the demo's store for a later look; must be empty. Default: a temporary directory."),
        new("storage", "KIND", "azurite (default) or memory."),
        new("url", "URL", "Plays against a host that already runs on simulated time, e.g. http://127.0.0.1:7071; nothing is started then."),
        new("verbose", null, "Also prints each expectation that held."),
    ];

    public async Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        IDemoDisplay display = Console.IsOutputRedirected
            ? new PlainDemoDisplay(arguments.Has("verbose"))
            : new TerminalDemoDisplay(arguments.Has("verbose"));
        if (arguments.Text("url") is { } url)
        {
            return await PlayAsync(new Uri(url), display, cancellation) is null ? 1 : 0;
        }

        bool memory = arguments.Choice("storage", "azurite", "memory") == "memory";
        string? kept = arguments.Text("data");
        string data = kept ?? Directory.CreateTempSubdirectory("flex-demo-").FullName;
        if (Directory.Exists(data) && Directory.EnumerateFileSystemEntries(data).Any())
        {
            throw new CommandArgumentException($"{data} is not empty.");
        }

        try
        {
            await using LocalHost host = await LocalHost.StartAsync(
                new LocalHostOptions(0, memory ? null : data, DefaultStart, memory)
                {
                    Logging = RunCommand.Log(Microsoft.Extensions.Logging.LogLevel.Warning),
                    Settings = LocalSettings.AmpleRateLimits,
                },
                cancellation);
            if (await PlayAsync(host.Address, display, cancellation) is null)
            {
                return 1;
            }

            AuditReport report = await HostAudit.RunAsync(host.Runtime.Services, atRest: true, cancellation);
            return VerifyCommand.Show(report);
        }
        finally
        {
            if (kept is null)
            {
                Directory.Delete(data, recursive: true);
            }
        }
    }

    private static async Task<JsonObject?> PlayAsync(Uri address, IDemoDisplay display, CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(10) };
        try
        {
            JsonObject state = await new DemoScript(new FlexClient(http, TimeProvider.System), display).PlayAsync(cancellation);
            display.Done();
            return state;
        }
        catch (DemoFailedException failure)
        {
            await Console.Error.WriteLineAsync("flex demo: " + failure.Message);
            return null;
        }
    }

    private sealed class PlainDemoDisplay(bool verbose) : IDemoDisplay
    {
        public void Step(int number, string title) => Console.WriteLine($"{number}. {title}");

        public void Fact(string text) => Console.WriteLine($"   {text}");

        public void Held(string expectation)
        {
            if (verbose)
            {
                Console.WriteLine($"   ok: {expectation}");
            }
        }

        public void Clock(Instant now) => Console.WriteLine($"   -- {now}");

        public void Done() => Console.WriteLine("Demo passed.");
    }

    private sealed class TerminalDemoDisplay(bool verbose) : IDemoDisplay
    {
        public void Step(int number, string title) => AnsiConsole.MarkupLineInterpolated($"\n[bold blue]{number}[/] [bold]{title}[/]");

        public void Fact(string text) => AnsiConsole.MarkupLineInterpolated($"  {text}");

        public void Held(string expectation)
        {
            if (verbose)
            {
                AnsiConsole.MarkupLineInterpolated($"  [green]✓[/] [grey]{expectation}[/]");
            }
        }

        public void Clock(Instant now) => AnsiConsole.MarkupLineInterpolated($"  [grey]⏱ {now}[/]");

        public void Done() => AnsiConsole.MarkupLine("\n[bold green]Demo passed.[/]");
    }
}
