using Flex.Invoicing;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;
using FluentValidation;
using NodaTime;

namespace Flex.Wallets;

/// <param name="Offer">Name of the pass in the member's plan.</param>
/// <param name="Quantity">1 to 20.</param>
public sealed record PassesRequest(string Offer, int Quantity);

public sealed class PassesValidator : AbstractValidator<PassesRequest>
{
    public PassesValidator()
    {
        RuleFor(r => r.Offer).PlainText(50);
        RuleFor(r => r.Quantity).InclusiveBetween(1, 20);
    }
}

/// <param name="State">Pending while a bank or the gateway owes the outcome: the passes appear in the wallet when it is known.</param>
/// <param name="PassIds">Of the passes; they exist once the purchase is issued.</param>
/// <param name="Price">Net, of all of them.</param>
public sealed record PassPurchaseView(
    InvoiceId InvoiceId, PassPurchaseState State, string Name, int Quantity, int MinutesEach, Money Price, IReadOnlyList<BookingPassId> PassIds)
{
    public static PassPurchaseView Of(PassPurchase purchase) => new(
        purchase.InvoiceId,
        purchase.State,
        purchase.Name,
        purchase.Quantity,
        purchase.Minutes,
        purchase.Price.Times(purchase.Quantity, 1),
        [.. purchase.PassIds]);
}

/// <summary>
/// Sells booking passes for immediate payment (BPS-2, BPS-3): the purchase is stored, charged, and the passes are issued. Invoice and
/// gateway key follow from the request's key, so a repeat goes on where the first was cut off and never charges again; what a crash
/// behind the payment leaves is finished by the payment's message.
/// </summary>
public sealed class BuyPassesHandler(
    WalletStore wallets,
    WalletReader reader,
    WalletChanges changes,
    PassPayments payments,
    IImmediateBilling billing,
    MemberStore members,
    SettingsStore settings,
    TimeProvider time)
{
    public async Task<Reply<PassPurchaseView>> HandleAsync(MemberId id, PassesRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (context.Caller.Refuses(id, "The member") is { } hidden)
        {
            return hidden;
        }

        RequestKey key = context.Idempotency!;
        var invoice = EntityId.Derive<InvoiceId>($"booking-passes|{id}|{key.RowKey}");
        if (await wallets.ReadPurchaseAsync(id, invoice, cancellation) is { } earlier)
        {
            return await PayAsync(earlier.Value, key, cancellation);
        }

        Result<PassPurchase> wish = await PrepareAsync(id, request, invoice, key, cancellation);
        if (wish.IsError)
        {
            return wish.Error;
        }

        await changes.OpenAsync(id, cancellation);
        bool isFirst = await wallets.TryCommitAsync(WalletStore.Put(WalletStore.Batch(id), wish.Value, null), cancellation);
        return isFirst
            ? await PayAsync(wish.Value, key, cancellation)
            : throw new TransientFaultException("The same request is under way.");
    }

    private async Task<Result<PassPurchase>> PrepareAsync(
        MemberId id, PassesRequest request, InvoiceId invoice, RequestKey key, CancellationToken cancellation)
    {
        if (await members.FindAsync(id, cancellation) is not { } member)
        {
            return Error.NotFound("The member");
        }

        Instant now = time.Now();
        bool enabled = (await settings.GetOperatorAsync(cancellation)).BookingPassesEnabled;
        if (PassRules.OfferFor(await reader.TermsAsync(member, cancellation), request.Offer, now, enabled) is not { } found)
        {
            return PassRules.NotOffered(request.Offer, enabled);
        }

        Wallet wallet = (await wallets.ReadAsync(id, cancellation)).Wallet;
        Error? refusal = PassRules.RefuseMore(wallet, found.Offer.ResourceIds.Count, request.Quantity)
            ?? (found.Offer.Price.IsPositive ? await billing.RefuseAsync(member.CustomerId, cancellation) : null);
        return refusal is not null ? refusal : new PassPurchase(
            invoice,
            key.BodyHash,
            id,
            member.CustomerId,
            found.Terms.Plan.LocationId,
            found.Offer.Name,
            request.Quantity,
            found.Offer.Minutes,
            found.Offer.Price,
            found.Offer.TaxRateId,
            found.Offer.ResourceIds,
            found.Terms.Calendar.DateOf(now),
            PassPurchaseState.Pending,
            null,
            null);
    }

    private async Task<Reply<PassPurchaseView>> PayAsync(PassPurchase purchase, RequestKey key, CancellationToken cancellation)
    {
        if (purchase.BodyHash != key.BodyHash)
        {
            return Error.Invalid(ErrorCodes.IdempotencyKeyReuse, string.Empty, "This Idempotency-Key was used with another body.");
        }

        if (purchase.State == PassPurchaseState.Pending)
        {
            ChargeOutcome outcome = await billing.ChargeAsync(purchase.Charge, cancellation);
            purchase = await payments.ApplyAsync(purchase.MemberId, outcome, cancellation);
        }

        return purchase.State == PassPurchaseState.Failed
            ? new Error(ErrorKind.PaymentFailed, ErrorCodes.PaymentFailed, "The payment was declined; no pass was issued.")
            {
                Extensions = new Dictionary<string, object?> { ["declineCode"] = DeclineCodes.Shown(purchase.FailureCode) },
            }
            : PassPurchaseView.Of(purchase);
    }
}
