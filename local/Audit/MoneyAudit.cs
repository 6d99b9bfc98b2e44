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

        Dictionary<string, StripeAuditRefund> refunds = stripe.Refunds.ToDictionary(r => r.Id);
        foreach ((Invoice invoice, Refund refund) in billing.Entries.SelectMany(e => e.Refunds.Select(r => (e.Invoice, r))))
        {
            if (refund is { State: RefundState.Succeeded, GatewayRefundId: { } made }
                && (refunds.GetValueOrDefault(made) is not { } there || there.Amount != refund.Amount.Minor || there.PaymentIntent != refund.GatewayPaymentId))
            {
                yield return new Finding("unbacked", $"{invoice.Id} counts refund {refund.No} as made; the gateway does not.");
            }
        }

        foreach (var twice in stripe.Refunds.Where(r => r.Status is not ("failed" or "canceled") && r.Metadata.ContainsKey("refund_no"))
                     .GroupBy(r => (r.Metadata["invoice_id"], r.Metadata["refund_no"])).Where(g => g.Count() > 1))
        {
            yield return new Finding("refunded twice", $"Refund {twice.Key.Item2} of {twice.Key.Item1} was made {twice.Count()} times.");
        }

        if (atRest)
        {
            HashSet<string> known = [.. billing.Entries.SelectMany(e => e.Refunds)
                .Where(r => r.State == RefundState.Succeeded).Select(r => r.GatewayRefundId!)];
            HashSet<string> ours = [.. succeeded.Where(i => i.Metadata.ContainsKey("invoice_id")).Select(i => i.Id)];
            foreach (StripeAuditRefund lost in stripe.Refunds.Where(r => r.Status == "succeeded" && ours.Contains(r.PaymentIntent) && !known.Contains(r.Id)))
            {
                yield return new Finding("lost", $"{lost.Id} gave money back at the gateway and is counted nowhere.");
            }

            HashSet<string> counted = [.. billing.Entries.SelectMany(e => e.Attempts)
                .Where(a => a.State is AttemptState.Succeeded or AttemptState.Reversed && a.GatewayPaymentId is not null).Select(a => a.GatewayPaymentId!)];
            foreach (StripeAuditIntent lost in succeeded.Where(i => i.Metadata.ContainsKey("invoice_id") && !counted.Contains(i.Id)))
            {
                yield return new Finding("lost", $"{lost.Id} succeeded at the gateway for {lost.Metadata["invoice_id"]} and is counted nowhere.");
            }
        }
    }
}
