using System.Text.Json.Nodes;
using Xunit;

[assembly: AssemblyFixture(typeof(Flex.Infrastructure.Tests.Infra))]

namespace Flex.Infrastructure.Tests;

/// <summary>
/// The infrastructure as compiled, and what it deploys for the committed parameter files and for variants that choose what those do
/// not. Compiled once for all tests; a test that changes something takes its own copy.
/// </summary>
public sealed class Infra : IAsyncLifetime
{
    /// <summary>The names of <see cref="Deployment"/>.</summary>
    public static readonly string[] Deployments = ["dev", "prod", "storage-hub", "private", "premium"];

    private readonly Dictionary<string, string> _deployments = [];
    private string _template = string.Empty;

    /// <summary>The ARM template that main.bicep compiles to; a new copy each time.</summary>
    public JsonObject Template() => (JsonObject)JsonNode.Parse(_template)!;

    /// <summary>The predicted resources and outputs of a deployment; a new copy each time.</summary>
    public JsonObject Deployment(string name) => (JsonObject)JsonNode.Parse(_deployments[name])!;

    public async ValueTask InitializeAsync()
    {
        using var infra = new InfraCopy();
        _template = (await infra.CompileAsync(CancellationToken.None)).ToJsonString();
        _deployments["dev"] = await PredictAsync(infra, "dev");
        _deployments["prod"] = await PredictAsync(infra, "prod");

        // The longest names, the task hub in storage, nothing connected.
        infra.Replace("dev.bicepparam", "param prefix = 'flex'", "param taskHub = 'storage'\nparam prefix = 'longname'");
        infra.Replace("dev.bicepparam", "environmentName = 'dev'", "environmentName = 'prod'");
        infra.Replace("dev.bicepparam", "stripeMode: 'test'", "stripeMode: 'none'");
        _deployments["storage-hub"] = await PredictAsync(infra, "dev");

        infra.Replace("prod.bicepparam", "privateNetwork = false", "privateNetwork = true");
        _deployments["private"] = await PredictAsync(infra, "prod");

        // Service Bus private too, every secret in use and being rolled, the retention locked.
        infra.Replace("prod.bicepparam", "param prefix", "param serviceBusSku = 'Premium'\nparam invoiceRetentionIsLocked = true\nparam prefix");
        infra.Replace("prod.bicepparam", "rolling: []", "rolling: ['stripe-webhook-secret', 'quotes-signing-key']");
        infra.Replace("prod.bicepparam", "username: ''", "username: 'flex'");
        _deployments["premium"] = await PredictAsync(infra, "prod");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<string> PredictAsync(InfraCopy infra, string environment) =>
        (await infra.PredictAsync(environment, CancellationToken.None)).ToJsonString();
}
