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

    /// <summary>Taken off it since, by reductions; less than all of it.</summary>
    public Money? Reduced { get; init; }

    /// <summary>What is still owed of it, net.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public Money Owed => CancelledAt is not null ? Money.Zero(Net.Currency) : Reduced is { } reduced ? Net - reduced : Net;

    public InvoiceId? InvoiceId { get; init; }

    /// <summary>With tax, as its invoice shows it.</summary>
    public Money? Gross { get; init; }

    public bool IsPaid { get; init; }
}

/// <summary>The series an occurrence belongs to.</summary>
/// <param name="Date">Its local date by the rule, which names it within the series.</param>
/// <param name="AccountOn">Local date on which it is priced and charged.</param>
public sealed record OccurrenceOf(SeriesId SeriesId, LocalDate Date, LocalDate AccountOn);

/// <summary>A change that has its new slot, beside the old one, and waits for the wallet.</summary>
/// <param name="QuoteId">The price it was promised; null: whatever it costs.</param>
/// <param name="Revision">Of the draw: the booking's version when the slot was taken.</param>
/// <param name="RequestKey">Idempotency key row of its request.</param>
public sealed record BookingChange(
    ResourceId ResourceId,
    Instant Start,
    Instant End,
    Buffers Buffers,
    FrozenRate Rate,
    IReadOnlyList<PolicyOverride> Overrides,
    string? QuoteId,
    string By,
    Instant At,
    long Revision,
    string? RequestKey);

/// <summary>Where and when a booking is.</summary>
public sealed record BookedSlot(ResourceId ResourceId, Instant Start, Instant End);

/// <summary>A change that was made, for the record and for whoever asks again what became of it.</summary>
/// <param name="Revision">As in <see cref="BookingChange"/>.</param>
/// <param name="RequestKey">As in <see cref="BookingChange"/>.</param>
public sealed record BookingChanged(
    BookedSlot From, BookedSlot To, ChangeSummary Summary, string By, Instant At, long Revision, string? RequestKey);

/// <summary>How the difference that a change makes is settled.</summary>
public enum ChangeSettlement
{
    None,

    /// <summary>A further charge of the difference, for the next invoice.</summary>
    ExtraCharge,

    /// <summary>What is not invoiced yet becomes less.</summary>
    ReducedCharge,

    /// <summary>What is on an invoice already is credited.</summary>
    CreditNote,
}

/// <summary>What a change costs (BKG-7): never the whole new price, only what it adds to or takes off what is charged. All amounts net.</summary>
/// <param name="AlreadyCharged">What is owed for the booking, on invoices or waiting for one.</param>
/// <param name="AlreadyInvoiced">Of that, what is on invoices.</param>
/// <param name="AlreadyPaid">Of that, what is paid.</param>
/// <param name="NewPrice">Of the new slot at today's rates, after credits and passes.</param>
/// <param name="Delta">New price minus what is charged; 0 for a booking that is not charged before it is approved.</param>
public sealed record ChangeSummary(
    Money AlreadyCharged, Money AlreadyInvoiced, Money AlreadyPaid, Money NewPrice, Money Delta, ChangeSettlement Settlement);

/// <summary>Who has approved a booking, and when.</summary>
/// <param name="By">Subject of the caller.</param>
public sealed record BookingApproval(string By, Instant At);

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

    /// <summary>Under way. Whoever else wants to change the booking finishes it first; only a cancellation that returns everything need not.</summary>
    public BookingChange? Change { get; init; }

    /// <summary>The latest ten, the last one last.</summary>
    public IReadOnlyList<BookingChanged> Changes { get; init; } = [];

    public BookingApproval? Approval { get; init; }

    /// <summary>Subject of the caller who cancelled it; null when it ended by itself.</summary>
    public string? CancelledBy { get; init; }

    public IReadOnlyList<PolicyOverride> Overrides { get; init; } = [];

    /// <summary>The tries to pay it at once, in order.</summary>
    public IReadOnlyList<BookingPayment> Payments { get; init; } = [];

    /// <summary>Idempotency key row of the request it is being made by, while it is held.</summary>
    public string? RequestKey { get; init; }

    [System.Text.Json.Serialization.JsonIgnore]
    public BookedSlot Slot => new(ResourceId, Start, End);

    /// <summary>What is owed for it now, net.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public Money Owed => Charges.Aggregate(Money.Zero(Price.Fee.Currency), (sum, c) => sum + c.Owed);

    /// <summary>An occurrence that is not accounted yet: it waits for no approval, and its price is the regular one, whatever the wallet has.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsEstimated => State == BookingState.Tentative && Series is not null;

    /// <summary>
    /// The wallet may know it: it has taken something or is about to, or an approval was cut off after it had. Its price is only an
    /// estimate while it is held or tentative.
    /// </summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool MayHaveDrawn => State is BookingState.Held or BookingState.Tentative || Change is not null || Price.Takings.Count > 0;

    /// <summary>A booking that does not hold its slot yet. Pure: ids and time come from the caller.</summary>
    public static Booking Wish(BookingId id, BookingWish wish, BookingPrice price, string createdBy, Instant now) => new(
        id,
        wish.Resource.Id,
        wish.Location.Id,
        wish.Member.Id,
        wish.Member.CustomerId,
        wish.Time.Start,
        wish.Time.End,
        Buffers.Of(wish.Resource),
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
