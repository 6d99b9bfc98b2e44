using Flex.Invoicing;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Flex.Platform.Messaging;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Payments;

/// <summary>HTTP surface of payments.</summary>
public sealed class PaymentsFunctions(PayInvoice pay, PaymentMethods methods, StripeWebhookReceiver webhook)
{
    [Function("Invoices_Pay"), Allow(Role.Staff, Role.Member), RateLimit(RatePolicy.Payments)]
    [Operation("Pay an invoice with the payment method on file", Response = typeof(InvoiceView), IdempotencyKey = Need.Required,
        Errors =
        [
            ErrorCodes.NotFound, ErrorCodes.PaymentFailed, ErrorCodes.PaymentInProgress, ErrorCodes.GatewayNotConnected,
            ErrorCodes.PaymentMethodRequired, ErrorCodes.InvoiceClosed, ErrorCodes.InvalidTransition,
        ])]
    public Task<IResult> PayInvoice(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/invoices/{id}/pay")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.ActAsync<InvoiceId, InvoiceView>(id, pay.HandleAsync, cancellation);

    [Function("PaymentMethods_Add"), Allow(Role.Staff, Role.Member), RateLimit(RatePolicy.Payments)]
    [Operation("Replace the payment method on file", Body = typeof(AddPaymentMethodRequest), Response = typeof(PaymentMethodsView), Status = 201,
        IdempotencyKey = Need.Optional,
        Errors =
        [
            ErrorCodes.NotFound, ErrorCodes.PaymentFailed, ErrorCodes.GatewayNotConnected, ErrorCodes.UnknownReference, ErrorCodes.IdempotencyKeyReuse,
        ])]
    public Task<IResult> AddPaymentMethod(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/customers/{id}/payment-methods")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<CustomerId, AddPaymentMethodRequest, PaymentMethodsView>(
            id, methods.AddAsync, Respond.Created<PaymentMethodsView>(_ => $"/api/v1/customers/{id}/payment-methods"), cancellation);

    [Function("PaymentMethods_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List the payment methods of a customer", Response = typeof(PaymentMethodsView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> ListPaymentMethods(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/customers/{id}/payment-methods")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.GetAsync<CustomerId, PaymentMethodsView>(id, methods.ListAsync, cancellation);

    [Function("Webhooks_Stripe"), AllowAnyone("Stripe signs its webhooks; the signature is checked.")]
    [RateLimit(RatePolicy.Refusals)]
    [Operation("Receive an event from Stripe", Errors = [ErrorCodes.InvalidSignature, ErrorCodes.BodyTooLarge])]
    public Task<IResult> ReceiveStripeEvent(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/stripe")] HttpRequest request, CancellationToken cancellation) =>
        webhook.ReceiveAsync(request, cancellation);
}

/// <summary>The queue of Stripe's events and the hourly collection.</summary>
public sealed class PaymentsTriggers(MessageDispatcher dispatcher, CollectDueInvoices collect)
{
    [Function("StripeEvents_Consume")]
    public Task Consume(
        [ServiceBusTrigger(Queues.StripeEvents, Connection = Queues.Connection)] string message, CancellationToken cancellation) =>
        dispatcher.DispatchAsync(Queues.StripeEvents, message, cancellation);

    /// <summary>At minute 10, when bill runs and renewals of the full hour are through.</summary>
    [Function("Collection_Hourly")]
    public Task CollectHourly([TimerTrigger("0 10 * * * *")] TimerInfo timer, CancellationToken cancellation) => collect.RunAsync(cancellation);
}
