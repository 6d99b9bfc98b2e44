using Microsoft.Extensions.DependencyInjection;

namespace Flex.Wallets;

public static class WalletsFeature
{
    public static IServiceCollection AddWallets(this IServiceCollection services) => services
        .AddSingleton<WalletStore>()
        .AddSingleton<WalletReader>()
        .AddSingleton<WalletLedger>();
}
