using System.Text.Json;
using Flex.Platform;

namespace Flex.Local.Runtime.Azurite;

/// <summary>What is written beside the data about the running Azurite, so that a later Flex can find it again.</summary>
internal sealed record AzuriteState(int ProcessId, int BlobPort, int QueuePort, int TablePort)
{
    public static AzuriteState? Read(string directory)
    {
        try
        {
            return StorageJson.Read<AzuriteState>(File.ReadAllText(PathIn(directory)));
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    public static void Delete(string directory) => File.Delete(PathIn(directory));

    public void Write(string directory)
    {
        string path = PathIn(directory);
        File.WriteAllText(path + ".new", StorageJson.Write(this));
        File.Move(path + ".new", path, overwrite: true);
    }

    private static string PathIn(string directory) => Path.Combine(directory, "azurite.json");
}

/// <summary>The emulator cannot run here; the message is one line for the person at the keyboard.</summary>
public sealed class AzuriteUnavailableException : Exception
{
    public AzuriteUnavailableException()
    {
    }

    public AzuriteUnavailableException(string message)
        : base(message)
    {
    }

    public AzuriteUnavailableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
