using Flex.Catalogue;
using Flex.Platform.Identity;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <summary>Moving a booking to another time or resource of its location, and what that costs (BKG-7). Pure.</summary>
public static class BookingChanges
{
    /// <summary>How many changes a booking remembers.</summary>
    private const int MaxKept = 10;

    /// <summary>Null when the caller may move the booking at all; <paramref name="terms"/> are those of where it is.</summary>
    public static Error? Refuse(Booking b, BookingTerms terms, Caller caller, Instant now)
    {
        if (b.State is not (BookingState.Confirmed or BookingState.Tentative) || b.Accounting == BookingAccounting.NeedsAttention || b.Expire(now) is not null)
        {
            return BookingStates.Illegal(b.Expire(now) ?? b, "changed", "confirmed or tentative, and ahead");
        }

        // Staff may change it inside the notice, but not once it has begun.
        return !caller.IsStaff && BookingRules.IsInsideNotice(b.Start, terms, now) ? BookingCancellation.InsideNotice(b, terms)
            : b.Start <= now ? BookingStates.Illegal(b, "changed after its start", "confirmed or tentative, and ahead")
            : null;
    }

    /// <summary>
    /// Null when the booking may come to be there. What needs approval is not got by moving something that stands already: members cancel
    /// and ask anew.
    /// </summary>
    public static Error? RefuseTarget(Booking b, Resource target, Caller caller)
    {
        if (target.LocationId != b.LocationId)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/resourceId", "A booking stays at its location: cancel it and book anew.");
        }

        return target.Terms.RequiresApproval && (b.State == BookingState.Confirmed || b.IsEstimated) && !caller.IsStaff
            ? BookingRules.Policy("requiresApproval", "/resourceId", "Bookings here need approval: cancel and book anew.").Error
            : null;
    }

    /// <summary>Null when its price may be settled anew where it is (CRD-7): it stands, it is accounted, and none of it is on an invoice.</summary>
    public static Error? RefuseReaccount(this Booking b) =>
        b is { State: BookingState.Confirmed or BookingState.CheckedIn, Accounting: BookingAccounting.Accounted }
            && b.Charges.All(c => c.CancelledAt is not null || c.InvoiceId is null)
            ? null
            : BookingStates.Illegal(b, "accounted anew", "confirmed and not invoiced");

    /// <summary>What it costs to have the booking at a new price.</summary>
    public static ChangeSummary Summarise(Booking b, Money newPrice)
    {
        Money zero = Money.Zero(newPrice.Currency);
        Money charged = b.Owed;
        Money invoiced = b.Charges.Where(c => c.InvoiceId is not null).Aggregate(zero, (sum, c) => sum + c.Owed);
        Money paid = b.Charges.Where(c => c.IsPaid).Aggregate(zero, (sum, c) => sum + c.Owed);
        Money delta = b.State == BookingState.Tentative ? zero : newPrice - charged;
        ChangeSettlement settlement = delta.IsZero ? ChangeSettlement.None
            : delta.IsPositive ? ChangeSettlement.ExtraCharge
            : newPrice < invoiced ? ChangeSettlement.CreditNote : ChangeSettlement.ReducedCharge;
        return new ChangeSummary(charged, invoiced, paid, newPrice, delta, settlement);
    }

    /// <summary>What the member would have to pay besides: the whole price before the booking stands, afterwards what is added.</summary>
    public static Money ToPay(Booking b, Money newPrice)
    {
        Money delta = b.State == BookingState.Tentative ? newPrice : newPrice - b.Owed;
        return delta.IsPositive ? delta : Money.Zero(newPrice.Currency);
    }

    /// <summary>The booking keeps the new slot beside the old one until the wallet has spoken.</summary>
    public static Booking Begin(this Booking b, BookingChange change) => b with { Change = change with { Revision = b.Version + 1 }, Version = b.Version + 1 };

    /// <summary>The change came to nothing: the booking stays where it is.</summary>
    public static Booking Withdraw(this Booking b) => b with { Change = null, Version = b.Version + 1 };

    /// <summary>
    /// The booking at its new place and price. What is owed of it is its price again: charges that are not invoiced make way for a new
    /// one, those on invoices are lowered, the latest first, and what is beyond them is charged.
    /// </summary>
    /// <param name="chargeId">Of the charge that may be needed.</param>
    public static Booking Apply(this Booking b, BookingChange change, BookingPrice price, ChargeId chargeId, Resource resource, Instant now)
    {
        IReadOnlyList<BookingCharge> charges = b.State == BookingState.Tentative ? b.Charges : Settle(b.Charges, price.Fee, chargeId, now);
        return b with
        {
            ResourceId = change.ResourceId,
            Start = change.Start,
            End = change.End,
            Buffers = change.Buffers,
            Rate = change.Rate,
            Price = price,
            Charges = charges,
            Accounting = b.State == BookingState.Tentative ? b.Accounting : BookingStates.AccountingOf(price, charges),
            ActBy = b.State switch
            {
                BookingState.Tentative => ApproveBy(b, change, resource, now),
                BookingState.CheckedIn => null,
                _ => BookingStates.NoShowAt(change.Start, resource),
            },
            Overrides = [.. b.Overrides, .. change.Overrides],
            Change = null,
            Changes =
            [
                .. b.Changes.TakeLast(MaxKept - 1),
                new BookingChanged(
                    b.Slot,
                    new BookedSlot(change.ResourceId, change.Start, change.End),
                    Summarise(b, price.Fee),
                    change.By,
                    change.At,
                    change.Revision,
                    change.RequestKey),
            ],
            Version = b.Version + 1,
        };
    }

    /// <summary>When staff have moved it past the deadline, they have until the start. Null: it does not wait for approval.</summary>
    private static Instant? ApproveBy(Booking b, BookingChange change, Resource resource, Instant now)
    {
        Instant deadline = change.Start - Duration.FromMinutes(resource.Terms.ApprovalDeadlineMinutes);
        return b.ActBy is null ? null : deadline > now ? deadline : change.Start;
    }

    private static List<BookingCharge> Settle(IReadOnlyList<BookingCharge> charges, Money fee, ChargeId chargeId, Instant now)
    {
        var settled = charges.Select(c => c is { CancelledAt: null, InvoiceId: null } ? c with { CancelledAt = now } : c).ToList();
        Money open = settled.Aggregate(fee, (rest, c) => rest - c.Owed);
        for (int i = settled.Count - 1; i >= 0 && open < Money.Zero(fee.Currency); i--)
        {
            BookingCharge charge = settled[i];
            if (charge.Owed.IsPositive)
            {
                Money less = -open < charge.Owed ? -open : charge.Owed;
                settled[i] = less == charge.Owed ? charge with { CancelledAt = now } : charge with { Reduced = charge.Net - charge.Owed + less };
                open += less;
            }
        }

        if (open.IsPositive)
        {
            settled.Add(new BookingCharge(chargeId, open, now));
        }

        return settled;
    }
}
