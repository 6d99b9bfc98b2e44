using Flex.Access;
using Flex.Local.Simulators.Salto;
using Flex.Members;

namespace Flex.Local.Audit;

/// <summary>Doors open only while somebody is entitled.</summary>
internal static class AccessAudit
{
    public static IEnumerable<Finding> Check(
        IEnumerable<MemberAccess> doors, IEnumerable<Member> members, ILookup<MemberId, string> entitlements, IReadOnlyList<SaltoUserFacts>? salto, bool atRest)
    {
        if (!atRest)
        {
            yield break;
        }

        Dictionary<MemberId, Member> byId = members.ToDictionary(m => m.Id);
        foreach (MemberAccess access in doors)
        {
            string[] entitled = [.. entitlements[access.MemberId].Distinct().Order(StringComparer.Ordinal)];
            string[] desired = [.. access.Desired().Order(StringComparer.Ordinal)];
            if (!desired.SequenceEqual(entitled))
            {
                yield return new Finding("access", $"{access.MemberId} is to open [{string.Join(' ', desired)}] and is entitled to [{string.Join(' ', entitled)}].");
            }

            if (salto is not null && access is { User: { } user, Pending: false } && byId.ContainsKey(access.MemberId)
                && salto.FirstOrDefault(u => u.SiteUserId == user.SiteUserId) is { CanOpen: true } facts && entitled.Length == 0)
            {
                yield return new Finding("open door", $"{access.MemberId} opens [{string.Join(' ', facts.Groups)}] at Salto without being entitled.");
            }
        }
    }
}
