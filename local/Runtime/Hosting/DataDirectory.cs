using System.Globalization;
using NodaTime;
using NodaTime.Text;

namespace Flex.Local.Runtime.Hosting;

/// <summary>
/// Everything one operator's store consists of on this machine. Owned by one process at a time: the lock is the operating
/// system's and ends with the process, however that ends. Files are replaced by renaming, so a kill leaves the old or the new.
/// </summary>
public sealed class DataDirectory : IDisposable
{
    private const string RealClock = "real";
    private readonly FileStream _lock;

    private DataDirectory(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    public string IdentityKey => In("identity.pem");

    public string Azurite => In("azurite");

    public string MailJournal => In(System.IO.Path.Combine("mail", "journal.jsonl"));

    /// <exception cref="LocalHostException">Another process has it.</exception>
    public static DataDirectory Open(string path)
    {
        string full = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(full);
        try
        {
            return new DataDirectory(full, new FileStream(System.IO.Path.Combine(full, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            throw new LocalHostException($"{full} is in use by another flex. Stop that one or choose another --data.");
        }
    }

    /// <summary>
    /// The clock this store lives by. Its kind is chosen at first use and stays: rows of a simulated future make no sense on
    /// real time. A simulated clock goes on where it stopped, or at <paramref name="asked"/> if that is later.
    /// </summary>
    /// <returns>The instant of a simulated clock; null is real time.</returns>
    /// <exception cref="LocalHostException">The store lives by real time and a simulated clock was asked for.</exception>
    public Instant? OpenClock(Instant? asked)
    {
        if (!File.Exists(In("clock")))
        {
            Replace("clock", asked is { } start ? InstantPattern.ExtendedIso.Format(start) : RealClock);
            return asked;
        }

        string text = File.ReadAllText(In("clock"));
        if (text == RealClock)
        {
            return asked is null
                ? null
                : throw new LocalHostException($"{Path} lives by real time. Choose another --data for a simulated clock.");
        }

        Instant stored = InstantPattern.ExtendedIso.Parse(text).GetValueOrThrow();
        return asked is { } later && later > stored ? later : stored;
    }

    public void SaveClock(Instant now) => Replace("clock", InstantPattern.ExtendedIso.Format(now));

    /// <summary>The port of the process that runs here, for tools that are given only the directory.</summary>
    public void SavePort(int port) => Replace("port", port.ToString(CultureInfo.InvariantCulture));

    public void Dispose() => _lock.Dispose();

    private string In(string name) => System.IO.Path.Combine(Path, name);

    private void Replace(string name, string text)
    {
        File.WriteAllText(In(name + ".new"), text);
        File.Move(In(name + ".new"), In(name), overwrite: true);
    }
}

/// <summary>The local host cannot do what was asked; the message is one line for the person at the keyboard.</summary>
public sealed class LocalHostException(string message) : Exception(message);
