using System.Globalization;
using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Members;
using Flex.Settings;
using NodaTime;

namespace Flex.Bookings;

public enum BookingState
{
    /// <summary>The slot is taken.</summary>
    Confirmed,

    /// <summary>The slot is free again and nothing is owed.</summary>
    Cancelled,
}

public enum BookingAccounting
{
    /// <summary>Nothing is owed: it is free, or was cancelled.</summary>
    NotAccounted,

    /// <summary>Its price is a charge waiting for, or on, an invoice.</summary>
    Accounted,
}

/// <summary>The price of a booking as it was when it was made; it never changes with the rate (BKG-9).</summary>
public sealed record FrozenRate(RateId RateId, Money HourlyPrice, TaxRateId? TaxRateId);

/// <summary>One use of one resource, <c>[Start, End)</c>.</summary>
/// <param name="TimeZone">The location's zone when it was booked, for showing local times.</param>
/// <param name="Price">Net; elapsed time × hourly price.</param>
/// <param name="ChargeId">What the customer owes for it; null when the price is 0.</param>
/// <param name="CreatedBy">Subject of the caller.</param>
public sealed record Booking(
    BookingId Id,
    ResourceId ResourceId,
    LocationId LocationId,
    MemberId MemberId,
    CustomerId CustomerId,
    Instant Start,
    Instant End,
    string TimeZone,
    BookingState State,
    BookingAccounting Accounting,
    Money Price,
    FrozenRate Rate,
    ChargeId? ChargeId,
    BookingCancelReason? CancelReason,
    Instant? CancelledAt,
    string CreatedBy,
    Instant CreatedAt,
    long Version)
{
    /// <summary>A confirmed booking with its frozen price. Pure: ids and time come from the caller.</summary>
    public static Booking Confirm(
        BookingId id, ChargeId chargeId, Resource resource, Location location, Rate rate, Member member, Interval time, string createdBy, Instant now)
    {
        Money price = RateRules.PriceOf(RatedTime.Of(resource, rate, location, time));
        return new Booking(
            id,
            resource.Id,
            location.Id,
            member.Id,
            member.CustomerId,
            time.Start,
            time.End,
            location.TimeZone,
            BookingState.Confirmed,
            price.IsZero ? BookingAccounting.NotAccounted : BookingAccounting.Accounted,
            price,
            new FrozenRate(rate.Id, rate.HourlyPrice!.Value, rate.TaxRateId),
            price.IsZero ? null : chargeId,
            CancelReason: null,
            CancelledAt: null,
            createdBy,
            now,
            Version: 1);
    }

    /// <summary>The booking without its slot and its charge; null when it does not hold a slot any more.</summary>
    public Booking? Cancel(BookingCancelReason reason, Instant now) => State == BookingState.Cancelled
        ? null
        : this with
        {
            State = BookingState.Cancelled,
            Accounting = BookingAccounting.NotAccounted,
            CancelReason = reason,
            CancelledAt = now,
            Version = Version + 1,
        };

    /// <summary>The charge that commits with the booking (BKG-1); null when nothing is owed.</summary>
    public BookingCharge? Charge() => ChargeId is { } charge
        ? new BookingCharge(charge, Id, CustomerId, Price, Rate.TaxRateId, new SiteCalendar(TimeZone).DateOf(Start), CreatedAt, CancelledAt)
        : null;

    /// <summary>The charge as billing hears of it.</summary>
    public ChargeCreated? ChargeCreated(string resourceName) => Charge() is { } charge
        ? new ChargeCreated(
            charge.Id, CustomerId, MemberId, LocationId, Id.Value, Describe(resourceName), Price, Rate.TaxRateId, charge.ServiceDate, CreatedAt)
        : null;

    private string Describe(string resourceName)
    {
        var calendar = new SiteCalendar(TimeZone);
        LocalDateTime start = calendar.LocalOf(Start);
        LocalDateTime end = calendar.LocalOf(End);
        return start.Date == end.Date
            ? string.Create(CultureInfo.InvariantCulture, $"{resourceName}, {start:uuuu-MM-dd HH:mm} to {end:HH:mm}")
            : string.Create(CultureInfo.InvariantCulture, $"{resourceName}, {start:uuuu-MM-dd HH:mm} to {end:uuuu-MM-dd HH:mm}");
    }
}

/// <summary>What a booking costs whom, in the same partition and commit as the booking. Billing keeps its own copy by message.</summary>
/// <param name="Net">Final.</param>
/// <param name="ServiceDate">Local date of the start.</param>
public sealed record BookingCharge(
    ChargeId Id, BookingId BookingId, CustomerId CustomerId, Money Net, TaxRateId? TaxRateId, LocalDate ServiceDate, Instant CreatedAt, Instant? CancelledAt);
