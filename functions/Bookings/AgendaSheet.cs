using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Bookings;

/// <summary>
/// Agendas of one location as they were read, and what a commit makes of them. Whoever commits it first has the slots; the others are
/// told so by the versions that were read, and decide again.
/// </summary>
public sealed class AgendaSheet(IReadOnlyDictionary<AgendaKey, Stored<Agenda>> read)
{
    private readonly Dictionary<AgendaKey, Agenda> _changed = [];

    /// <summary>The first slot of another booking in the way of this one.</summary>
    public AgendaSlot? ConflictOf(ResourceId resource, AgendaSlot wanted) => wanted.Months()
        .Select(month => Of(new AgendaKey(month, resource)).ConflictWith(wanted))
        .FirstOrDefault(slot => slot is not null);

    /// <summary>Takes the slot beside what the booking has already.</summary>
    public void Take(ResourceId resource, AgendaSlot slot)
    {
        foreach (YearMonth month in slot.Months())
        {
            Change(new AgendaKey(month, resource), a => a.With(slot));
        }
    }

    public void Free(IEnumerable<KeptSlot> slots)
    {
        foreach (KeptSlot kept in slots)
        {
            Free(kept.Resource, kept.Slot);
        }
    }

    /// <summary>Frees all that the booking has in the slot's agendas.</summary>
    public void Free(ResourceId resource, AgendaSlot slot)
    {
        foreach (YearMonth month in slot.Months())
        {
            Change(new AgendaKey(month, resource), a => a.Without(slot.Booking));
        }
    }

    /// <summary>All that is taken, each slot once.</summary>
    public IEnumerable<KeptSlot> Slots => read.SelectMany(r => r.Value.Value.Slots.Select(s => new KeptSlot(r.Key.Resource, s))).Distinct();

    /// <summary>What is taken of a resource, in the order of start, each slot once.</summary>
    public IEnumerable<AgendaSlot> SlotsOf(ResourceId resource) => read
        .Where(r => r.Key.Resource == resource)
        .SelectMany(r => r.Value.Value.Slots)
        .Distinct()
        .OrderBy(s => s.From);

    /// <summary>The agendas that differ from what was read, with the version each replaces; null for a new one.</summary>
    internal IEnumerable<(AgendaKey Key, Agenda Agenda, string? ETag)> Changes() =>
        _changed.Select(c => (c.Key, c.Value, read.GetValueOrDefault(c.Key)?.ETag));

    private Agenda Of(AgendaKey key) => _changed.GetValueOrDefault(key) ?? read.GetValueOrDefault(key)?.Value ?? Agenda.Empty;

    private void Change(AgendaKey key, Func<Agenda, Agenda> change) => _changed[key] = change(Of(key));
}

/// <summary>Names an agenda within its location.</summary>
public readonly record struct AgendaKey(YearMonth Month, ResourceId Resource);
