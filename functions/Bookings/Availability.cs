using Flex.Catalogue;
using Flex.Platform.Http;
using Flex.Settings;
using NodaTime;

namespace Flex.Bookings;

/// <param name="From">First day, inclusive, on the location's clock.</param>
/// <param name="To">Last day, inclusive; at most 31 days in all.</param>
/// <param name="Kind">Only resources of this kind.</param>
/// <param name="Capacity">Only resources for at least so many people.</param>
public sealed record AvailabilityQuery(LocationId Location, LocalDate From, LocalDate To, ResourceKind? Kind = null, int? Capacity = null);

/// <summary>When the resources of a location are open, taken and free.</summary>
public sealed record AvailabilityView(
    LocationId LocationId, string TimeZone, LocalDate From, LocalDate To, IReadOnlyList<ResourceAvailability> Resources);

/// <summary>Times in order, apart from each other.</summary>
/// <param name="Open">The opening hours.</param>
/// <param name="Busy">What bookings keep, with the times kept free around them.</param>
/// <param name="Free">What a booking may take within the opening hours: with the resource's own times around it, it meets no other.</param>
public sealed record ResourceAvailability(
    ResourceId Id, string Name, ResourceKind Kind, int Capacity, IReadOnlyList<TimeRange> Open, IReadOnlyList<TimeRange> Busy, IReadOnlyList<TimeRange> Free);

/// <param name="End">Exclusive.</param>
public sealed record TimeRange(Instant Start, Instant End);

/// <summary>Answers with warm caches from one storage call, whatever the number of resources.</summary>
public sealed class AvailabilityReader(BookingStore bookings, CatalogueStore catalogue, SettingsStore settings)
{
    private const int MaxDays = 31;

    /// <summary>A booking on another day may reach into these days by so much that is kept free around it.</summary>
    private static readonly Duration LongestBuffer = Duration.FromDays(1);

    public async Task<Reply<AvailabilityView>> ReadAsync(AvailabilityQuery query, RequestContext context, CancellationToken cancellation)
    {
        if (RefuseDays(query.From, query.To) is { } refusal)
        {
            return refusal;
        }

        if (await settings.FindLocationAsync(query.Location, cancellation) is not { } location)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/location", "There is no such location.");
        }

        SiteCalendar calendar = location.Calendar;
        var days = new Interval(calendar.StartOfDay(query.From), calendar.StartOfDay(query.To.PlusDays(1)));
        IReadOnlyList<Resource> resources = await catalogue.ListResourcesAsync(location.Id, cancellation);
        AgendaSheet sheet = await bookings.ReadLocationAsync(
            location.Id, new Interval(days.Start - LongestBuffer, days.End + LongestBuffer), cancellation);
        IEnumerable<ResourceAvailability> found =
            from resource in resources
            where (resource.IsPublished || context.Caller.IsStaff)
                && (query.Kind is null || resource.Kind == query.Kind)
                && (query.Capacity is null || resource.Capacity >= query.Capacity)
            select Availability.Of(resource, location, [.. sheet.SlotsOf(resource.Id)], days);
        return new AvailabilityView(location.Id, location.TimeZone, query.From, query.To, [.. found]);
    }

    private static Error? RefuseDays(LocalDate from, LocalDate to) => (from, to) switch
    {
        ({ Year: < 2000 or > 2200 }, _) => Error.Invalid(ErrorCodes.InvalidValue, "/from", "Days from 2000 to 2200."),
        (_, { Year: < 2000 or > 2200 }) => Error.Invalid(ErrorCodes.InvalidValue, "/to", "Days from 2000 to 2200."),
        _ when to < from => Error.Invalid(ErrorCodes.EndBeforeStart, "/to", "The last day is before the first."),
        _ when Period.DaysBetween(from, to) >= MaxDays => Error.Invalid(ErrorCodes.InvalidValue, "/to", $"At most {MaxDays} days."),
        _ => null,
    };
}

/// <summary>Open, taken and free times. Pure.</summary>
public static class Availability
{
    public static ResourceAvailability Of(Resource resource, Location location, IReadOnlyList<AgendaSlot> slots, Interval days)
    {
        BookingTerms terms = resource.Terms;
        IReadOnlyList<Interval> open = (terms.OpeningHours ?? location.OpeningHours).Within(days, location.Calendar);
        IReadOnlyList<Interval> busy = Merge(slots.Select(s => Occupied(s, 0, 0)), days);
        IReadOnlyList<Interval> closed = Merge(slots.Select(s => Occupied(s, terms.BufferAfterMinutes, terms.BufferBeforeMinutes)), days);
        return new ResourceAvailability(
            resource.Id, resource.Name, resource.Kind, resource.Capacity, Ranges(open), Ranges(busy), Ranges(open.SelectMany(o => Without(o, closed))));
    }

    private static Interval Occupied(AgendaSlot slot, int moreBefore, int moreAfter) => new(
        Instant.FromUnixTimeSeconds((slot.OccupiedFrom - moreBefore) * 60), Instant.FromUnixTimeSeconds((slot.OccupiedUntil + moreAfter) * 60));

    /// <summary>The part of the times that lies within, in order; those that overlap or touch as one.</summary>
    private static List<Interval> Merge(IEnumerable<Interval> times, Interval within)
    {
        var merged = new List<Interval>();
        foreach (Interval time in times.Where(t => t.Start < within.End && within.Start < t.End).OrderBy(t => t.Start))
        {
            Instant start = Instant.Max(time.Start, within.Start);
            Instant end = Instant.Min(time.End, within.End);
            if (merged.Count > 0 && start <= merged[^1].End)
            {
                merged[^1] = new Interval(merged[^1].Start, Instant.Max(merged[^1].End, end));
            }
            else
            {
                merged.Add(new Interval(start, end));
            }
        }

        return merged;
    }

    /// <summary>What is left of a time between others, which are in order and apart.</summary>
    private static IEnumerable<Interval> Without(Interval time, IReadOnlyList<Interval> others)
    {
        Instant at = time.Start;
        foreach (Interval other in others.Where(o => o.Start < time.End && time.Start < o.End))
        {
            if (at < other.Start)
            {
                yield return new Interval(at, other.Start);
            }

            at = Instant.Max(at, other.End);
        }

        if (at < time.End)
        {
            yield return new Interval(at, time.End);
        }
    }

    private static TimeRange[] Ranges(IEnumerable<Interval> times) => [.. times.Select(t => new TimeRange(t.Start, t.End))];
}
