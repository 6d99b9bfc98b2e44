using Flex.Platform.Http;
using FluentValidation;

namespace Flex.Settings;

/// <summary>The operator's settings as a whole; the account status has its own commands.</summary>
/// <param name="Name">1 to 200 characters, as printed on invoices.</param>
/// <param name="InvoiceDueDays">0 to 90.</param>
/// <param name="HalfDayPasses">Check-ins may take half a day from a day pass; left out: not.</param>
/// <param name="BookingPassesEnabled">Booking passes are sold and required as plans say; left out: not.</param>
/// <param name="CancelledPaidBookings">Null or missing is account credit.</param>
public sealed record EditOperatorRequest(
    string Name,
    TaxRateId? DefaultTaxRateId,
    bool AutomaticBillRun,
    bool AutomaticCollection,
    bool AutomaticSending,
    int InvoiceDueDays,
    RenewalNumbering RenewalNumbering,
    SaltoSettings Salto,
    bool BookingPassesEnabled = false,
    bool HalfDayPasses = false,
    CancelledPaidBookings? CancelledPaidBookings = null);

public sealed class EditOperatorValidator : AbstractValidator<EditOperatorRequest>
{
    public EditOperatorValidator()
    {
        RuleFor(r => r.Name).PlainText(200);
        RuleFor(r => r.InvoiceDueDays).InclusiveBetween(0, 90);
        RuleFor(r => r.Salto.SiteId).MaximumLength(100).When(r => r.Salto.SiteId is not null);
        RuleFor(r => r.Salto.Groups).Must(g => g.Count <= 500).WithMessage("At most 500 access groups.");
        RuleForEach(r => r.Salto.Groups).PlainText(100);
    }
}

/// <summary>The settings and the account status; the ETag is the version.</summary>
public sealed record OperatorView(
    string Name,
    AccountStatus AccountStatus,
    TaxRateId? DefaultTaxRateId,
    bool AutomaticBillRun,
    bool AutomaticCollection,
    bool AutomaticSending,
    int InvoiceDueDays,
    RenewalNumbering RenewalNumbering,
    CancelledPaidBookings CancelledPaidBookings,
    SaltoSettings Salto,
    bool HalfDayPasses,
    bool BookingPassesEnabled,
    long Version) : IVersioned
{
    public static OperatorView Of(OperatorSettings settings) => new(
        settings.Name,
        settings.AccountStatus,
        settings.DefaultTaxRateId,
        settings.AutomaticBillRun,
        settings.AutomaticCollection,
        settings.AutomaticSending,
        settings.InvoiceDueDays,
        settings.RenewalNumbering,
        settings.CancelledPaidBookings,
        settings.Salto,
        settings.HalfDayPasses,
        settings.BookingPassesEnabled,
        settings.Version);
}

public sealed class OperatorHandler(SettingsStore store)
{
    public async Task<Reply<OperatorView>> GetAsync(RequestContext context, CancellationToken cancellation) =>
        OperatorView.Of((await store.ReadOperatorAsync(cancellation)).Settings);

    public async Task<Reply<OperatorView>> EditAsync(EditOperatorRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (request.DefaultTaxRateId is { } tax && await store.FindTaxRateAsync(tax, cancellation) is null)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/defaultTaxRateId", "There is no such tax rate.");
        }

        return await ChangeAsync(context, current => OperatorRules.Edit(current, Edited(current, request)), cancellation);
    }

    public Task<Reply<OperatorView>> ActivateAsync(RequestContext context, CancellationToken cancellation) =>
        ChangeAsync(context, OperatorRules.Activate, cancellation);

    public Task<Reply<OperatorView>> SuspendAsync(RequestContext context, CancellationToken cancellation) =>
        ChangeAsync(context, OperatorRules.Suspend, cancellation);

    private static OperatorSettings Edited(OperatorSettings current, EditOperatorRequest request) => current with
    {
        Name = request.Name,
        DefaultTaxRateId = request.DefaultTaxRateId,
        AutomaticBillRun = request.AutomaticBillRun,
        AutomaticCollection = request.AutomaticCollection,
        AutomaticSending = request.AutomaticSending,
        InvoiceDueDays = request.InvoiceDueDays,
        RenewalNumbering = request.RenewalNumbering,
        CancelledPaidBookings = request.CancelledPaidBookings ?? Settings.CancelledPaidBookings.AccountCredit,
        Salto = request.Salto,
        HalfDayPasses = request.HalfDayPasses,
        BookingPassesEnabled = request.BookingPassesEnabled,
    };

    private async Task<Reply<OperatorView>> ChangeAsync(
        RequestContext context, Func<OperatorSettings, Result<OperatorSettings>> decide, CancellationToken cancellation)
    {
        (OperatorSettings current, string? etag) = await store.ReadOperatorAsync(cancellation);
        Result<OperatorSettings> changed = context.CheckIfMatch(current.Version) is { } stale ? stale : decide(current);
        if (changed.IsError)
        {
            return await store.ReplayOrAsync<OperatorView>(context, changed.Error, cancellation);
        }

        return await store.CommitAsync(SettingsStore.Save(changed.Value, etag), context, OperatorView.Of(changed.Value), cancellation);
    }
}
