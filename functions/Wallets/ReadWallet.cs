using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Settings;
using NodaTime;

namespace Flex.Wallets;

/// <summary>What a member can draw on.</summary>
/// <param name="Credits">Of every counted membership, in the current cycle and in the next.</param>
/// <param name="PassMinutesLeft">Over all passes.</param>
/// <param name="PassOffers">What the member can buy now; empty while passes are switched off.</param>
/// <param name="Purchase">Where to buy; null when nothing is offered.</param>
public sealed record WalletView(
    MemberId MemberId,
    IReadOnlyList<CreditView> Credits,
    IReadOnlyList<GrantView> Grants,
    IReadOnlyList<PassView> Passes,
    int PassMinutesLeft,
    IReadOnlyList<PassOfferTerms> PassOffers,
    string? Purchase);

/// <summary>A plan's credit in one cycle: either minutes or amounts (net), the others are null.</summary>
/// <param name="From">First local day of the cycle.</param>
/// <param name="Until">First local day after it.</param>
public sealed record CreditView(
    MembershipId MembershipId,
    string PlanName,
    string Name,
    IReadOnlyList<ResourceId> ResourceIds,
    LocalDate From,
    LocalDate Until,
    int? GrantedMinutes,
    int? UsedMinutes,
    int? LeftMinutes,
    Money? GrantedAmount,
    Money? UsedAmount,
    Money? LeftAmount,
    Money? PricePerHour)
{
    public static CreditView Of(MembershipTerms terms, PlanCredit credit, CreditCycle cycle, Wallet wallet)
    {
        CreditUse used = wallet.UseOf(terms, credit, cycle);
        CreditBalance balance = wallet.BalanceOf(terms, credit, cycle);
        return new CreditView(
            terms.Standing.MembershipId,
            terms.Plan.Name,
            credit.Name,
            credit.ResourceIds,
            cycle.From,
            cycle.Until,
            credit.Minutes,
            credit.Minutes is null ? null : used.Minutes,
            balance.MinutesLeft,
            credit.Amount,
            credit.Amount is { } amount ? used.Amount ?? Money.Zero(amount.Currency) : null,
            balance.AmountLeft,
            credit.PricePerHour);
    }
}

/// <summary>Credit beside the plan: either minutes or amounts (net), the others are null.</summary>
/// <param name="From">First local day of the bookings it is for.</param>
/// <param name="Until">Last one; null is open.</param>
public sealed record GrantView(
    CreditGrantId Id,
    string Name,
    IReadOnlyList<ResourceId> ResourceIds,
    LocalDate From,
    LocalDate? Until,
    int? GrantedMinutes,
    int? UsedMinutes,
    int? LeftMinutes,
    Money? GrantedAmount,
    Money? UsedAmount,
    Money? LeftAmount,
    Money? PricePerHour,
    Instant GrantedAt,
    Instant? WithdrawnAt)
{
    public static GrantView Of(CreditGrant grant) => new(
        grant.Id,
        grant.Name,
        grant.ResourceIds,
        grant.From,
        grant.Until,
        grant.Minutes,
        grant.Minutes is null ? null : grant.UsedMinutes,
        grant.MinutesLeft,
        grant.Amount,
        grant.Amount is { } amount ? grant.UsedAmount ?? Money.Zero(amount.Currency) : null,
        grant.AmountLeft,
        grant.PricePerHour,
        grant.GrantedAt,
        grant.WithdrawnAt);
}

public enum PassState
{
    Issued,
    PartiallyUsed,
    Used,
    Removed,
}

/// <param name="Minutes">What it held when it was issued.</param>
/// <param name="Price">Net, as sold; null when staff gave it.</param>
public sealed record PassView(
    BookingPassId Id,
    string Name,
    IReadOnlyList<ResourceId> ResourceIds,
    PassState State,
    int Minutes,
    int UsedMinutes,
    int LeftMinutes,
    Money? Price,
    InvoiceId? InvoiceId,
    Instant IssuedAt,
    Instant? RemovedAt)
{
    public static PassView Of(BookingPass pass) => new(
        pass.Id,
        pass.Name,
        pass.ResourceIds,
        pass.RemovedAt is not null ? PassState.Removed
            : pass.UsedMinutes == 0 ? PassState.Issued
            : pass.MinutesLeft == 0 ? PassState.Used
            : PassState.PartiallyUsed,
        pass.Minutes,
        pass.UsedMinutes,
        pass.MinutesLeft,
        pass.Price,
        pass.InvoiceId,
        pass.IssuedAt,
        pass.RemovedAt);
}

public sealed class ReadWalletHandler(WalletReader wallets, MemberStore members, SettingsStore settings, TimeProvider time)
{
    public async Task<Reply<WalletView>> HandleAsync(MemberId id, RequestContext context, CancellationToken cancellation)
    {
        if (context.Caller.Refuses(id, "The member") is { } hidden)
        {
            return hidden;
        }

        if (await members.FindAsync(id, cancellation) is not { } member)
        {
            return Error.NotFound("The member");
        }

        MemberTerms terms = await wallets.TermsAsync(member, cancellation);
        Wallet wallet = (await wallets.ReadAsync(id, cancellation)).Wallet;
        Instant now = time.Now();
        PassOffer[] offers = (await settings.GetOperatorAsync(cancellation)).BookingPassesEnabled
            ? [.. terms.At(now).SelectMany(m => m.Plan.PassOffers)]
            : [];
        return new WalletView(
            id,
            [.. terms.Memberships.SelectMany(m => CreditsOf(terms, m, wallet, now))],
            [.. wallet.Grants.Select(GrantView.Of)],
            [.. wallet.Passes.OrderBy(p => p.IssuedAt).Select(PassView.Of)],
            wallet.Passes.Sum(p => p.MinutesLeft),
            [.. offers.Select(PassOfferTerms.Of)],
            offers.Length == 0 ? null : Wallet.PurchaseLink(id));
    }

    private static IEnumerable<CreditView> CreditsOf(MemberTerms terms, MembershipTerms membership, Wallet wallet, Instant now)
    {
        CreditCycle current = membership.CycleAt(now);
        CreditCycle next = current.Next(membership.Standing.AnchorDate);
        (CreditCycle Cycle, Instant At)[] cycles = [(current, now), (next, membership.Calendar.StartOfDay(next.From))];
        return cycles
            .Where(c => terms.At(c.At).Contains(membership))
            .SelectMany(c => membership.Plan.Credits.Select(credit => CreditView.Of(membership, credit, c.Cycle, wallet)));
    }
}
