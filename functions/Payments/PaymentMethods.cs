using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using FluentValidation;
using NodaTime;

namespace Flex.Payments;

/// <param name="PaymentMethod">The gateway's payment method id, e.g. <c>pm_card_visa</c> in its test mode.</param>
public sealed record AddPaymentMethodRequest(string PaymentMethod);

public sealed class AddPaymentMethodValidator : AbstractValidator<AddPaymentMethodRequest>
{
    public AddPaymentMethodValidator() => RuleFor(r => r.PaymentMethod).PaymentMethodId();
}

public static class PaymentMethodRules
{
    /// <summary>The gateway's id of a payment method.</summary>
    public static IRuleBuilderOptions<T, string> PaymentMethodId<T>(this IRuleBuilder<T, string> rule) => rule
        .Matches("^pm_[A-Za-z0-9_]{1,100}$").WithErrorCode(ErrorCodes.InvalidValue)
        .WithMessage("A payment method's id is pm_ and up to 100 letters, digits and underscores.");
}

/// <summary>The payment methods of a customer: none, or the one that is charged.</summary>
public sealed record PaymentMethodsView(IReadOnlyList<PaymentMethodView> Results);

/// <summary>The payment source on file.</summary>
public sealed class PaymentMethods(CustomerStore customers, MemberReader reader, IPaymentGateway gateway, IIdSource ids, TimeProvider time)
{
    private const int MaxRounds = 5;

    public async Task<Reply<PaymentMethodsView>> ListAsync(CustomerId id, RequestContext context, CancellationToken cancellation) =>
        await reader.ReachesAsync(context, id, cancellation) && await customers.FindAsync(id, cancellation) is { } customer
            ? View(customer)
            : Error.NotFound("The customer");

    /// <summary>
    /// Makes the customer known to the gateway if need be, attaches the payment method and stores it as the one to charge, with the notice
    /// that the source was replaced. A crash in between leaves at most an unused method at the gateway.
    /// </summary>
    public async Task<Reply<PaymentMethodsView>> AddAsync(
        CustomerId id, AddPaymentMethodRequest request, RequestContext context, CancellationToken cancellation)
    {
        Error unknown = Error.NotFound("The customer");
        if (!await reader.ReachesAsync(context, id, cancellation) || await customers.ReadAsync(id, cancellation) is not { } stored)
        {
            return unknown;
        }

        if (!gateway.IsConnected)
        {
            return Error.Refused(ErrorCodes.GatewayNotConnected, "Connect a payment gateway before payment methods can be kept.");
        }

        if (context.Idempotency is not null)
        {
            Reply<PaymentMethodsView> seen = await customers.ReplayOrAsync<PaymentMethodsView>(context, unknown, cancellation);
            if (!ReferenceEquals(seen.Error, unknown))
            {
                return seen;
            }
        }

        return await AttachAsync(stored, request.PaymentMethod, $"attach:{id}:{context.Idempotency?.RowKey ?? ids.Next()}", context, cancellation);
    }

    /// <summary>As <see cref="AddAsync"/>, without asking who calls and whether the request has been here before.</summary>
    /// <param name="key">The gateway's key: one for all repeats of the request.</param>
    public async Task<Reply<PaymentMethodsView>> AttachAsync(
        Stored<Customer> stored, string paymentMethod, string key, RequestContext context, CancellationToken cancellation)
    {
        string gatewayCustomer = stored.Value.GatewayCustomerId ?? await gateway.CreateCustomerAsync(stored.Value, cancellation);
        Result<PaymentMethodOnFile> attached = await gateway.AttachAsync(paymentMethod, gatewayCustomer, key, cancellation);
        return attached.IsError ? attached.Error : await SaveAsync(stored, gatewayCustomer, attached.Value, context, cancellation);
    }

    private async Task<Reply<PaymentMethodsView>> SaveAsync(
        Stored<Customer> stored, string gatewayCustomer, PaymentMethodOnFile method, RequestContext context, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            Instant now = time.Now();
            Customer next = stored.Value with { GatewayCustomerId = gatewayCustomer, PaymentMethod = method, Version = stored.Value.Version + 1 };
            TableBatch batch = CustomerStore.Replace(next, stored.ETag).Send(OutboxMessage.Create(
                $"source-{ids.Next()}", Queues.Memberships, PaymentSourceUpdated.Subject, new PaymentSourceUpdated(next.Id, now)));
            CommitResult result = await customers.CommitAsync(batch.Remember(context, View(next), now), cancellation);
            if (result.IsCommitted)
            {
                return View(next);
            }

            if (result.IsDuplicateOf(RowKeys.Idempotency))
            {
                return await customers.ReplayOrAsync<PaymentMethodsView>(context, Error.Stale(), cancellation);
            }

            stored = await customers.ReadAsync(next.Id, cancellation) ?? throw new DefectException($"{next.Id} has vanished.");
        }

        throw new TransientFaultException($"{stored.Value.Id} keeps changing.");
    }

    private static PaymentMethodsView View(Customer customer) => new(
        customer.PaymentMethod is { } method ? [new PaymentMethodView(method.Kind, method.Brand, method.Last4)] : []);
}
