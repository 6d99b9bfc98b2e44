using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.Bookings;

/// <summary>Which bookings to list: of one member or, for staff, of one resource.</summary>
/// <param name="MemberId">Members list their own and may leave it out.</param>
/// <param name="ResourceId">Lists what holds a slot there; needs <paramref name="From"/> and <paramref name="To"/>.</param>
/// <param name="From">First day, inclusive, on the clock of the resource's or the member's location.</param>
/// <param name="To">Last day, inclusive; with a resource at most 31 days in all.</param>
public sealed record BookingFilter(MemberId? MemberId = null, ResourceId? ResourceId = null, LocalDate? From = null, LocalDate? To = null);

/// <summary>Reads of bookings. Another member's booking answers as one that does not exist.</summary>
public sealed class BookingReader(
    BookingStore bookings, CatalogueStore catalogue, SettingsStore settings, MemberStore members, TimeProvider time)
{
    private const int MaxDays = 31;

    public async Task<Reply<BookingView>> GetAsync(BookingId id, RequestContext context, CancellationToken cancellation) =>
        await bookings.ReadAsync(id, cancellation) is { } found && context.Caller.Reaches(found.Value.MemberId)
            ? BookingView.Of(found.Value, time.Now())
            : Error.NotFound("The booking");

    public async Task<Reply<PageOf<BookingView>>> ListAsync(
        BookingFilter filter, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        if (RefuseDays(filter) is { } unusable)
        {
            return unusable;
        }

        if (filter.ResourceId is { } resource)
        {
            return await ListByResourceAsync(resource, filter, paging, context, cancellation);
        }

        if ((filter.MemberId ?? context.Caller.MemberId) is not { } member)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/memberId", "Name a member or a resource.");
        }

        return context.Caller.Refuses(member, "The member") is { } hidden ? hidden : await ListByMemberAsync(member, filter, paging, cancellation);
    }

    /// <summary>Pure: days that no calendar has, or too many.</summary>
    public static Error? RefuseDays(BookingFilter filter)
    {
        if (filter.From is { Year: < 2000 or > 2200 })
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/from", "Days from 2000 to 2200.");
        }

        if (filter.To is { Year: < 2000 or > 2200 })
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/to", "Days from 2000 to 2200.");
        }

        if (filter.To < filter.From)
        {
            return Error.Invalid(ErrorCodes.EndBeforeStart, "/to", "The last day is before the first.");
        }

        if (filter.ResourceId is null)
        {
            return null;
        }

        if (filter.MemberId is not null)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/memberId", "Name a member or a resource, not both.");
        }

        return filter is { From: { } from, To: { } to } && Period.DaysBetween(from, to) < MaxDays
            ? null
            : Error.Invalid(ErrorCodes.InvalidValue, "/from", $"The bookings of a resource are listed for at most {MaxDays} days: give from and to.");
    }

    private async Task<Reply<PageOf<BookingView>>> ListByMemberAsync(
        MemberId memberId, BookingFilter filter, Paging paging, CancellationToken cancellation)
    {
        if (await members.FindAsync(memberId, cancellation) is not { } member)
        {
            return Error.NotFound("The member");
        }

        SiteCalendar calendar = await CalendarOfAsync(member.LocationId, cancellation);
        Instant? from = filter.From is { } first ? calendar.StartOfDay(first) : null;
        Instant? until = filter.To is { } last ? calendar.StartOfDay(last.PlusDays(1)) : null;
        return await PageAsync(
            after => bookings.PageByMemberAsync(memberId, from, until, after, paging.Take, cancellation), resource: null, paging, cancellation);
    }

    private async Task<Reply<PageOf<BookingView>>> ListByResourceAsync(
        ResourceId resourceId, BookingFilter filter, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        if (!context.Caller.IsStaff)
        {
            return new Error(ErrorKind.Forbidden, ErrorCodes.Forbidden, "Only staff see everybody's bookings of a resource.");
        }

        if (await catalogue.FindResourceAsync(resourceId, cancellation) is not { } resource)
        {
            return Error.NotFound("The resource");
        }

        SiteCalendar calendar = await CalendarOfAsync(resource.LocationId, cancellation);
        Instant from = calendar.StartOfDay(filter.From!.Value);
        Instant until = calendar.StartOfDay(filter.To!.Value.PlusDays(1));
        AgendaKey[] keys = [.. AgendaSlot.Months(from, until).Select(m => new AgendaKey(m, resourceId))];
        AgendaSheet sheet = await bookings.ReadAgendasAsync(resource.LocationId, keys, cancellation);
        BookingEntry[] all = [.. sheet.SlotsOf(resourceId)
            .Where(s => s.Start < until && from < s.End)
            .Select(s => new BookingEntry(BookingStore.Position(s.Start, s.Booking), s.Booking))
            .Distinct()
            .OrderBy(e => e.Position, StringComparer.Ordinal)];
        return await PageAsync(
            after => Task.FromResult<IReadOnlyList<BookingEntry>>(
                [.. all.Where(e => after is null || string.CompareOrdinal(e.Position, after) > 0).Take(paging.Take)]),
            resourceId,
            paging,
            cancellation);
    }

    /// <summary>
    /// A page of the entries that say where their booking is now: one point read each, side by side, a page's worth at a time. Those that
    /// were left behind when a booking was moved, or are kept for one that is about to move, are passed over.
    /// </summary>
    private async Task<Reply<PageOf<BookingView>>> PageAsync(
        Func<string?, Task<IReadOnlyList<BookingEntry>>> next, ResourceId? resource, Paging paging, CancellationToken cancellation)
    {
        Instant now = time.Now();
        var page = new List<BookingView>();
        string? after = paging.After;
        IReadOnlyList<BookingEntry> entries;
        do
        {
            entries = await next(after);
            Stored<Booking>?[] read = await Task.WhenAll(entries.Select(e => bookings.ReadAsync(e.BookingId, cancellation)));
            page.AddRange(read.Zip(entries)
                .Where(r => r.First is { } found && r.Second.IsOf(found.Value) && (resource is null || found.Value.ResourceId == resource))
                .Select(r => BookingView.Of(r.First!.Value, now)));
            after = entries.Count > 0 ? entries[^1].Position : after;
        }
        while (page.Count < paging.Take && entries.Count == paging.Take);

        return paging.Page<BookingView>([.. page.Take(paging.Take)], v => BookingStore.Position(v.Start, v.Id));
    }

    private async Task<SiteCalendar> CalendarOfAsync(LocationId id, CancellationToken cancellation) =>
        (await settings.LocationAsync(id, cancellation)).Calendar;
}
