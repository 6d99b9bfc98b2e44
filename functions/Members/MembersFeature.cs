using Flex.Platform.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Members;

public static class MembersFeature
{
    public static IServiceCollection AddMembers(this IServiceCollection services) => services
        .AddSingleton<CustomerStore>()
        .AddSingleton<MemberStore>()
        .AddSingleton<SaveCustomerHandler>()
        .AddSingleton<CreateMemberHandler>()
        .AddSingleton<MemberReader>()
        .AddSingleton<IMessageHandler, ApplyMembershipChange>();
}
