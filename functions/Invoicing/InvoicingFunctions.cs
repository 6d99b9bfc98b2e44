using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Invoicing;

/// <summary>HTTP surface of invoices, credit notes and bill runs.</summary>
public sealed class InvoicingFunctions(StartBillRun billRuns, InvoiceReader invoices, CreditReader credits)
{
    [Function("BillRuns_Start"), Allow(Role.Staff), RateLimit(RatePolicy.Payments)]
    [Operation("Invoice all open charges", Body = typeof(BillRunRequest), Response = typeof(BillRun), Status = 202, IdempotencyKey = Need.Required,
        Errors = [ErrorCodes.UnknownReference, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> StartBillRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bill-runs")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<BillRunRequest, BillRun>(
            billRuns.HandleAsync, Respond.Accepted<BillRun>(run => $"/api/v1/bill-runs/{run.Id}"), cancellation);

    [Function("BillRuns_Get"), Allow(Role.Staff)]
    [Operation("Read a bill run", Response = typeof(BillRun), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetBillRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/bill-runs/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<BillRunId, BillRun>(id, billRuns.GetAsync, cancellation);

    [Function("Invoices_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List a customer's invoices", Query = typeof(InvoiceFilter), Response = typeof(PageOf<InvoiceView>),
        Errors = [ErrorCodes.NotFound, ErrorCodes.InvalidValue])]
    public Task<IResult> ListInvoices(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/invoices")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<InvoiceFilter, InvoiceView>(invoices.ListAsync, cancellation);

    [Function("Invoices_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read an invoice", Response = typeof(InvoiceView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetInvoice(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/invoices/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<InvoiceId, InvoiceView>(id, invoices.GetAsync, cancellation);

    [Function("CreditNotes_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List the credit notes of an invoice", Response = typeof(CreditNotesView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> ListCreditNotes(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/invoices/{id}/credit-notes")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.GetAsync<InvoiceId, CreditNotesView>(id, credits.NotesAsync, cancellation);

    [Function("AccountCredit_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a customer's account credit", Response = typeof(AccountCreditView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetAccountCredit(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/customers/{id}/account-credit")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.GetAsync<CustomerId, AccountCreditView>(id, credits.AccountAsync, cancellation);
}
