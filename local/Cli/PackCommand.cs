using System.Globalization;
using Flex.Local.Packaging;
using Flex.Local.Runtime.Hosting;

namespace Flex.Local.Cli;

/// <summary><c>./flex pack</c>: the last step of <c>./flex azure</c>, which publishes the folder.</summary>
internal sealed class PackCommand : ICommand
{
    public string Name => "pack";

    public string Summary => "Zips a published function app and checks what is in the zip.";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("from", "DIR", "The published app."),
        new("to", "FILE", "The zip; replaced if it is there. Not left behind when it may not be deployed."),
    ];

    public Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        string from = OpenedStore.Existing(arguments.Text("from") ?? throw new CommandArgumentException("--from is needed."));
        string to = arguments.Text("to") ?? throw new CommandArgumentException("--to is needed.");
        int files = DeploymentPackage.Write(from, to);
        IReadOnlyList<string> faults = DeploymentPackage.Faults(to);
        if (faults.Count > 0)
        {
            File.Delete(to);
            throw new LocalHostException($"The package may not be deployed. {string.Join(" ", faults)}");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{to}: {files} files, {new FileInfo(to).Length / 1e6:0.0} MB"));
        return Task.FromResult(0);
    }
}
