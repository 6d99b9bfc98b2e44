using System.Text.Json.Nodes;
using Flex.Tests.Shared;

namespace Flex.Infrastructure.Tests;

/// <summary>A copy of infra/ that a test may change, compile and predict deployments from. Deleted with the object.</summary>
internal sealed class InfraCopy : IDisposable
{
    private const string NoId = "00000000-0000-0000-0000-000000000000";

    private readonly string _folder = Directory.CreateTempSubdirectory("flex-infra").FullName;

    public InfraCopy()
    {
        string source = System.IO.Path.Combine(SourceTree.Root, "infra");
        string[] read = ["bicepconfig.json", "workbook.json"];
        foreach (string file in Directory.EnumerateFiles(source, "*.bicep*", SearchOption.AllDirectories).Concat(read.Select(f => System.IO.Path.Combine(source, f))))
        {
            string copy = Path(System.IO.Path.GetRelativePath(source, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>Replaces text in a file, which must have it.</summary>
    public void Replace(string file, string text, string by)
    {
        string content = File.ReadAllText(Path(file));
        if (!content.Contains(text, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"{file} has no '{text}'.");
        }

        File.WriteAllText(Path(file), content.Replace(text, by, StringComparison.Ordinal));
    }

    public Task<JsonObject> CompileAsync(CancellationToken cancellation) => Bicep.CompileAsync(Path("main.bicep"), cancellation);

    /// <summary>What a parameter file would deploy, as the compiler predicts it: the same command with which ./flex azure compares.</summary>
    public async Task<JsonObject> PredictAsync(string environment, CancellationToken cancellation)
    {
        string[] arguments =
        [
            "snapshot", Path($"{environment}.bicepparam"), "--mode", "overwrite", "--subscription-id", NoId, "--tenant-id", NoId,
            "--resource-group", $"flex-{environment}", "--location", "westeurope",
        ];
        (int exitCode, _, string errors) = await Bicep.RunAsync(arguments, cancellation);
        return exitCode == 0 && errors.Length == 0
            ? (JsonObject)JsonNode.Parse(await File.ReadAllTextAsync(Path($"{environment}.snapshot.json"), cancellation))!
            : throw new InvalidOperationException($"bicep snapshot exited with {exitCode}:{Environment.NewLine}{errors}");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Path(string file) => System.IO.Path.Combine(_folder, file);
}
