using NodaTime;

namespace Flex.Invoicing;

/// <summary>What a credit note is made with.</summary>
/// <param name="Id">Follows from its cause, so that a repeat is the same note.</param>
/// <param name="Refund">Whether what was paid goes back to the payment method rather than to the customer's account.</param>
public sealed record CreditTerms(CreditNoteId Id, string Reason, string CreatedBy, bool Refund);

/// <summary>Where the amount of a credit note goes.</summary>
public static class CreditRules
{
    /// <summary>
    /// The note and the invoice as it is with it. What is due on the invoice goes down first; the rest was paid and is refunded, as
    /// far as that is wanted and the payments allow, or becomes account credit.
    /// </summary>
    /// <param name="lines">At least one; see <see cref="CreditArithmetic"/>.</param>
    public static (BookEntry Entry, CreditNote Note) Issue(
        BookEntry entry, IReadOnlyList<CreditNote> before, IReadOnlyList<CreditLine> lines, CreditTerms terms, LocalDate today, Instant now)
    {
        Invoice invoice = entry.Invoice;
        Money zero = Money.Zero(invoice.Total.Currency);
        Money net = lines.Aggregate(zero, (sum, line) => sum + line.Net);
        TaxAmount[] taxes = [.. invoice.Taxes.Select((tax, i) => tax with
        {
            Taxable = lines
                .Where(line => invoice.Lines[line.Line].Tax?.Components.Any(c => c.Name == tax.Name && c.Percent == tax.Percent) == true)
                .Aggregate(zero, (sum, line) => sum + line.Net),
            Amount = lines.Aggregate(zero, (sum, line) => sum + line.Taxes[i]),
        })];
        Money total = taxes.Aggregate(net, (sum, tax) => sum + tax.Amount);
        Money receivable = Least(total, invoice.Due);
        Money paid = total - receivable;
        IReadOnlyList<Refund> refunds = terms.Refund
            ? Refunds(entry, Least(paid, Refundable(invoice, before)), terms.Id, now)
            : [];
        Money refund = refunds.Aggregate(zero, (sum, r) => sum + r.Amount);
        var note = new CreditNote(
            terms.Id,
            null,
            invoice.Id,
            invoice.Number,
            invoice.CustomerId,
            lines,
            taxes,
            net,
            total,
            new CreditSettlement(receivable, paid - refund, refund),
            terms.Reason,
            terms.CreatedBy,
            today,
            now);
        return (entry.Credit(receivable, refunds), note);
    }

    /// <summary>
    /// A refund that somebody else has made at the gateway: its note and its record. Null note when all of the invoice was credited before.
    /// </summary>
    public static (BookEntry Entry, CreditNote? Note) Adopt(
        BookEntry entry, IReadOnlyList<CreditNote> before, Refund refund, CreditTerms terms, LocalDate today, Instant now)
    {
        IReadOnlyList<CreditLine> lines = CreditArithmetic.OfGross(entry.Invoice, before, refund.Amount);
        if (lines.Count == 0)
        {
            return (entry.Refunding([refund]), null);
        }

        (_, CreditNote note) = Issue(entry, before, lines, terms with { Refund = false }, today, now);
        Money zero = Money.Zero(note.Total.Currency);
        return (
            entry.Refunding([refund with { CreditNoteId = terms.Id }]),
            note with { Settlement = new CreditSettlement(zero, zero, note.Total) });
    }

    /// <summary>What was paid and is not promised elsewhere yet.</summary>
    private static Money Refundable(Invoice invoice, IReadOnlyList<CreditNote> before)
    {
        Money left = before.Aggregate(invoice.Paid, (sum, note) => sum - note.Settlement.Refund - note.Settlement.AccountCredit);
        return left.Minor > 0 ? left : Money.Zero(invoice.Paid.Currency);
    }

    /// <summary>Refunds of the payments, oldest first, none of more than it brought; possibly of less than the amount in all.</summary>
    private static List<Refund> Refunds(BookEntry entry, Money amount, CreditNoteId note, Instant now)
    {
        var refunds = new List<Refund>();
        foreach (PaymentAttempt attempt in entry.Attempts.Where(a => a is { State: AttemptState.Succeeded, GatewayPaymentId: not null }))
        {
            Money back = entry.Refunds
                .Where(r => r.AttemptNo == attempt.No && r.State != RefundState.Failed)
                .Aggregate(attempt.Amount, (sum, r) => sum - r.Amount);
            Money part = Least(back, amount);
            if (part.IsPositive)
            {
                int no = entry.Refunds.Count + refunds.Count + 1;
                refunds.Add(new Refund(
                    no, attempt.No, attempt.GatewayPaymentId!, part, RefundState.Requested, $"refund:{entry.Invoice.Id}:{no}", null, null, note, now, now));
                amount -= part;
            }
        }

        return refunds;
    }

    private static Money Least(Money a, Money b) => a < b ? a : b;
}
