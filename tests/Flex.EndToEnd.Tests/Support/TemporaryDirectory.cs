namespace Flex.EndToEnd.Tests.Support;

/// <summary>A directory for one test, gone afterwards.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("flex-e2e-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
