using Flex.Platform.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Renewals;

public static class RenewalsFeature
{
    public static IServiceCollection AddRenewals(this IServiceCollection services) => services
        .AddSingleton<RenewalStarter>()
        .AddSingleton<StartDueRenewals>()
        .AddSingleton<RenewalStepHandler>()
        .AddSingleton<RenewalOutcomes>()
        .AddSingleton<IMessageHandler, ApplyMembershipPayment>()
        .AddSingleton<IMessageHandler, NoteSourceUpdate>();
}
