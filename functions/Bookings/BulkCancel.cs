using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;
using FluentValidation;
using NodaTime;

namespace Flex.Bookings;

/// <summary>
/// Which bookings to cancel, and how: named ones, or those that share time with <c>[From, To)</c> at a location, of a resource or of a
/// member; at most <see cref="BulkCancelHandler.MaxBookings"/>.
/// </summary>
/// <param name="MemberId">May be given with a place.</param>
/// <param name="BookingIds">Alone.</param>
/// <param name="BySpace">As in <see cref="CancelBookingRequest"/>.</param>
/// <param name="Waive">As in <see cref="CancelBookingRequest"/>.</param>
public sealed record BulkCancelRequest(
    LocationId? LocationId = null,
    ResourceId? ResourceId = null,
    MemberId? MemberId = null,
    Instant? From = null,
    Instant? To = null,
    IReadOnlyList<BookingId>? BookingIds = null,
    bool BySpace = false,
    bool? Waive = null);

public sealed class BulkCancelValidator : AbstractValidator<BulkCancelRequest>
{
    private const int MaxDays = 366;

    public BulkCancelValidator()
    {
        RuleFor(r => r.BookingIds!).Must(ids => ids.Count is > 0 and <= BulkCancelHandler.MaxBookings && ids.Distinct().Count() == ids.Count)
            .WithMessage($"1 to {BulkCancelHandler.MaxBookings} bookings, each once.").When(r => r.BookingIds is not null);
        RuleFor(r => r.BookingIds).Must((r, _) => r is { LocationId: null, ResourceId: null, MemberId: null, From: null, To: null })
            .WithMessage("Name bookings, or say where and when, not both.").When(r => r.BookingIds is not null);
        RuleFor(r => r.LocationId).Must((r, _) => r.LocationId is null != r.ResourceId is null || (r is { LocationId: null, MemberId: not null }))
            .WithMessage("Name a location or a resource, or a member.").When(r => r.BookingIds is null);
        RuleFor(r => r.From).Must(f => f >= Instant.FromUtc(2000, 1, 1, 0, 0)).WithMessage("From when on, 2000 at the earliest.").When(r => r.BookingIds is null);
        RuleFor(r => r.To).Must((r, to) => to > r.From && to - r.From <= Duration.FromDays(MaxDays))
            .WithMessage($"Until when: after the beginning, by at most {MaxDays} days.").When(r => r.BookingIds is null);
    }
}

public enum BulkCancelOutcome
{
    Cancelled,
    LateCancelled,

    /// <summary>The code says why.</summary>
    NotCancellable,

    /// <summary>A dependency was busy or down; the same request again goes on with it.</summary>
    Failed,
}

/// <summary>What becomes of one booking, and what comes back to its member.</summary>
/// <param name="Code">As a single cancellation would be refused with; null when it is not.</param>
/// <param name="Fee">Net, not owed any more.</param>
public sealed record BulkCancelItem(
    BookingId BookingId,
    ResourceId ResourceId,
    MemberId MemberId,
    Instant Start,
    Instant End,
    bool IsInsideNotice,
    BulkCancelOutcome Outcome,
    string? Code,
    Money Fee,
    Money MoneyCredit,
    int CreditMinutes,
    int PassMinutes);

/// <summary>In the order of start.</summary>
public sealed record BulkCancelView(IReadOnlyList<BulkCancelItem> Results);

/// <summary>
/// Cancels many bookings, each in commits of its own, so that one that cannot be cancelled holds up no other. The same request again
/// finishes what was left over. One storage call per 1,000 agendas or bookings of the member, one for each booking, and for each that is
/// cancelled what a cancellation takes.
/// </summary>
public sealed class BulkCancelHandler(
    BookingStore bookings, CancelBookingHandler cancel, BookingWishes wishes, CatalogueStore catalogue, SettingsStore settings, MemberStore members, TimeProvider time)
{
    public const int MaxBookings = 500;

    private const int AtOnce = 10;

    public async Task<Reply<BulkCancelView>> PreviewAsync(BulkCancelRequest request, RequestContext context, CancellationToken cancellation)
    {
        Result<IReadOnlyList<Stored<Booking>>> chosen = await ChooseAsync(request, cancellation);
        if (chosen.IsError)
        {
            return chosen.Error;
        }

        Instant now = time.Now();
        var items = new List<BulkCancelItem>();
        foreach (Booking booking in chosen.Value.Select(c => c.Value))
        {
            BookingTerms terms = (await wishes.ResourceAsync(booking.ResourceId, cancellation)).Terms;

            // A change under way will be finished first; until then the booking is what it was.
            Result<Booking> decided = BookingCancellation.Decide(booking with { Change = null }, terms, HowOf(request), context.Caller, now);
            items.Add(ItemOf(booking, terms, decided, now));
        }

        return new BulkCancelView(items);
    }

    public async Task<Reply<BulkCancelView>> CancelAsync(BulkCancelRequest request, RequestContext context, CancellationToken cancellation)
    {
        Result<IReadOnlyList<Stored<Booking>>> chosen = await ChooseAsync(request, cancellation);
        if (chosen.IsError)
        {
            return chosen.Error;
        }

        // Without the request's key: what each booking is now says whether anything is left to do.
        RequestContext each = RequestContext.For(context.Caller, context.CorrelationId);
        var items = new List<BulkCancelItem>();
        foreach (Stored<Booking>[] some in chosen.Value.Chunk(AtOnce))
        {
            items.AddRange(await Task.WhenAll(some.Select(booking => CancelOneAsync(booking, HowOf(request), each, cancellation))));
        }

        return new BulkCancelView(items);
    }

    private async Task<BulkCancelItem> CancelOneAsync(
        Stored<Booking> found, CancelBookingRequest how, RequestContext context, CancellationToken cancellation)
    {
        Instant now = time.Now();
        BookingTerms terms = (await wishes.ResourceAsync(found.Value.ResourceId, cancellation)).Terms;
        try
        {
            return ItemOf(found.Value, terms, await cancel.EndAsync(found, how, context, cancellation), now);
        }
        catch (TransientFaultException)
        {
            return ItemOf(found.Value, terms, new Error(ErrorKind.Unavailable, ErrorCodes.Unavailable, "Not cancelled yet."), now);
        }
    }

    private static CancelBookingRequest HowOf(BulkCancelRequest request) => new(request.BySpace, request.Waive);

    private static BulkCancelItem ItemOf(Booking before, BookingTerms terms, Result<Booking> decided, Instant now)
    {
        BookingState state = decided.IsError ? before.State : decided.Value.State;
        BulkCancelOutcome outcome = state switch
        {
            BookingState.Cancelled => BulkCancelOutcome.Cancelled,
            BookingState.LateCancelled => BulkCancelOutcome.LateCancelled,
            _ when decided.Error is { Kind: ErrorKind.Unavailable } => BulkCancelOutcome.Failed,
            _ => BulkCancelOutcome.NotCancellable,
        };
        bool returns = !decided.IsError && state == BookingState.Cancelled && before.State is not (BookingState.Held or BookingState.Tentative);
        Money zero = Money.Zero(before.Price.Fee.Currency);
        return new BulkCancelItem(
            before.Id,
            before.ResourceId,
            before.MemberId,
            before.Start,
            before.End,
            BookingRules.IsInsideNotice(before.Start, terms, now),
            outcome,
            outcome is BulkCancelOutcome.Failed or BulkCancelOutcome.NotCancellable ? decided.Error!.Code : null,
            returns ? before.Owed : zero,
            returns ? before.Price.MoneyCredit : zero,
            returns ? before.Price.CreditMinutes : 0,
            returns ? before.Price.PassMinutes : 0);
    }

    private async Task<Result<IReadOnlyList<Stored<Booking>>>> ChooseAsync(BulkCancelRequest request, CancellationToken cancellation)
    {
        Result<IReadOnlyList<BookingId>> ids = request.BookingIds is { } named ? Result<IReadOnlyList<BookingId>>.From(named)
            : request.MemberId is { } member ? await OfMemberAsync(member, request, cancellation)
            : await OfPlaceAsync(request, cancellation);
        if (ids.IsError)
        {
            return ids.Error;
        }

        var found = new List<Stored<Booking>>();
        foreach (BookingId[] some in ids.Value.Chunk(AtOnce))
        {
            Stored<Booking>?[] read = await Task.WhenAll(some.Select(id => bookings.ReadAsync(id, cancellation)));
            if (Array.IndexOf(read, null) is >= 0 and var missing)
            {
                return Error.Invalid(ErrorCodes.UnknownReference, $"/bookingIds/{found.Count + missing}", "There is no such booking.");
            }

            found.AddRange(read!);
        }

        Stored<Booking>[] chosen = [.. found
            .Where(f => request.BookingIds is not null || IsMeant(f.Value, request))
            .OrderBy(f => f.Value.Start).ThenBy(f => f.Value.Id.Value, StringComparer.Ordinal)];
        return chosen.Length > MaxBookings ? TooMany() : chosen;
    }

    private static bool IsMeant(Booking b, BulkCancelRequest request) =>
        b.HoldsSlot() && b.Start < request.To && request.From < b.End
            && (request.LocationId is null || b.LocationId == request.LocationId)
            && (request.ResourceId is null || b.ResourceId == request.ResourceId);

    private async Task<Result<IReadOnlyList<BookingId>>> OfMemberAsync(
        MemberId member, BulkCancelRequest request, CancellationToken cancellation)
    {
        if (await members.FindAsync(member, cancellation) is null)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/memberId", "There is no such member.");
        }

        var ids = new HashSet<BookingId>();
        await foreach (BookingEntry entry in bookings.ListByMemberAsync(
            member, request.From!.Value - BookingRules.MaxLength, request.To, cancellation))
        {
            ids.Add(entry.BookingId);
        }

        return ids.ToArray();
    }

    private async Task<Result<IReadOnlyList<BookingId>>> OfPlaceAsync(BulkCancelRequest request, CancellationToken cancellation)
    {
        if (request.ResourceId is { } id && await catalogue.FindResourceAsync(id, cancellation) is null)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/resourceId", "There is no such resource.");
        }

        LocationId location = request.LocationId ?? (await wishes.ResourceAsync(request.ResourceId!.Value, cancellation)).LocationId;
        if (await settings.FindLocationAsync(location, cancellation) is null)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/locationId", "There is no such location.");
        }

        var time = new Interval(request.From!.Value, request.To!.Value);
        AgendaSheet sheet = await bookings.ReadLocationAsync(location, time, cancellation);
        BookingId[] ids = [.. sheet.Slots
            .Where(s => request.ResourceId is null || s.Resource == request.ResourceId)
            .Where(s => s.Slot.Start < time.End && time.Start < s.Slot.End)
            .Select(s => s.Slot.Booking)
            .Distinct()];
        return ids.Length > MaxBookings ? TooMany() : ids;
    }

    private static Error TooMany() =>
        Error.Invalid(ErrorCodes.InvalidValue, "/to", $"These are more than {MaxBookings} bookings: choose a shorter time or fewer resources.");
}
