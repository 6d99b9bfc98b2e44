using Flex.Catalogue;
using NodaTime;

namespace Flex.Wallets;

/// <summary>Which passes a member can get. Pure.</summary>
public static class PassRules
{
    /// <summary>Keeps a wallet in one row: about 40 characters for each resource of a pass or grant and 300 besides; a third of the row is left free.</summary>
    private const int MaxParts = 7_000;

    private const int PartsBeside = 8;

    /// <summary>The pass of that name in a plan of the member, and the membership that offers it (BPS-2, BPS-9); null when there is none.</summary>
    public static (MembershipTerms Terms, PassOffer Offer)? OfferFor(MemberTerms terms, string name, Instant at, bool passesEnabled)
    {
        (MembershipTerms Terms, PassOffer Offer)[] offers =
            [.. terms.At(at).SelectMany(m => m.Plan.PassOffers.Where(o => o.Name == name).Select(o => (m, o)))];
        return passesEnabled && offers.Length > 0 ? offers[0] : null;
    }

    public static Error NotOffered(string name, bool passesEnabled) => Error.Refused(
        ErrorCodes.PassNotOffered,
        passesEnabled ? $"The member's plan does not offer a booking pass '{name}'." : "Booking passes are switched off in the operator's settings.");

    /// <summary>Null when the wallet has room for so many more passes or grants.</summary>
    public static Error? RefuseMore(Wallet wallet, int resources, int quantity)
    {
        int parts = wallet.Passes.Sum(p => p.ResourceIds.Count + PartsBeside)
            + wallet.Grants.Sum(g => g.ResourceIds.Count + PartsBeside)
            + (quantity * (resources + PartsBeside));
        return parts <= MaxParts ? null : Error.Refused(ErrorCodes.WalletFull, "The member has so many passes and grants that there is no room for more.");
    }
}
