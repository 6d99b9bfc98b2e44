using Flex.Catalogue;
using Flex.Members;
using Flex.Settings;

namespace Flex.Wallets;

/// <summary>What a member is entitled to and has.</summary>
public sealed class WalletReader(WalletStore wallets, CatalogueStore catalogue, SettingsStore settings)
{
    /// <summary>
    /// The memberships that entitle the member, each with the version of the plan it keeps. No storage call but the first for each
    /// version.
    /// </summary>
    public async Task<MemberTerms> TermsAsync(Member member, CancellationToken cancellation)
    {
        var memberships = new List<MembershipTerms>();
        foreach (MembershipStanding standing in member.Standing.Where(Entitles))
        {
            Plan plan = await catalogue.FindPlanVersionAsync(standing.PlanId, standing.PlanVersion, cancellation)
                ?? throw new DefectException($"{standing.MembershipId} keeps version {standing.PlanVersion} of {standing.PlanId}, which does not exist.");
            memberships.Add(new MembershipTerms(standing, plan, (await settings.LocationAsync(standing.LocationId, cancellation)).Calendar));
        }

        return new MemberTerms(member, memberships);
    }

    /// <summary>One point read.</summary>
    public Task<StoredWallet> ReadAsync(MemberId member, CancellationToken cancellation) => wallets.ReadAsync(member, cancellation);

    private static bool Entitles(MembershipStanding standing) =>
        standing.Status is MembershipStatus.Active or MembershipStatus.Delinquent or MembershipStatus.PendingCancellation;
}
