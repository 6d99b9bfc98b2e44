namespace Flex.Invoicing;

/// <summary>
/// Bills one customer: every open charge is claimed for an invoice. Repeatable at any point: what is claimed has left the ledger, and
/// each claim carries the message that issues its invoice.
/// </summary>
public sealed class BillCustomer(ChargeLedger ledger, TimeProvider time)
{
    /// <summary>Rounds over the ledger: more only when charges keep coming or going meanwhile, or there are more than a page of them.</summary>
    private const int MaxRounds = 20;

    /// <returns>The invoices that will be issued.</returns>
    public async Task<IReadOnlyList<InvoiceId>> RunAsync(CustomerId customer, BillRunId run, CancellationToken cancellation)
    {
        var invoices = new List<InvoiceId>();
        for (int round = 0; round < MaxRounds; round++)
        {
            string? version = await ledger.OpenLedgerVersionAsync(customer, cancellation);
            IReadOnlyList<(ChargeCreated Charge, string ETag)> open = await ledger.OpenAsync(customer, cancellation);
            if (open.Count == 0)
            {
                if (version is not null)
                {
                    await ledger.CloseLedgerAsync(customer, version, cancellation);
                }

                return invoices;
            }

            IReadOnlyList<Claim> plan = ClaimPlan.For(customer, open.Select(o => o.Charge), run, time.Now());
            if (plan.Count == 0)
            {
                return invoices;
            }

            Dictionary<ChargeId, string> etags = open.ToDictionary(o => o.Charge.ChargeId, o => o.ETag);
            foreach (Claim claim in plan)
            {
                if (await ledger.ClaimAsync(claim, etags, cancellation))
                {
                    invoices.Add(claim.InvoiceId);
                }
            }
        }

        throw new TransientFaultException($"The ledger of {customer} keeps changing.");
    }
}
