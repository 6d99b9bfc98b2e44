namespace Flex.Invoicing;

/// <summary>Command: issue the invoice of a claim. Queue <c>billing</c>.</summary>
public sealed record IssueClaimedInvoice(CustomerId CustomerId, InvoiceId InvoiceId)
{
    public const string Subject = "invoice.issue-claimed.v1";
}

/// <summary>Command: charge the invoice if automatic collection says so. Queue <c>billing</c>.</summary>
public sealed record CollectInvoice(InvoiceId InvoiceId)
{
    public const string Subject = "invoice.collect.v1";
}

/// <summary>Command: bill one customer, or the next page of those with open charges. Queue <c>billing</c>.</summary>
/// <param name="After">The last customer of the page before.</param>
public sealed record ContinueBillRun(BillRunId RunId, CustomerId? CustomerId, CustomerId? After)
{
    public const string Subject = "bill-run.continue.v1";
}
