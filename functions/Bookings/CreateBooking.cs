using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.Bookings;

/// <param name="MemberId">Who uses it; staff must say, members book for themselves and may leave it out.</param>
/// <param name="Start">RFC 3339, on the 5-minute grid of the location's clock, not in the past.</param>
/// <param name="End">Exclusive; at most 31 days after the start.</param>
public sealed record CreateBookingRequest(ResourceId ResourceId, Instant Start, Instant End, MemberId? MemberId = null);

/// <param name="LocalStart">The start on the location's clock.</param>
/// <param name="Price">Net, frozen when it was booked.</param>
public sealed record BookingView(
    BookingId Id,
    ResourceId ResourceId,
    LocationId LocationId,
    MemberId MemberId,
    Instant Start,
    Instant End,
    string TimeZone,
    LocalDateTime LocalStart,
    BookingState State,
    BookingAccounting Accounting,
    Money Price,
    ChargeId? ChargeId,
    BookingCancelReason? CancelReason,
    Instant? CancelledAt,
    Instant CreatedAt,
    long Version) : IVersioned
{
    public static BookingView Of(Booking b) => new(
        b.Id,
        b.ResourceId,
        b.LocationId,
        b.MemberId,
        b.Start,
        b.End,
        b.TimeZone,
        new SiteCalendar(b.TimeZone).LocalOf(b.Start),
        b.State,
        b.Accounting,
        b.Price,
        b.ChargeId,
        b.CancelReason,
        b.CancelledAt,
        b.CreatedAt,
        b.Version);
}

/// <summary>
/// Books a resource. Three storage calls with warm caches: the member, the agenda of the days, the commit. Whoever commits first
/// has the slot (BKG-2); the others read again and find it taken.
/// </summary>
public sealed class CreateBookingHandler(
    BookingStore bookings, CatalogueStore catalogue, SettingsStore settings, MemberStore members, ResourceDayGate gate, IIdSource ids, TimeProvider time)
{
    /// <summary>
    /// Within one process the gate lets one writer through at a time, so a round is lost only to another process: each lost round means
    /// that somebody else's booking or cancellation went through.
    /// </summary>
    private const int MaxRounds = 100;

    /// <summary>A refusal is answered only after looking whether this very request has succeeded before; a success costs no extra read.</summary>
    public async Task<Reply<BookingView>> HandleAsync(CreateBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        Result<Wish> wish = await PrepareAsync(request, context.Caller, cancellation);
        Reply<BookingView> reply = wish.IsError ? wish.Error : await BookAsync(wish.Value, context, cancellation);
        return reply.Error is { } refusal
            ? await bookings.ReplayOrAsync(request.ResourceId, context, refusal, cancellation)
            : reply;
    }

    private async Task<Result<Wish>> PrepareAsync(CreateBookingRequest request, Caller caller, CancellationToken cancellation)
    {
        if ((request.MemberId ?? caller.MemberId) is not { } memberId)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/memberId", "Say for whom the booking is.");
        }

        if (caller.Refuses(memberId, "The member") is { } hidden)
        {
            return hidden;
        }

        if (await catalogue.FindResourceAsync(request.ResourceId, cancellation) is not { } resource)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/resourceId", "There is no such resource.");
        }

        Location location = await settings.LocationAsync(resource.LocationId, cancellation);
        if (BookingRules.RefuseTime(request.Start, request.End, location.Calendar, time.Now()) is { } refusal)
        {
            return refusal;
        }

        if (resource.RateId is not { } rateId
            || await catalogue.FindRateAsync(rateId, cancellation) is not { } rate
            || !RateRules.AppliesAt(rate, location))
        {
            return Error.Refused(ErrorCodes.ResourceRateRequired, "The resource has no rate that applies at its location.");
        }

        return await members.FindAsync(memberId, cancellation) is { } member
            ? new Wish(resource, location, rate, member, new Interval(request.Start, request.End))
            : Error.Invalid(ErrorCodes.UnknownReference, "/memberId", "There is no such member.");
    }

    private async Task<Reply<BookingView>> BookAsync(Wish wish, RequestContext context, CancellationToken cancellation)
    {
        Instant now = time.Now();
        Booking booking = Booking.Confirm(
            EntityId.New<BookingId>(ids, EntityId.Home(wish.Resource.Id)),
            EntityId.New<ChargeId>(ids, EntityId.Home(wish.Member.CustomerId)),
            wish.Resource,
            wish.Location,
            wish.Rate,
            wish.Member,
            wish.Time,
            context.Caller.Subject,
            now);
        if (BookingRules.RefuseStanding(wish.Member, booking.Start, booking.Price) is { } refusal)
        {
            return refusal;
        }

        IReadOnlyList<LocalDate> days = AgendaDays.Touched(booking.Start, booking.End);
        using IDisposable pass = await gate.EnterAsync(BookingStore.GateKeys(wish.Resource.Id, days), cancellation);
        for (int round = 0; round < MaxRounds; round++)
        {
            IReadOnlyList<Stored<Agenda>?> agenda = await bookings.ReadAgendaAsync(wish.Resource.Id, days, cancellation);
            if (FirstConflict(agenda, booking) is { } conflict)
            {
                return Conflict(conflict, context.Caller);
            }

            if (await bookings.TryCommitNewAsync(booking, days, agenda, wish.Resource, context, cancellation) is { } reply)
            {
                return reply;
            }
        }

        throw new TransientFaultException("The resource's agenda keeps changing.");
    }

    private static AgendaSlot? FirstConflict(IEnumerable<Stored<Agenda>?> agenda, Booking booking) => agenda
        .Select(a => a?.Value.ConflictWith(booking.Start, booking.End))
        .FirstOrDefault(slot => slot is not null);

    /// <summary>Everybody may know when the resource is taken; whose booking it is, only staff.</summary>
    private static Error Conflict(AgendaSlot slot, Caller caller)
    {
        var conflict = new Dictionary<string, object?> { ["start"] = slot.Start, ["end"] = slot.End };
        if (caller.IsStaff)
        {
            conflict["bookingId"] = slot.Booking;
        }

        return Error.Refused(ErrorCodes.BookingConflict, "The resource is taken at that time.") with
        {
            Extensions = new Dictionary<string, object?> { ["conflict"] = conflict },
        };
    }

    private sealed record Wish(Resource Resource, Location Location, Rate Rate, Member Member, Interval Time);
}
