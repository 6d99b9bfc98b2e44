using Flex.Invoicing;
using Flex.Local.Simulators.Stripe;

namespace Flex.Local.Audit;

/// <summary>Flex's payments against the gateway's: no period charged twice, no money unknown to either side.</summary>
internal static class MoneyAudit
{
    public static IEnumerable<Finding> Check(BillingSnapshot billing, StripeAudit stripe, bool atRest)
    {
        StripeAuditIntent[] succeeded = [.. stripe.PaymentIntents.Where(i => i.Status == "succeeded")];
        HashSet<string> reversed =
        [
            .. stripe.Disputes.Where(d => d.Status is not ("won" or "warning_closed")).Select(d => d.PaymentIntent),
            .. stripe.Refunds.GroupBy(r => r.PaymentIntent)
                .Where(g => succeeded.Any(i => i.Id == g.Key && i.AmountReceived <= g.Sum(r => r.Amount)))
                .Select(g => g.Key),
        ];
        foreach (var period in succeeded.Where(i => !reversed.Contains(i.Id) && i.Metadata.ContainsKey("membership_id"))
                     .GroupBy(i => (Membership: i.Metadata["membership_id"], Period: i.Metadata["period_start"], Generation: i.Metadata["generation"]))
                     .Where(g => g.Count() > 1))
        {
            yield return new Finding("charged twice", $"{period.Key.Membership} was charged {period.Count()} times for {period.Key.Period}: {string.Join(", ", period.Select(i => i.Id))}.");
        }

        foreach (var invoice in succeeded.Where(i => !reversed.Contains(i.Id) && i.Metadata.ContainsKey("invoice_id"))
                     .GroupBy(i => i.Metadata["invoice_id"]).Where(g => g.Count() > 1))
        {
            yield return new Finding("charged twice", $"{invoice.Key} was charged {invoice.Count()} times.");
        }

        Dictionary<string, StripeAuditIntent> byId = stripe.PaymentIntents.ToDictionary(i => i.Id);
        foreach ((Invoice invoice, PaymentAttempt attempt) in billing.Entries.SelectMany(e => e.Attempts.Select(a => (e.Invoice, a))))
        {
            if (attempt is { State: AttemptState.Succeeded, GatewayPaymentId: { } gatewayId }
                && byId.GetValueOrDefault(gatewayId)?.Status != "succeeded")
            {
                yield return new Finding("unbacked", $"{invoice.Id} counts attempt {attempt.No} as paid; the gateway does not.");
            }
        }

        if (atRest)
        {
            HashSet<string> counted = [.. billing.Entries.SelectMany(e => e.Attempts)
                .Where(a => a.State is AttemptState.Succeeded or AttemptState.Reversed && a.GatewayPaymentId is not null).Select(a => a.GatewayPaymentId!)];
            foreach (StripeAuditIntent lost in succeeded.Where(i => i.Metadata.ContainsKey("invoice_id") && !counted.Contains(i.Id)))
            {
                yield return new Finding("lost", $"{lost.Id} succeeded at the gateway for {lost.Metadata["invoice_id"]} and is counted nowhere.");
            }
        }
    }
}
