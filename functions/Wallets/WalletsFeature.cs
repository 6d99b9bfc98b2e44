using Microsoft.Extensions.DependencyInjection;

namespace Flex.Wallets;

public static class WalletsFeature
{
    public static IServiceCollection AddWallets(this IServiceCollection services) => services
        .AddSingleton<WalletStore>()
        .AddSingleton<WalletReader>()
        .AddSingleton<WalletLedger>()
        .AddSingleton<WalletChanges>()
        .AddSingleton<PassPayments>()
        .AddSingleton<ReadWalletHandler>()
        .AddSingleton<BuyPassesHandler>()
        .AddSingleton<ManagePassesHandler>()
        .AddSingleton<GrantCreditHandler>();
}
