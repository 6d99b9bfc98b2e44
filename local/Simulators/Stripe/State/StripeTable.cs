using System.Text.Json;
using Flex.Platform;

namespace Flex.Local.Simulators.Stripe;

/// <summary>Rows of one kind, by id and by index, in order of creation. Every change is reported with its undo.</summary>
internal sealed class StripeTable<T>(string kind, StripeChanges changes, Action<T?, T?>? applied = null,
    params (string Name, Func<T, string?> Key)[] indexes) : IStripeTable
    where T : StripeRow
{
    private readonly Dictionary<string, T> rows = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Name, string Key), SortedSet<(long Order, string Id)>> sets = [];
    private readonly SortedSet<(long Order, string Id)> all = [];

    public string Kind => kind;

    public IEnumerable<StripeRow> Rows => OldestFirst();

    public T? Oldest => all.Count == 0 ? null : rows[all.Min.Id];

    public T? Find(string? id) => id is null ? null : rows.GetValueOrDefault(id);

    /// <summary>A row that another row refers to; its absence is a defect of the simulator.</summary>
    public T Get(string id) => Find(id) ?? throw new InvalidOperationException($"The {kind} '{id}' is gone.");

    public T Put(T row)
    {
        T? before = Find(row.Id);
        T after = before is null ? row with { Order = changes.Next() } : row with { Order = before.Order };
        Apply(row.Id, after);
        changes.Add(new StripeChange(kind, row.Id, after, () => Apply(row.Id, before)));
        return after;
    }

    public void Delete(string id)
    {
        if (Find(id) is { } before)
        {
            Apply(id, null);
            changes.Add(new StripeChange(kind, id, null, () => Apply(id, before)));
        }
    }

    public IEnumerable<T> NewestFirst(long below = long.MaxValue, string? index = null, string? key = null) =>
        Set(index, key) is { Count: > 0 } set && below > 0
            ? set.GetViewBetween((0, string.Empty), (below - 1, "~")).Reverse().Select(entry => rows[entry.Id])
            : [];

    public IEnumerable<T> OldestFirst(long above = -1, string? index = null, string? key = null) =>
        Set(index, key) is { Count: > 0 } set
            ? set.GetViewBetween((above + 1, string.Empty), (long.MaxValue, "~")).Select(entry => rows[entry.Id])
            : [];

    public void Load(string id, JsonElement? json) => Apply(id, json?.Deserialize<T>(StorageJson.Options));

    private SortedSet<(long Order, string Id)>? Set(string? index, string? key) =>
        index is null ? all : sets.GetValueOrDefault((index, key!));

    private void Apply(string id, T? after)
    {
        T? before = rows.GetValueOrDefault(id);
        if (before is not null)
        {
            all.Remove((before.Order, id));
        }

        if (after is null)
        {
            rows.Remove(id);
        }
        else
        {
            rows[id] = after;
            all.Add((after.Order, id));
        }

        foreach ((string name, Func<T, string?> of) in indexes)
        {
            Move(name, id, before, after, of);
        }

        applied?.Invoke(before, after);
    }

    private void Move(string name, string id, T? before, T? after, Func<T, string?> of)
    {
        if (before is not null && of(before) is { } old && sets.TryGetValue((name, old), out SortedSet<(long, string)>? from))
        {
            from.Remove((before.Order, id));
            if (from.Count == 0)
            {
                sets.Remove((name, old));
            }
        }

        if (after is not null && of(after) is { } key)
        {
            if (!sets.TryGetValue((name, key), out SortedSet<(long, string)>? to))
            {
                sets[(name, key)] = to = [];
            }

            to.Add((after.Order, id));
        }
    }
}

internal interface IStripeTable
{
    string Kind { get; }

    IEnumerable<StripeRow> Rows { get; }

    /// <summary>Replays one journalled change; null deletes.</summary>
    void Load(string id, JsonElement? json);
}

/// <summary>One change; a null row is a deletion.</summary>
internal sealed record StripeChange(string Kind, string Id, StripeRow? Row, Action Undo);

/// <summary>The changes of the unit of work in progress and the counter that ids and orders come from.</summary>
internal sealed class StripeChanges
{
    private readonly List<StripeChange> pending = [];

    public long Counter { get; set; }

    public IReadOnlyList<StripeChange> Pending => pending;

    public long Next() => ++Counter;

    public void Add(StripeChange change) => pending.Add(change);

    public void Clear() => pending.Clear();

    public void Undo()
    {
        for (int i = pending.Count - 1; i >= 0; i--)
        {
            pending[i].Undo();
        }

        pending.Clear();
    }
}
