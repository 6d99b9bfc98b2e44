using Flex.Catalogue;
using Flex.Platform.Identity;
using NodaTime;

namespace Flex.Bookings;

/// <summary>How somebody wants to cancel. Both members are for staff only.</summary>
/// <param name="BySpace">The space cannot give what was booked: everything comes back, whenever that is.</param>
/// <param name="Waive">Inside the notice: true returns everything all the same, false returns nothing. Must be said there (BKG-5).</param>
public sealed record CancelBookingRequest(bool BySpace = false, bool? Waive = null);

/// <summary>Whether a booking can be cancelled and what comes back. Pure.</summary>
public static class BookingCancellation
{
    /// <summary>
    /// The booking as it will be. What is not confirmed yet costs nothing and can be cancelled whenever no payment is under way. Outside the notice of the resource
    /// as it is now everything comes back (BKG-6); inside it, and after the start, members cannot cancel and staff say whether anything
    /// does. What is over can only be given back whole.
    /// </summary>
    public static Result<Booking> Decide(Booking b, BookingTerms terms, CancelBookingRequest request, Caller caller, Instant now)
    {
        if (!caller.IsStaff && (request.BySpace || request.Waive is not null))
        {
            return new Error(ErrorKind.Forbidden, ErrorCodes.Forbidden, "Only staff may cancel in the name of the space or waive a fee.");
        }

        BookingCancelReason reason = request.BySpace ? BookingCancelReason.BySpace
            : caller.IsStaff ? BookingCancelReason.ByStaff : BookingCancelReason.ByMember;
        if (b.Expire(now) is not null || b.Cancel(reason, now) is not { } cancelled)
        {
            return BookingStates.Illegal(b.Expire(now) ?? b, "cancelled", "held, tentative, confirmed or checked in");
        }

        if (b.PaymentUnderWay() is not null)
        {
            return Error.Refused(ErrorCodes.PaymentInProgress, "A payment for the booking is under way: wait for its outcome.");
        }

        cancelled = cancelled with { CancelledBy = caller.Subject };
        if (b.State is BookingState.Held or BookingState.Tentative || request.BySpace || !BookingRules.IsInsideNotice(b.Start, terms, now))
        {
            return cancelled;
        }

        if (!caller.IsStaff)
        {
            return InsideNotice(b, terms);
        }

        return request.Waive switch
        {
            null => Error.Invalid(ErrorCodes.InvalidValue, "/waive", "The notice has begun: say whether what the booking cost is returned."),
            true => b.Accounting == BookingAccounting.NotAccounted ? cancelled : cancelled with { Accounting = BookingAccounting.Waived },
            false when b.End <= now => BookingStates.Illegal(b, "cancelled without returning anything after its end", "ahead or under way"),
            false => b.CancelLate(reason, now)! with { CancelledBy = caller.Subject },
        };
    }

    /// <summary>BKG-5, with the last instant at which it was possible.</summary>
    public static Error InsideNotice(Booking b, BookingTerms terms) =>
        Error.Refused(ErrorCodes.CancellationNotice, $"Members cancel or change this at least {terms.CancellationNoticeMinutes} minutes before the start.") with
        {
            Extensions = new Dictionary<string, object?> { ["until"] = b.Start - Duration.FromMinutes(terms.CancellationNoticeMinutes) },
        };
}
