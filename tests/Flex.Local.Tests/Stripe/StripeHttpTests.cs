using System.Net;
using Flex.Local.Simulators.Stripe;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Stripe;
using Xunit;
using static Flex.Local.Tests.Stripe.StripeTestWorld;

namespace Flex.Local.Tests.Stripe;

/// <summary>The unchanged SDK over a real socket, with its ApiBase at the mapped prefix.</summary>
public sealed class StripeHttpTests
{
    [Fact]
    public async Task The_sdk_works_over_http_and_sees_declines_and_broken_connections()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSetting(WebHostDefaults.ServerUrlsKey, "http://127.0.0.1:0");
        builder.Services.AddSingleton(TimeProvider.System);
        var module = new StripeSimulatorModule(new StripeOptions());
        module.Configure(builder.Services);
        await using WebApplication app = builder.Build();
        StripeSimulator simulator = app.Services.GetRequiredService<StripeSimulator>();
        module.Map(app);
        await app.StartAsync(Cancel);
        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var http = new HttpClient();
        var client = new StripeClient(StripeTestWorld.Key, httpClient: new SystemNetHttpClient(http, maxNetworkRetries: 0), apiBase: address + "/local/stripe");

        Customer customer = await client.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "Åsa & Co" }, cancellationToken: Cancel);
        PaymentMethod method = await client.V1.PaymentMethods.AttachAsync("pm_card_visa", new PaymentMethodAttachOptions { Customer = customer.Id },
            cancellationToken: Cancel);
        PaymentIntent paid = await client.V1.PaymentIntents.CreateAsync(OffSession(customer, method), cancellationToken: Cancel);
        StripeException declined = await Assert.ThrowsAsync<StripeException>(() =>
            client.V1.PaymentMethods.AttachAsync("pm_card_chargeDeclined", new PaymentMethodAttachOptions { Customer = customer.Id },
                cancellationToken: Cancel));
        simulator.Faults = new ScriptedFaults(new StripeFault(StripeFaultKind.LostAfterEffect));
        var key = new RequestOptions { IdempotencyKey = "k1" };
        await Assert.ThrowsAnyAsync<Exception>(() => client.V1.PaymentIntents.CreateAsync(OffSession(customer, method), key, Cancel));
        PaymentIntent found = await client.V1.PaymentIntents.CreateAsync(OffSession(customer, method), key, Cancel);

        Assert.Equal("Åsa & Co", (await client.V1.Customers.GetAsync(customer.Id, cancellationToken: Cancel)).Name);
        Assert.Equal(("succeeded", "succeeded"), (paid.Status, found.Status));
        Assert.Equal((HttpStatusCode.PaymentRequired, "generic_decline"), (declined.HttpStatusCode, declined.StripeError.DeclineCode));
        Assert.Equal(2, simulator.Audit().Charges.Count);
        await app.StopAsync(Cancel);
    }
}
