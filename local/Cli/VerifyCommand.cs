using System.Globalization;
using Flex.Local.Audit;

namespace Flex.Local.Cli;

/// <summary><c>./flex verify</c>: audits a store that no host is running on.</summary>
internal sealed class VerifyCommand : ICommand
{
    public string Name => "verify";

    public string Summary => "Audits a store against its invariants and prints what is wrong.";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("data", "DIR", "The store. Default .flex/data. Its payments are compared with those of the simulated Stripe."),
        .. OpenedStore.AzureOptions,
        new("busy", null, "Work is under way, or was when the host stopped: checks only what holds at any instant."),
    ];

    public async Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        await using OpenedStore store = await OpenedStore.ReadAsync(arguments, cancellation);
        return Show(await HostAudit.RunAsync(store.Tables, store.Data?.Path, store.Time.Now(), atRest: !arguments.Has("busy"), cancellation));
    }

    /// <summary>Prints the report; 0 when nothing was found.</summary>
    public static int Show(AuditReport report)
    {
        foreach (Finding finding in report.Findings)
        {
            Console.WriteLine($"{finding.Rule}: {finding.What}");
        }

        if (report.Payments is null)
        {
            Console.WriteLine("There is no simulated Stripe beside this store: what it says of payments is compared with nothing.");
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Looked at {report.Bookings} bookings, {report.Invoices} invoices, {report.Memberships} memberships, {report.Payments ?? 0} payments and {report.Doors} door users: {(report.Findings.Count == 0 ? "nothing is wrong" : $"{report.Findings.Count} findings")}."));
        return report.Findings.Count == 0 ? 0 : 1;
    }
}
