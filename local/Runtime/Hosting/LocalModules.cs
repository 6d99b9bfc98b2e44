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

    /// <param name="user">A mail server, Stripe or Salto configured here has no simulator.</param>
    /// <param name="data">Where simulators remember; null keeps nothing.</param>
    /// <param name="seed">Ids of the simulated Stripe follow from it.</param>
    public static IReadOnlyList<ILocalModule> All(Uri baseAddress, LocalIdentity identity, IConfiguration user, DataDirectory? data, int seed)
    {
        List<ILocalModule> modules = [new IdentityModule(identity), new ControlsModule()];
        if (string.IsNullOrEmpty(user["Mail:Host"]))
        {
            modules.Add(new MailModule(data?.MailJournal));
        }

        if (string.IsNullOrEmpty(user["Stripe:ApiKey"]))
        {
            modules.Add(new StripeSimulatorModule(Stripe(baseAddress, unchecked((ulong)seed)) with { DataDirectory = data?.Path }));
        }

        if (string.IsNullOrEmpty(user["Salto:ClientId"]))
        {
            modules.Add(new SaltoModule(data?.Path, new SaltoSimulatorOptions()));
        }

        return modules;
    }

    /// <summary>A simulated account whose webhooks go to Flex at the address.</summary>
    public static StripeOptions Stripe(Uri baseAddress, ulong seed) => new()
    {
        ApiKey = StripeKey,
        Seed = seed,
        PublicUrl = new Uri(baseAddress, StripeSimulatorModule.Prefix).AbsoluteUri,
        Endpoints = [new StripeEndpoint("flex", new Uri(baseAddress, "/api/v1/webhooks/stripe"), [WebhookSecret], ["*"])],
    };

    /// <summary>Storage that lives and dies with the process.</summary>
    /// <param name="address">Where this process serves links to blobs.</param>
    public static IServiceCollection AddMemoryStorage(this IServiceCollection services, Uri address)
    {
        var tables = new MemoryTableStore();
        var blobs = new MemoryBlobStore();
        services.AddSingleton(tables);
        services.AddSingleton<ITableStore>(tables);
        services.AddSingleton<ITableScanner>(tables);
        services.AddSingleton<IBlobStore>(blobs);
        services.AddSingleton<ISignedLinks>(s => new MemorySignedLinks(blobs, address, s.GetRequiredService<TimeProvider>()));
        return services;
    }
}
