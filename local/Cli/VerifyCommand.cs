using System.Globalization;
using Flex.Local.Audit;
using Flex.Local.Runtime.Azurite;
using Flex.Local.Runtime.Hosting;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Flex.Local.Cli;

/// <summary><c>./flex verify</c>: audits a store that no host is running on.</summary>
internal sealed class VerifyCommand : ICommand
{
    public string Name => "verify";

    public string Summary => "Audits a store against its invariants and prints what is wrong.";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("data", "DIR", "The store. Default .flex/data."),
        new("busy", null, "Work was under way when the host stopped: checks only what holds at any instant."),
    ];

    public async Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        string path = arguments.Text("data") ?? Path.Combine(".flex", "data");
        if (!Directory.Exists(path))
        {
            throw new CommandArgumentException($"{path} does not exist.");
        }

        using DataDirectory data = DataDirectory.Open(path);
        await using AzuriteProcess azurite = await AzuriteProcess.StartAsync(data.Azurite, NullLogger.Instance, cancellation);
        AzureTableStore tables = TablesFeature.CreateStore(new TableOptions { ConnectionString = azurite.ConnectionString });
        Instant now = data.OpenClock(null) ?? TimeProvider.System.Now();
        return Show(await HostAudit.RunAsync(tables, data.Path, now, atRest: !arguments.Has("busy"), cancellation));
    }

    /// <summary>Prints the report; 0 when nothing was found.</summary>
    public static int Show(AuditReport report)
    {
        foreach (Finding finding in report.Findings)
        {
            Console.WriteLine($"{finding.Rule}: {finding.What}");
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Looked at {report.Bookings} bookings, {report.Invoices} invoices, {report.Memberships} memberships, {report.Payments} payments and {report.Doors} door users: {(report.Findings.Count == 0 ? "nothing is wrong" : $"{report.Findings.Count} findings")}."));
        return report.Findings.Count == 0 ? 0 : 1;
    }
}
