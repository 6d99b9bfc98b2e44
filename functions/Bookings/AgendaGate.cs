namespace Flex.Bookings;

/// <summary>
/// Lets one writer of an agenda at a time through, within this process, first come first served: contention then costs waiting
/// instead of failed commits. It is a courtesy: what keeps bookings apart is the agenda's ETag, which also holds between processes.
/// </summary>
public sealed class AgendaGate
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Waits for all keys. They are taken in ordinal order whatever the order given, so two writers never wait for each other.</summary>
    public async Task<IDisposable> EnterAsync(IEnumerable<string> keys, CancellationToken cancellation)
    {
        var pass = new Pass(this);
        try
        {
            foreach (string key in keys.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                Entry entry = Join(key);
                try
                {
                    await entry.Semaphore.WaitAsync(cancellation);
                }
                catch
                {
                    Leave(key, entry);
                    throw;
                }

                pass.Held.Add((key, entry));
            }

            return pass;
        }
        catch
        {
            pass.Dispose();
            throw;
        }
    }

    private Entry Join(string key)
    {
        lock (_entries)
        {
            if (!_entries.TryGetValue(key, out Entry? entry))
            {
                entry = new Entry();
                _entries.Add(key, entry);
            }

            entry.Users++;
            return entry;
        }
    }

    /// <summary>The last one out removes the entry, so the gate holds no more than is in use.</summary>
    private void Leave(string key, Entry entry)
    {
        lock (_entries)
        {
            if (--entry.Users == 0)
            {
                _entries.Remove(key);
                entry.Semaphore.Dispose();
            }
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim Semaphore { get; } = new(1, 1);

        public int Users { get; set; }
    }

    private sealed class Pass(AgendaGate gate) : IDisposable
    {
        public List<(string Key, Entry Entry)> Held { get; } = [];

        public void Dispose()
        {
            foreach ((string key, Entry entry) in Held)
            {
                entry.Semaphore.Release();
                gate.Leave(key, entry);
            }

            Held.Clear();
        }
    }
}
