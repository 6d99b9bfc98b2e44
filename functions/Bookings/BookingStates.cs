using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <summary>The booking's state machine. Transitions are pure; what they mean for agendas, wallets and bills leaves with their commit.</summary>
public static class BookingStates
{
    /// <summary>How long a slot is held for a booking that is being settled or paid (BKG-11).</summary>
    public static readonly Duration HoldTime = Duration.FromMinutes(10);

    /// <summary>How long the slot of an occurrence that could not be accounted is kept (REC-3).</summary>
    public static readonly Duration AttentionTime = Duration.FromHours(72);

    /// <summary>Whether the booking stands in the agenda.</summary>
    public static bool HoldsSlot(this Booking b) =>
        b.State is BookingState.Held or BookingState.Tentative or BookingState.Confirmed or BookingState.CheckedIn;

    /// <summary>What it shows: a booking that was checked in is completed when its time is over.</summary>
    public static BookingState StateAt(this Booking b, Instant now) =>
        b.State == BookingState.CheckedIn && b.End <= now ? BookingState.Completed : b.State;

    /// <summary>The slot is kept until the booking has been settled or paid, ten minutes at most.</summary>
    public static Booking Hold(this Booking b, Instant now) => b.To(BookingState.Held) with { ActBy = now + HoldTime };

    /// <summary>The slot is kept until staff have approved it; not past the deadline before its start.</summary>
    public static Booking AwaitApproval(this Booking b, Resource resource) => b.To(BookingState.Tentative) with
    {
        ActBy = b.Start - Duration.FromMinutes(resource.Terms.ApprovalDeadlineMinutes),
    };

    /// <summary>The slot is kept until the occurrence is accounted.</summary>
    public static Booking AwaitAccounting(this Booking b) => b.To(BookingState.Tentative);

    /// <summary>
    /// An occurrence that could not be accounted: the slot is kept for 72 hours more (REC-3), and not past its start. The same booking when
    /// it has failed before.
    /// </summary>
    public static Booking NeedAttention(this Booking b, Instant now) => b.Accounting == BookingAccounting.NeedsAttention ? b : b with
    {
        Accounting = BookingAccounting.NeedsAttention,
        ActBy = Instant.Min(now + AttentionTime, b.Start),
        Version = b.Version + 1,
    };

    /// <summary>An occurrence whose price is not settled, that has a slot and still can be.</summary>
    public static bool IsToAccount(this Booking b, Instant now) =>
        b.IsEstimated && b.Expire(now) is null;

    /// <summary>It stands, at its final price (BKG-9), and what is to be paid later is a charge (BKG-1).</summary>
    public static Booking Confirm(this Booking b, BookingPrice price, ChargeId chargeId, Resource resource, Instant now) =>
        b.Settle(price, price.Fee.IsZero ? [] : [new BookingCharge(chargeId, price.Fee, now)], resource);

    /// <summary>It stands, and its fee is paid already.</summary>
    public static Booking ConfirmPaid(this Booking b, BookingPrice price, BookingCharge paid, Resource resource) =>
        b.Settle(price, [paid], resource) with { Accounting = BookingAccounting.Paid };

    /// <summary>The slot is free again and nothing is owed. Null when it holds none any more.</summary>
    public static Booking? Cancel(this Booking b, BookingCancelReason reason, Instant now) => b.HoldsSlot()
        ? b.End(BookingState.Cancelled, reason, now) with
        {
            Accounting = BookingAccounting.NotAccounted,
            Charges = [.. b.Charges.Select(c => c.CancelledAt is null ? c with { CancelledAt = now } : c)],
            Change = null,
        }
        : null;

    /// <summary>
    /// The slot is free again, but what it cost stays. Null when it holds none any more, or while a change decides what it costs.
    /// </summary>
    public static Booking? CancelLate(this Booking b, BookingCancelReason reason, Instant now) =>
        b.HoldsSlot() && b.Change is null ? b.End(BookingState.LateCancelled, reason, now) : null;

    /// <summary>
    /// What time has made of it: a hold has run out, an approval has not come, nobody has checked in. Null when nothing is due, or while a
    /// change is under way.
    /// </summary>
    public static Booking? Expire(this Booking b, Instant now)
    {
        if (b.ActBy is not { } due || due > now || b.Change is not null)
        {
            return null;
        }

        return b.State switch
        {
            BookingState.Held => b.End(BookingState.Expired, BookingCancelReason.NotPaid, now),
            BookingState.Confirmed when b.Accounting == BookingAccounting.NeedsAttention => b.Cancel(BookingCancelReason.NotAccounted, now),
            BookingState.Tentative when b.Accounting == BookingAccounting.NeedsAttention => b.Cancel(BookingCancelReason.NotAccounted, now),
            BookingState.Tentative => b.Cancel(BookingCancelReason.NotApproved, now),
            BookingState.Confirmed => b.End(BookingState.NoShow, null, now),
            _ => null,
        };
    }

    /// <summary>From 15 minutes before the start to the end (BKG-13); not once it is a no-show, even if nobody has noticed yet.</summary>
    public static Result<Booking> CheckIn(this Booking b, Instant now) => b switch
    {
        { State: BookingState.CheckedIn } => b,
        { State: BookingState.Confirmed, Change: null } when now >= b.Start - Booking.CheckInOpens && now < b.End && b.Expire(now) is null =>
            b.To(BookingState.CheckedIn) with { CheckedInAt = now },
        _ => Illegal(b.Expire(now) ?? b, "checked in now", "confirmed, from 15 minutes before its start"),
    };

    /// <summary>Null when staff can decide on it: it waits for approval, and not too late (BKG-10).</summary>
    public static Error? RefuseDecision(this Booking b, Instant now) =>
        b is { State: BookingState.Tentative, ActBy: { } due, Accounting: BookingAccounting.NotAccounted } && now < due && now < b.Start
            ? null
            : Illegal(b.Expire(now) ?? b, "approved or rejected", "tentative, until the deadline for its approval");

    /// <summary>Its charges are on an invoice, or paid: forward only, whichever is heard of first. The same booking when that is no news.</summary>
    public static Booking Note(this Booking b, InvoiceId invoice, IReadOnlyList<InvoicedCharge> charges, bool isPaid)
    {
        Dictionary<ChargeId, InvoicedCharge> news = charges.ToDictionary(c => c.ChargeId);
        BookingCharge[] after = [.. b.Charges.Select(c => news.TryGetValue(c.Id, out InvoicedCharge? n)
            ? c with { InvoiceId = invoice, Gross = n.Gross, IsPaid = c.IsPaid || isPaid }
            : c)];
        if (after.SequenceEqual(b.Charges))
        {
            return b;
        }

        BookingCharge[] standing = [.. after.Where(c => c.CancelledAt is null)];
        BookingAccounting accounting = standing.Length == 0 || standing.Any(c => c.InvoiceId is null) ? b.Accounting : AccountingOf(b.Price, standing);
        return b with { Charges = after, Accounting = accounting, Version = b.Version + 1 };
    }

    /// <summary>What the accounting of a booking at a final price is: as far as the last of its charges has got.</summary>
    public static BookingAccounting AccountingOf(BookingPrice price, IEnumerable<BookingCharge> charges)
    {
        BookingCharge[] standing = [.. charges.Where(c => c.CancelledAt is null)];
        return standing.Length == 0 && price.Takings.Count == 0 ? BookingAccounting.NotAccounted
            : standing.Length == 0 || standing.Any(c => c.InvoiceId is null) ? BookingAccounting.Accounted
            : standing.All(c => c.IsPaid) ? BookingAccounting.Paid : BookingAccounting.Invoiced;
    }

    /// <summary>When nobody having checked in makes it a no-show; null: never.</summary>
    public static Instant? NoShowAt(Instant start, Resource resource) =>
        resource.Terms.CheckInGraceMinutes is { } grace ? start + Duration.FromMinutes(grace) : null;

    public static Error Illegal(Booking b, string what, string allowed) =>
        Error.Refused(ErrorCodes.InvalidTransition, $"A booking that is {b.State} cannot be {what}.") with
        {
            Extensions = new Dictionary<string, object?> { ["state"] = b.State.ToString(), ["allowed"] = new[] { allowed } },
        };

    private static Booking Settle(this Booking b, BookingPrice price, IReadOnlyList<BookingCharge> charges, Resource resource) =>
        b.To(BookingState.Confirmed) with
        {
            Price = price,
            Charges = charges,
            Accounting = AccountingOf(price, charges),
            ActBy = NoShowAt(b.Start, resource),
        };

    private static Booking To(this Booking b, BookingState state) => b with { State = state, ActBy = null, Version = b.Version + 1 };

    private static Booking End(this Booking b, BookingState state, BookingCancelReason? reason, Instant now) =>
        b.To(state) with { CancelReason = reason, CancelledAt = now };
}
