using CsCheck;
using Flex.Invoicing;
using Flex.Kernel;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Invoicing;

/// <summary>The invoice's and the attempt's state machines.</summary>
public sealed class InvoiceStateTests
{
    private static readonly Currency Eur = Currency.Parse("eur");
    private static readonly Instant Now = Instant.FromUtc(2025, 1, 1, 12, 0);
    private static readonly LocalDate Today = new(2025, 1, 1);
    private static readonly AttemptStart Start = new(AttemptOrigin.Collection, null, null, "cus_1", "pm_1", null);

    [Fact]
    [Trait("Rule", "PAY-4")]
    public void Only_one_attempt_may_be_under_way()
    {
        BookEntry entry = Issued(InvoiceKind.BillRun).Start(Start, Now).Value;

        foreach (AttemptState state in new[] { AttemptState.Created, AttemptState.Unknown, AttemptState.Processing })
        {
            BookEntry waiting = entry.Observe(1, new PaymentObservation(state, "pi_1"), Today, Now);
            Assert.Equal(ErrorCodes.PaymentInProgress, waiting.Start(Start, Now).Error?.Code);
        }
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public void A_closed_invoice_cannot_be_collected_and_a_paid_one_has_nothing_to_pay()
    {
        BookEntry renewal = Issued(InvoiceKind.Renewal).Start(Start, Now).Value;
        BookEntry closed = renewal.Observe(1, new PaymentObservation(AttemptState.Failed, "pi_1", "insufficient_funds"), Today, Now);
        BookEntry paid = renewal.Observe(1, new PaymentObservation(AttemptState.Succeeded, "pi_1"), Today, Now);

        Assert.Equal((DocumentState.Closed, 0, "payment_failed"), (closed.Invoice.State, closed.Invoice.Due.Minor, closed.Invoice.CloseReason));
        Assert.Equal(ErrorCodes.InvoiceClosed, closed.Start(Start, Now).Error?.Code);
        Assert.Equal(ErrorCodes.InvalidTransition, paid.Start(Start, Now).Error?.Code);
    }

    [Fact]
    [Trait("Rule", "MEM-5")]
    public void A_declined_sign_up_voids_its_invoice()
    {
        BookEntry entry = Issued(InvoiceKind.SignUp).Start(Start, Now).Value
            .Observe(1, new PaymentObservation(AttemptState.Failed, "pi_1", "card_declined"), Today, Now);

        Assert.Equal(DocumentState.Voided, entry.Invoice.State);
        Assert.True(entry.Invoice.Holds());
        Assert.False(entry.NeedsNumber(onIssue: false));
    }

    [Fact]
    [Trait("Rule", "PAY-2")]
    public void A_failed_bill_run_invoice_stays_payable_with_its_error()
    {
        BookEntry entry = Issued(InvoiceKind.BillRun).Start(Start, Now).Value
            .Observe(1, new PaymentObservation(AttemptState.Failed, "pi_1", "insufficient_funds"), Today, Now);

        Assert.Equal((DocumentState.Issued, Settlement.Unpaid, "insufficient_funds"), (entry.Invoice.State, entry.Invoice.Settlement, entry.Invoice.LastError));
        Assert.False(entry.Start(Start, Now).IsError);
    }

    [Fact]
    [Trait("Rule", "PAY-2")]
    public void Automatic_collection_tries_once_a_day_and_four_times_in_all()
    {
        BookEntry entry = Issued(InvoiceKind.BillRun);
        var tried = new List<LocalDate>();
        for (LocalDate day = Today; day < Today.PlusDays(10); day = day.PlusDays(1))
        {
            for (int hour = 0; hour < 24; hour++)
            {
                if (entry.IsToBeCollected(day))
                {
                    tried.Add(day);
                    entry = entry.Start(Start, Now).Value;
                    Assert.False(entry.IsToBeCollected(day));
                    entry = entry.Observe(entry.Attempts.Count, new PaymentObservation(AttemptState.Failed, null, "insufficient_funds"), day, Now);
                }
            }
        }

        Assert.Equal(Enumerable.Range(0, 4).Select(Today.PlusDays), tried);
        Assert.Null(entry.CollectOn);
    }

    [Fact]
    [Trait("Rule", "PAY-2")]
    public void A_card_that_says_never_again_is_not_asked_again_automatically()
    {
        BookEntry entry = Issued(InvoiceKind.BillRun).Start(Start, Now).Value
            .Observe(1, new PaymentObservation(AttemptState.Failed, null, "stolen_card", "stolen_card", "do_not_try_again"), Today, Now);

        Assert.Null(entry.CollectOn);
    }

    [Fact]
    [Trait("Rule", "DUN-9")]
    public void A_reversed_membership_payment_closes_its_invoice_and_another_is_owed_again()
    {
        var taken = new PaymentObservation(AttemptState.Reversed, "pi_1", "debit_not_authorized");
        BookEntry renewal = Paid(InvoiceKind.Renewal).Observe(1, taken, Today, Now);
        BookEntry room = Paid(InvoiceKind.BillRun).Observe(1, taken, Today, Now);

        Assert.Equal((DocumentState.Closed, "reversed"), (renewal.Invoice.State, renewal.Invoice.CloseReason));
        Assert.Equal((0, 0), (renewal.Invoice.Paid.Minor, renewal.Invoice.Due.Minor));
        Assert.Equal((DocumentState.Issued, Settlement.Unpaid, 1000), (room.Invoice.State, room.Invoice.Settlement, room.Invoice.Due.Minor));
        Assert.Null(room.CollectOn);
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public void Any_order_and_repetition_of_the_same_observations_ends_in_the_same_state_and_keeps_the_invariant()
    {
        Gen<AttemptState> state = Gen.Int[(int)AttemptState.Unknown, (int)AttemptState.Reversed].Select(i => (AttemptState)i);
        Gen<InvoiceKind> kind = Gen.Int[(int)InvoiceKind.BillRun, (int)InvoiceKind.Booking].Select(i => (InvoiceKind)i);
        Gen.Select(kind, state.Array[1, 6], Gen.Int).Sample((k, seen, seed) =>
        {
            BookEntry start = Issued(k).Start(Start, Now).Value;
            AttemptState[] shuffled = [.. seen.Concat(seen)];
            new Random(seed).Shuffle(shuffled);

            BookEntry one = Apply(start, seen);
            BookEntry two = Apply(start, shuffled);

            Assert.Equal(Essence(one), Essence(two));
            Assert.Equal(seen.Max(), one.Attempt(1).State);
        });
    }

    [Fact]
    [Trait("Rule", "INV-8")]
    public void The_list_total_counts_issued_invoices_minus_refunds()
    {
        Invoice[] list =
        [
            Row(100, DocumentState.Issued, Settlement.Paid),
            Row(50, DocumentState.Issued, Settlement.Refunded, refunded: 50),
            Row(70, DocumentState.Voided, Settlement.Unpaid),
            Row(100, DocumentState.Closed, Settlement.Unpaid),
            Row(30, DocumentState.Issued, Settlement.Unpaid),
            Row(80, DocumentState.Issued, Settlement.PartiallyRefunded, refunded: 20),
            Row(500, DocumentState.Draft, Settlement.Unpaid),
        ];

        Assert.Equal([new Money(190, Eur)], ListTotals.Of(list));
    }

    private static BookEntry Apply(BookEntry entry, IEnumerable<AttemptState> states)
    {
        foreach (AttemptState state in states)
        {
            entry = entry.Observe(1, new PaymentObservation(state, "pi_1", "insufficient_funds"), Today, Now);
            Assert.True(entry.Invoice.Holds());
        }

        return entry;
    }

    private static string Essence(BookEntry e) =>
        $"{e.Invoice.State} {e.Invoice.Settlement} {e.Invoice.Paid} {e.Invoice.Due} {e.Invoice.CloseReason} {e.Attempt(1).State} {e.NeedsNumber(false)}";

    private static BookEntry Paid(InvoiceKind kind) =>
        Issued(kind).Start(Start, Now).Value.Observe(1, new PaymentObservation(AttemptState.Succeeded, "pi_1"), Today, Now);

    private static Invoice Row(long total, DocumentState state, Settlement settlement, long refunded = 0) => Issued(InvoiceKind.BillRun).Invoice with
    {
        Total = new Money(total, Eur),
        State = state,
        Settlement = settlement,
        Refunded = new Money(refunded, Eur),
    };

    private static BookEntry Issued(InvoiceKind kind)
    {
        LocationId location = EntityId.Parse<LocationId>("loc_" + new string('1', 26));
        var net = new Money(1000, Eur);
        MembershipPeriod? period = kind is InvoiceKind.Renewal or InvoiceKind.SignUp
            ? new MembershipPeriod(EntityId.Parse<MembershipId>("mem_" + new string('1', 32)), Today, 0, 1, 1)
            : null;
        var draft = new InvoiceDraft(
            EntityId.Parse<InvoiceId>("inv_" + new string('1', 26)),
            kind,
            EntityId.Parse<CustomerId>("cus_" + new string('1', 26)),
            null,
            location,
            "Ada",
            "ada@example.com",
            null,
            [new InvoiceLine("Room", 1, net, net, location, null, null, null, Today)],
            Today,
            Today,
            "Bill Run",
            period);
        return BookEntry.Issued(draft.Issue(Now));
    }
}
