using Flex.Invoicing;
using Flex.Platform.Http;
using NodaTime;

namespace Flex.Bookings;

/// <param name="LocalStart">The start on the location's clock.</param>
/// <param name="Price">Net, to be paid for it; frozen when it was accounted, an estimate while it is tentative or held.</param>
/// <param name="RegularPrice">Net, of the minutes that neither credits nor passes cover, at the regular rate.</param>
/// <param name="CreditMinutes">Taken from credits.</param>
/// <param name="PassMinutes">Taken from booking passes.</param>
/// <param name="ChargeIds">What billing knows of it.</param>
/// <param name="Payment">The last try to pay it at once; null when there was none.</param>
/// <param name="ActBy">When it changes by itself: a hold ends, an approval or a check-in is missed.</param>
/// <param name="CancelledBy">Subject of the caller; null when it ended by itself.</param>
/// <param name="Overrides">What staff have set aside for it.</param>
/// <param name="Moves">The latest ten changes of its time or resource, the last one last.</param>
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
    Money RegularPrice,
    Money Discount,
    Money MoneyCredit,
    int CreditMinutes,
    int PassMinutes,
    IReadOnlyList<ChargeId> ChargeIds,
    SeriesId? SeriesId,
    BookingPaymentView? Payment,
    Instant? ActBy,
    BookingCancelReason? CancelReason,
    Instant? CancelledAt,
    string? CancelledBy,
    Instant? CheckedInAt,
    IReadOnlyList<PolicyOverride> Overrides,
    IReadOnlyList<BookingMove> Moves,
    BookingApproval? Approval,
    Instant CreatedAt,
    long Version) : IVersioned
{
    public static BookingView Of(Booking b, Instant now) => new(
        b.Id,
        b.ResourceId,
        b.LocationId,
        b.MemberId,
        b.Start,
        b.End,
        b.TimeZone,
        new SiteCalendar(b.TimeZone).LocalOf(b.Start),
        b.StateAt(now),
        b.Accounting,
        b.Price.Fee,
        b.Price.Regular,
        b.Price.Discount,
        b.Price.MoneyCredit,
        b.Price.CreditMinutes,
        b.Price.PassMinutes,
        [.. b.Charges.Where(c => c.CancelledAt is null).Select(c => c.Id)],
        b.Series?.SeriesId,
        b.Payments is [.., { } last] ? BookingPaymentView.Of(last) : null,
        b.ActBy,
        b.CancelReason,
        b.CancelledAt,
        b.CancelledBy,
        b.CheckedInAt,
        b.Overrides,
        [.. b.Changes.Where(c => c.From != c.To).Select(c => new BookingMove(c.From, c.To, c.By, c.At))],
        b.Approval,
        b.CreatedAt,
        b.Version);
}

/// <param name="State">Processing while a bank or the gateway owes the outcome: the booking is held, and confirmed when it is paid.</param>
/// <param name="DeclineCode">Why it failed.</param>
public sealed record BookingPaymentView(InvoiceId InvoiceId, BookingPaymentState State, string? DeclineCode)
{
    public static BookingPaymentView Of(BookingPayment payment) => new(payment.InvoiceId, payment.State, DeclineCodes.Shown(payment.FailureCode));
}

/// <summary>From where to where a booking was moved, and by whom.</summary>
/// <param name="By">Subject of the caller.</param>
public sealed record BookingMove(BookedSlot From, BookedSlot To, string By, Instant At);
