using Flex.Platform.Http;
using FluentValidation;

namespace Flex.Members;

/// <summary>What staff keep about a customer; the payment method has its own commands.</summary>
/// <param name="Name">1 to 200 characters, as printed on invoices.</param>
/// <param name="PurchaseOrderNumber">At most 50 characters; printed on invoices made from now on.</param>
public sealed record CustomerRequest(string Name, string BillingEmail, string? PurchaseOrderNumber = null);

public sealed class CustomerValidator : AbstractValidator<CustomerRequest>
{
    public CustomerValidator()
    {
        RuleFor(r => r.Name).PlainText(200);
        RuleFor(r => r.BillingEmail).MailAddress();
        RuleFor(r => r.PurchaseOrderNumber!).PlainText(50).When(r => r.PurchaseOrderNumber is not null);
    }
}

/// <param name="PaymentMethod">Kind, brand and last digits only; null when there is none on file.</param>
public sealed record CustomerView(
    CustomerId Id, string Name, string BillingEmail, string? PurchaseOrderNumber, PaymentMethodView? PaymentMethod, long Version) : IVersioned
{
    public static CustomerView Of(Customer customer) => new(
        customer.Id,
        customer.Name,
        customer.BillingEmail,
        customer.PurchaseOrderNumber,
        customer.PaymentMethod is { } method ? new PaymentMethodView(method.Kind, method.Brand, method.Last4) : null,
        customer.Version);
}

public sealed record PaymentMethodView(PaymentMethodKind Kind, string Brand, string Last4);

public sealed class SaveCustomerHandler(CustomerStore store, IIdSource ids)
{
    public async Task<Reply<CustomerView>> CreateAsync(CustomerRequest request, RequestContext context, CancellationToken cancellation)
    {
        var customer = new Customer(
            EntityId.New<CustomerId>(ids), request.Name, request.BillingEmail, request.PurchaseOrderNumber, null, null, Version: 1);
        return await store.CommitAsync(CustomerStore.Insert(customer), context, CustomerView.Of(customer), cancellation);
    }

    public async Task<Reply<CustomerView>> EditAsync(
        CustomerId id, CustomerRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await store.ReadAsync(id, cancellation) is not { } found)
        {
            return Error.NotFound("The customer");
        }

        if (context.CheckIfMatch(found.Value.Version) is { } stale)
        {
            return stale;
        }

        Customer edited = found.Value with
        {
            Name = request.Name,
            BillingEmail = request.BillingEmail,
            PurchaseOrderNumber = request.PurchaseOrderNumber,
            Version = found.Value.Version + 1,
        };
        return await store.CommitAsync(CustomerStore.Replace(edited, found.ETag), context, CustomerView.Of(edited), cancellation);
    }
}
