using Flex.Settings;
using NodaTime;

namespace Flex.Invoicing;

/// <summary>What the operator's settings say about an invoice; answered from their snapshot.</summary>
public sealed class InvoiceTerms(SettingsStore settings, TimeProvider time)
{
    public Task<OperatorSettings> OperatorAsync(CancellationToken cancellation) => settings.GetOperatorAsync(cancellation);

    /// <summary>The local day at the location.</summary>
    public async Task<LocalDate> TodayAsync(LocationId id, CancellationToken cancellation)
    {
        Location location = await settings.LocationAsync(id, cancellation);
        return location.Calendar.DateOf(time.Now());
    }

    /// <summary>The rate as it is now, the operator's default where none is named, null when that is not set either: untaxed.</summary>
    public async Task<TaxSnapshot?> TaxAsync(TaxRateId? named, CancellationToken cancellation)
    {
        OperatorSettings all = await settings.GetOperatorAsync(cancellation);
        if ((named ?? all.DefaultTaxRateId) is not { } id)
        {
            return null;
        }

        TaxRate rate = await settings.FindTaxRateAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");
        return new TaxSnapshot(rate.Id, rate.Name, rate.Components);
    }

    /// <summary>True when a paid booking that is cancelled is refunded rather than kept as account credit.</summary>
    public async Task<bool> RefundsCancelledAsync(CancellationToken cancellation) =>
        (await settings.GetOperatorAsync(cancellation)).CancelledPaidBookings == CancelledPaidBookings.Refund;

    /// <summary>True when invoices that a failed payment would end are numbered when they are made rather than when they are paid.</summary>
    public async Task<bool> NumbersOnIssueAsync(CancellationToken cancellation) =>
        (await settings.GetOperatorAsync(cancellation)).RenewalNumbering == RenewalNumbering.OnIssue;
}
