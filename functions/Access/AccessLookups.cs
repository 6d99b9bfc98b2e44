using Flex.Members;
using Flex.Settings;

namespace Flex.Access;

/// <summary>The people behind members.</summary>
public sealed class MemberDirectory(MemberStore members) : IAccessDirectory
{
    public async Task<AccessPerson?> FindAsync(MemberId memberId, CancellationToken cancellation) =>
        await members.FindAsync(memberId, cancellation) is { } member ? new AccessPerson(member.Email, member.FirstName, member.LastName) : null;
}

/// <summary>The SaltoKS dialog of the operator's settings.</summary>
public sealed class OperatorAccessSettings(SettingsStore settings) : IAccessSettings
{
    public async Task<AccessSettings> GetAsync(CancellationToken cancellation)
    {
        SaltoSettings salto = (await settings.GetOperatorAsync(cancellation)).Salto;
        return new AccessSettings(salto.UnsubscribeWhenAllRevoked, salto.SiteId, salto.Groups.ToHashSet(StringComparer.Ordinal));
    }
}
