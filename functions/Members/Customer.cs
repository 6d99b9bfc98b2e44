namespace Flex.Members;

public enum PaymentMethodKind
{
    Card,
    BankAccount,
}

/// <summary>The payment source on file. Ids are the gateway's; nothing of the card itself is kept but brand and last digits.</summary>
public sealed record PaymentMethodOnFile(string Id, PaymentMethodKind Kind, string Brand, string Last4);

/// <summary>Who is billed.</summary>
/// <param name="GatewayCustomerId">The customer's id at the payment gateway, once there is one.</param>
public sealed record Customer(
    CustomerId Id,
    string Name,
    string BillingEmail,
    string? PurchaseOrderNumber,
    string? GatewayCustomerId,
    PaymentMethodOnFile? PaymentMethod,
    long Version);
