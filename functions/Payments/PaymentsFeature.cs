using Flex.Platform;
using Flex.Platform.Health;
using Flex.Platform.Messaging;
using Flex.Platform.Resilience;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Payments;

public static class PaymentsFeature
{
    public static IServiceCollection AddPayments(this IServiceCollection services, IConfiguration configuration)
    {
        // A charge may take a bank half a minute. No repeats here: the attempt's own record decides about them.
        services.AddFlexHttpClient(
            StripeGateway.HttpClientName,
            new OutgoingLimits { Retries = 0, Queue = 256, AttemptTimeout = TimeSpan.FromSeconds(35), TotalTimeout = TimeSpan.FromSeconds(50) });
        return services
            .AddSettings<StripeSettings>(configuration, StripeSettings.Section)
            .AddSingleton<IPaymentGateway, StripeGateway>()
            .AddSingleton<IReadinessCheck, PaymentsReadiness>()
            .AddSingleton<PaymentRunner>()
            .AddSingleton<RefundRunner>()
            .AddSingleton<StartPayment>()
            .AddSingleton<PayInvoice>()
            .AddSingleton<PaymentMethods>()
            .AddSingleton<CollectDueInvoices>()
            .AddSingleton<StripeWebhook>()
            .AddSingleton<StripeWebhookReceiver>()
            .AddSingleton<ChargeAtOnce>()
            .AddSingleton<IMembershipBilling, ChargeMembership>()
            .AddSingleton<IImmediateBilling, ChargeImmediately>()
            .AddSingleton<IMessageHandler, CollectInvoiceHandler>()
            .AddSingleton<IMessageHandler, ReconcilePaymentHandler>()
            .AddSingleton<IMessageHandler, CompleteRefundHandler>()
            .AddSingleton<IMessageHandler, StripeEventHandler>();
    }
}
