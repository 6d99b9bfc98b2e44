using Flex.Platform.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Memberships;

public static class MembershipsFeature
{
    public static IServiceCollection AddMemberships(this IServiceCollection services) => services
        .AddSingleton<MembershipStore>()
        .AddSingleton<SignUpHandler>()
        .AddSingleton<AssignMembershipHandler>()
        .AddSingleton<CancelMembershipHandler>()
        .AddSingleton<ReadMembershipsHandler>()
        .AddSingleton<DowngradeMembership>()
        .AddSingleton<CompleteSignUp>()
        .AddSingleton<IMessageHandler>(s => s.GetRequiredService<CompleteSignUp>());
}
