using Flex.Local.Runtime.Storage;
using Flex.Local.Simulators.Salto;
using Flex.Local.Simulators.Stripe;
using Flex.Platform.Blobs;
using Flex.Platform.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Local.Runtime.Hosting;

/// <summary>What surrounds Flex on one machine.</summary>
public static class LocalModules
{
    public const string StripeKey = "sk_test_local";
    public const string WebhookSecret = "whsec_local";

    /// <param name="user">A real Stripe or Salto configured here has no simulator.</param>
    /// <param name="data">Where simulators remember; null keeps nothing.</param>
    /// <param name="seed">Ids of the simulated Stripe follow from it.</param>
    public static IReadOnlyList<ILocalModule> All(Uri baseAddress, LocalIdentity identity, IConfiguration user, DataDirectory? data, int seed)
    {
        List<ILocalModule> modules = [new IdentityModule(identity), new ControlsModule(), new MailModule(data?.MailJournal)];
        if (string.IsNullOrEmpty(user["Stripe:ApiKey"]))
        {
            modules.Add(new StripeSimulatorModule(new StripeOptions
            {
                ApiKey = StripeKey,
                DataDirectory = data?.Path,
                Seed = (ulong)seed,
                PublicUrl = new Uri(baseAddress, StripeSimulatorModule.Prefix).AbsoluteUri,
                Endpoints = [new StripeEndpoint("flex", new Uri(baseAddress, "/api/v1/webhooks/stripe"), [WebhookSecret], ["*"])],
            }));
        }

        if (string.IsNullOrEmpty(user["Salto:ClientId"]))
        {
            modules.Add(new SaltoModule(data?.Path, new SaltoSimulatorOptions()));
        }

        return modules;
    }

    /// <summary>Storage that lives and dies with the process.</summary>
    public static IServiceCollection AddMemoryStorage(this IServiceCollection services)
    {
        var tables = new MemoryTableStore();
        services.AddSingleton(tables);
        services.AddSingleton<ITableStore>(tables);
        services.AddSingleton<ITableScanner>(tables);
        services.AddSingleton<IBlobStore>(new MemoryBlobStore());
        return services;
    }
}
