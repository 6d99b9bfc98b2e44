using System.Globalization;
using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

public enum BookingState
{
    /// <summary>The slot is kept while the booking is settled or paid.</summary>
    Held,

    /// <summary>The slot is kept until staff approve it or, for an occurrence, until it is accounted.</summary>
    Tentative,

    Confirmed,
    CheckedIn,

    /// <summary>Checked in and over. Never stored: it follows from the time.</summary>
    Completed,

    /// <summary>The slot is free again and nothing is owed.</summary>
    Cancelled,

    /// <summary>Cancelled inside the notice: the slot is free again, what it cost stays.</summary>
    LateCancelled,

    /// <summary>Nobody checked in: the slot is free again, what it cost stays.</summary>
    NoShow,

    /// <summary>A hold that was not settled or paid in time.</summary>
    Expired,
}

public enum BookingAccounting
{
    /// <summary>Nothing is owed or taken: it is free, not accounted yet, or was cancelled.</summary>
    NotAccounted,

    /// <summary>Its price is settled: taken from the wallet, or a charge waiting for an invoice.</summary>
    Accounted,

    Invoiced,
    Paid,

    /// <summary>Staff have let the member off.</summary>
    Waived,

    /// <summary>An occurrence that could not be accounted when its turn came.</summary>
    NeedsAttention,
}

/// <summary>Which rate and tax rate a booking was made at; what it costs is frozen in its price (BKG-9).</summary>
public sealed record FrozenRate(RateId RateId, TaxRateId? TaxRateId);

/// <summary>What is owed for a booking. Billing keeps its own copy by message.</summary>
/// <param name="Net">As it was charged.</param>
public sealed record BookingCharge(ChargeId Id, Money Net, Instant CreatedAt)
{
    /// <summary>No longer owed, or credited.</summary>
    public Instant? CancelledAt { get; init; }

    /// <summary>Taken off it since, by reductions.</summary>
    public Money? Reduced { get; init; }

    public InvoiceId? InvoiceId { get; init; }

    /// <summary>With tax, as its invoice shows it.</summary>
    public Money? Gross { get; init; }

    public bool IsPaid { get; init; }
}

/// <summary>The series an occurrence belongs to.</summary>
/// <param name="Date">Its local date by the rule, which names it within the series.</param>
/// <param name="AccountOn">Local date on which it is priced and charged.</param>
public sealed record OccurrenceOf(SeriesId SeriesId, LocalDate Date, LocalDate AccountOn);

/// <summary>A change that has its new slot and waits for the wallet.</summary>
public sealed record BookingChange(ResourceId ResourceId, Instant Start, Instant End, Buffers Buffers, FrozenRate Rate, string By, Instant At);

/// <summary>A policy that staff have set aside for a booking, for the record (BKG-4).</summary>
public sealed record PolicyOverride(string Rule, string By, Instant At);

/// <summary>One use of one resource, <c>[Start, End)</c>.</summary>
/// <param name="TimeZone">The location's zone when it was booked, for showing local times.</param>
/// <param name="OnMembership">The member had a paid membership when it was made; it falls with that membership.</param>
/// <param name="ActBy">When it changes by itself: a held one expires, a tentative one is cancelled, one not checked in is a no-show.</param>
/// <param name="CreatedBy">Subject of the caller.</param>
public sealed record Booking(
    BookingId Id,
    ResourceId ResourceId,
    LocationId LocationId,
    MemberId MemberId,
    CustomerId CustomerId,
    Instant Start,
    Instant End,
    Buffers Buffers,
    string TimeZone,
    BookingState State,
    BookingAccounting Accounting,
    BookingPrice Price,
    FrozenRate Rate,
    IReadOnlyList<BookingCharge> Charges,
    bool OnMembership,
    Instant? ActBy,
    BookingCancelReason? CancelReason,
    Instant? CancelledAt,
    Instant? CheckedInAt,
    string CreatedBy,
    Instant CreatedAt,
    long Version)
{
    /// <summary>How long before its start one can check in.</summary>
    public static readonly Duration CheckInOpens = Duration.FromMinutes(15);

    public OccurrenceOf? Series { get; init; }

    public BookingChange? Change { get; init; }

    public IReadOnlyList<PolicyOverride> Overrides { get; init; } = [];

    /// <summary>The tries to pay it at once, in order.</summary>
    public IReadOnlyList<BookingPayment> Payments { get; init; } = [];

    /// <summary>Idempotency key row of the request it is being made by, while it is held.</summary>
    public string? RequestKey { get; init; }

    /// <summary>What is owed for it now, net.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public Money Owed => Charges
        .Where(c => c.CancelledAt is null)
        .Aggregate(Money.Zero(Price.Fee.Currency), (sum, c) => sum + c.Net - (c.Reduced ?? Money.Zero(c.Net.Currency)));

    /// <summary>A booking that does not hold its slot yet. Pure: ids and time come from the caller.</summary>
    public static Booking Wish(BookingId id, BookingWish wish, BookingPrice price, string createdBy, Instant now) => new(
        id,
        wish.Resource.Id,
        wish.Location.Id,
        wish.Member.Id,
        wish.Member.CustomerId,
        wish.Time.Start,
        wish.Time.End,
        wish.Buffers,
        wish.Location.TimeZone,
        BookingState.Held,
        BookingAccounting.NotAccounted,
        price,
        new FrozenRate(wish.Rate.Id, wish.Rate.TaxRateId),
        [],
        wish.HasPaidMembership,
        ActBy: null,
        CancelReason: null,
        CancelledAt: null,
        CheckedInAt: null,
        createdBy,
        now,
        Version: 0);

    /// <summary>The charge as billing hears of it.</summary>
    public ChargeCreated Announce(BookingCharge charge, string resourceName)
    {
        var calendar = new SiteCalendar(TimeZone);
        return new ChargeCreated(
            charge.Id,
            CustomerId,
            MemberId,
            LocationId,
            Id.Value,
            Describe(resourceName),
            charge.Net,
            Rate.TaxRateId,
            calendar.DateOf(Start),
            charge.CreatedAt);
    }

    public string Describe(string resourceName)
    {
        var calendar = new SiteCalendar(TimeZone);
        LocalDateTime start = calendar.LocalOf(Start);
        LocalDateTime end = calendar.LocalOf(End);
        return start.Date == end.Date
            ? string.Create(CultureInfo.InvariantCulture, $"{resourceName}, {start:uuuu-MM-dd HH:mm} to {end:HH:mm}")
            : string.Create(CultureInfo.InvariantCulture, $"{resourceName}, {start:uuuu-MM-dd HH:mm} to {end:uuuu-MM-dd HH:mm}");
    }
}
