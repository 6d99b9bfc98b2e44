using Flex.Members;
using Flex.Platform.Http;
using Flex.Settings;
using NodaTime;

namespace Flex.Wallets;

/// <param name="Passes">As they were issued.</param>
public sealed record IssuedPasses(IReadOnlyList<PassView> Passes);

/// <summary>Staff give passes that the member's plan offers, free of charge (BPS-9), and remove passes (BPS-8).</summary>
public sealed class ManagePassesHandler(
    WalletReader reader, WalletChanges changes, MemberStore members, SettingsStore settings, IIdSource ids, TimeProvider time)
{
    public async Task<Reply<IssuedPasses>> AssignAsync(MemberId id, PassesRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await members.FindAsync(id, cancellation) is not { } member)
        {
            return Error.NotFound("The member");
        }

        Instant now = time.Now();
        MemberTerms terms = await reader.TermsAsync(member, cancellation);
        bool enabled = (await settings.GetOperatorAsync(cancellation)).BookingPassesEnabled;
        if (PassRules.OfferFor(terms, request.Offer, now, enabled) is not { Offer: { } offer })
        {
            return await changes.ChangeAsync<IssuedPasses>(id, context, _ => PassRules.NotOffered(request.Offer, enabled), cancellation);
        }

        await changes.OpenAsync(id, cancellation);
        BookingPass[] passes =
        [
            .. Enumerable.Range(0, request.Quantity)
                .Select(_ => new BookingPass(EntityId.New<BookingPassId>(ids), offer.Name, offer.Minutes, 0, offer.ResourceIds, null, null, now, null, null)),
        ];
        return await changes.ChangeAsync<IssuedPasses>(
            id,
            context,
            wallet => PassRules.RefuseMore(wallet, offer.ResourceIds.Count, request.Quantity) is { } full
                ? full
                : new WalletChange<IssuedPasses>(
                    wallet with { Passes = [.. wallet.Passes, .. passes] }, new IssuedPasses([.. passes.Select(PassView.Of)])),
            cancellation);
    }

    /// <summary>Nothing of the pass can be used from then on; what bookings have used stays used. Repeats change nothing.</summary>
    public Task<Reply<PassView>> RemoveAsync(MemberId id, BookingPassId pass, RequestContext context, CancellationToken cancellation) =>
        changes.ChangeAsync<PassView>(id, context, wallet => Remove(wallet, pass, time.Now()), cancellation);

    private static Result<WalletChange<PassView>> Remove(Wallet wallet, BookingPassId id, Instant now)
    {
        if (wallet.Passes.FirstOrDefault(p => p.Id == id) is not { } pass)
        {
            return Error.NotFound("The booking pass");
        }

        BookingPass removed = pass with { RemovedAt = pass.RemovedAt ?? now };
        return new WalletChange<PassView>(wallet.Change(removed), PassView.Of(removed));
    }
}
