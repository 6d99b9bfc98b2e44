using Flex.Platform.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Invoicing;

public static class InvoicingFeature
{
    public static IServiceCollection AddInvoicing(this IServiceCollection services) => services
        .AddSingleton<InvoiceBook>()
        .AddSingleton<ChargeLedger>()
        .AddSingleton<BillRunStore>()
        .AddSingleton<InvoiceTerms>()
        .AddSingleton<BillCustomer>()
        .AddSingleton<Credits>()
        .AddSingleton<StartBillRun>()
        .AddSingleton<InvoiceReader>()
        .AddSingleton<CreditReader>()
        .AddSingleton<BillingAudit>()
        .AddSingleton<IMessageHandler, ChargeCreatedHandler>()
        .AddSingleton<IMessageHandler, ChargeCancelledHandler>()
        .AddSingleton<IMessageHandler, ChargeReducedHandler>()
        .AddSingleton<IMessageHandler, IssueCreditNoteHandler>()
        .AddSingleton<IMessageHandler, IssueClaimedHandler>()
        .AddSingleton<IMessageHandler, ContinueBillRunHandler>();
}
