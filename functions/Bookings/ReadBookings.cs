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
        IReadOnlyList<BookingId> found = await bookings.PageByMemberAsync(memberId, from, until, paging.After, paging.Take, cancellation);
        return await PageAsync(found, paging, cancellation);
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
        IEnumerable<BookingId> found = sheet.SlotsOf(resourceId)
            .Where(s => s.Start < until && from < s.End)
            .Select(s => (Position: BookingStore.Position(s.Start, s.Booking), s.Booking))
            .Where(s => paging.After is null || string.CompareOrdinal(s.Position, paging.After) > 0)
            .OrderBy(s => s.Position, StringComparer.Ordinal)
            .Select(s => s.Booking);
        return await PageAsync([.. found.Take(paging.Take)], paging, cancellation);
    }

    /// <summary>The page of these bookings: one point read each, side by side, at most a page's worth.</summary>
    private async Task<Reply<PageOf<BookingView>>> PageAsync(IReadOnlyList<BookingId> found, Paging paging, CancellationToken cancellation)
    {
        Stored<Booking>?[] read = await Task.WhenAll(found.Select(id => bookings.ReadAsync(id, cancellation)));
        Instant now = time.Now();
        return paging.Page<BookingView>(
            [.. read.OfType<Stored<Booking>>().Select(s => BookingView.Of(s.Value, now))], v => BookingStore.Position(v.Start, v.Id));
    }

    private async Task<SiteCalendar> CalendarOfAsync(LocationId id, CancellationToken cancellation) =>
        (await settings.LocationAsync(id, cancellation)).Calendar;
}
