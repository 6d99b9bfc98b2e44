using Flex.Local.Simulators.Salto;
using Flex.Local.Simulators.Stripe;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Local.Audit;

/// <summary>The audit of a running host, or of the data directory one has left.</summary>
public static class HostAudit
{
    public static Task<AuditReport> RunAsync(IServiceProvider services, bool atRest, CancellationToken cancellation)
    {
        StripeSimulator? stripe = services.GetService<StripeSimulator>();
        SaltoSimulator? salto = services.GetService<SaltoSimulator>();
        return new StoreAudit(
            services.GetRequiredService<ITableScanner>(),
            stripe is null ? null : stripe.Audit,
            salto is null ? null : salto.Inspection.Users).RunAsync(services.GetRequiredService<TimeProvider>().Now(), atRest, cancellation);
    }

    /// <param name="dataDirectory">
    /// Where the simulated Stripe keeps its account; null where Stripe is the real one. Payments are compared with nothing then, nor
    /// where no account is kept, as beside a restored store.
    /// </param>
    /// <param name="now">By the clock that the store lives by.</param>
    public static Task<AuditReport> RunAsync(ITableScanner tables, string? dataDirectory, Instant now, bool atRest, CancellationToken cancellation)
    {
        StripeAudit? stripe = dataDirectory is null ? null : StripeAudit.Find(dataDirectory);
        return new StoreAudit(tables, stripe is null ? null : () => stripe, null).RunAsync(now, atRest, cancellation);
    }
}
