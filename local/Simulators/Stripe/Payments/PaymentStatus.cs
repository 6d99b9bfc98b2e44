namespace Flex.Local.Simulators.Stripe;

/// <summary>Statuses of payment intents and setup intents.</summary>
internal static class PaymentStatus
{
    public const string RequiresPaymentMethod = "requires_payment_method";
    public const string RequiresConfirmation = "requires_confirmation";
    public const string RequiresAction = "requires_action";
    public const string RequiresCapture = "requires_capture";
    public const string Processing = "processing";
    public const string Canceled = "canceled";
    public const string Succeeded = "succeeded";
}
