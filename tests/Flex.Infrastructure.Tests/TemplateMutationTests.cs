using System.Text.Json.Nodes;
using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>Each rule of <see cref="TemplateRules"/> reports what it is there for: one mistake at a time, made on purpose.</summary>
public sealed class TemplateMutationTests(Infra infra)
{
    private const string Storage = "Microsoft.Storage/storageAccounts";
    private const string Bus = "Microsoft.ServiceBus/namespaces";
    private const string Queue = "Microsoft.ServiceBus/namespaces/queues";
    private const string Vault = "Microsoft.KeyVault/vaults";
    private const string Site = "Microsoft.Web/sites";
    private const string Settings = "Microsoft.Web/sites/config";
    private const string RoleAssignment = "Microsoft.Authorization/roleAssignments";

    /// <summary>Mistakes in the template, by the finding that must say so.</summary>
    private static readonly Dictionary<string, Action<JsonObject>> InTemplate = new(StringComparer.Ordinal)
    {
        ["hostStorage: properties.allowSharedKeyAccess"] = t => Set(t, Storage, "properties.allowSharedKeyAccess", true),
        ["properties.allowSharedKeyAccess of"] = t => Set(t, Storage, "properties.allowSharedKeyAccess", "[parameters('keys')]"),
        ["properties.allowBlobPublicAccess"] = t => Set(t, Storage, "properties.allowBlobPublicAccess", true),
        ["properties.supportsHttpsTrafficOnly"] = t => Set(t, Storage, "properties.supportsHttpsTrafficOnly", false),
        ["properties.minimumTlsVersion of Microsoft.Storage"] = t => Set(t, Storage, "properties.minimumTlsVersion", "TLS1_0"),
        ["properties.publicAccess"] = t => Set(t, $"{Storage}/blobServices/containers", "properties.publicAccess", "Blob"),
        ["properties.disableLocalAuth of Microsoft.ServiceBus"] = t => Set(t, Bus, "properties.disableLocalAuth", null),
        ["properties.minimumTlsVersion of Microsoft.ServiceBus"] = t => Set(t, Bus, "properties.minimumTlsVersion", "1.0"),
        ["properties.enableRbacAuthorization"] = t => Set(t, Vault, "properties.enableRbacAuthorization", false),
        ["properties.enableSoftDelete"] = t => Set(t, Vault, "properties.enableSoftDelete", false),
        ["properties.enablePurgeProtection"] = t => Set(t, Vault, "properties.enablePurgeProtection", null),
        ["properties.DisableLocalAuth of Microsoft.Insights"] = t => Set(t, "Microsoft.Insights/components", "properties.DisableLocalAuth", false),
        ["properties.features.disableLocalAuth"] = t => Set(t, "Microsoft.OperationalInsights/workspaces", "properties.features.disableLocalAuth", false),
        ["properties.httpsOnly"] = t => Set(t, Site, "properties.httpsOnly", false),
        ["properties.siteConfig.minTlsVersion"] = t => Set(t, Site, "properties.siteConfig.minTlsVersion", "1.1"),
        ["properties.siteConfig.scmMinTlsVersion"] = t => Set(t, Site, "properties.siteConfig.scmMinTlsVersion", null),
        ["properties.siteConfig.ftpsState"] = t => Set(t, Site, "properties.siteConfig.ftpsState", "AllAllowed"),
        ["properties.siteConfig.healthCheckPath"] = t => Set(t, Site, "properties.siteConfig.healthCheckPath", "/"),
        ["properties.allow of"] = t => Set(t, $"{Site}/basicPublishingCredentialsPolicies", "properties.allow", true),
        ["There is no Microsoft.KeyVault/vaults."] = t => Set(t, Vault, "type", "Microsoft.Other/vaults"),
        ["minimalTlsVersion of Microsoft.Web/serverfarms is 1.1"] = t => Set(t, "Microsoft.Web/serverfarms", "properties.minimalTlsVersion", "1.1"),
        ["A key is read or written: value = [listKeys("] = t => Output(t, "monitoring", "handy", "[listKeys(resourceId('x'), '2025-06-01').keys[0].value]"),
        ["output handy may carry a secret"] = t => Output(t, "monitoring", "handy", "[reference('insights').ConnectionString]"),
        ["output adminPassword may carry a secret"] = t => Output(t, "monitoring", "adminPassword", "x"),
        ["the value of a secret is deployed"] = t => Set(t, Vault, "type", $"{Vault}/secrets"),
        ["parameter handed would carry a secret"] = t => Parameter(t, "handed", new JsonObject { ["type"] = "securestring" }),
        ["parameter handed is not described"] = t => Parameter(t, "handed", new JsonObject { ["type"] = "bool" }),
        ["parameter handed takes anything"] = t => Parameter(t, "handed", new JsonObject { ["type"] = "string" }),
        ["roles are assigned in roles.bicep only"] = t => Set(t, $"{Storage}/blobServices", "type", RoleAssignment),
    };

    /// <summary>Mistakes in what is deployed where everything is chosen, by the finding that must say so.</summary>
    private static readonly Dictionary<string, Action<JsonObject>> InDeployment = new(StringComparer.Ordinal)
    {
        ["The queue outbox is missing."] = d => Remove(d, Queue),
        ["The queue other is not expected."] = d => Add(d, Queue, q => q["name"] = "bus/other"),
        ["Queue outbox: maxDeliveryCount"] = d => SetPredicted(d, Queue, "properties.maxDeliveryCount", 3),
        ["Queue outbox: requiresDuplicateDetection"] = d => SetPredicted(d, Queue, "properties.requiresDuplicateDetection", false),
        ["Queue outbox: duplicateDetectionHistoryTimeWindow"] = d => SetPredicted(d, Queue, "properties.duplicateDetectionHistoryTimeWindow", "PT1H"),
        ["Queue outbox: lockDuration"] = d => SetPredicted(d, Queue, "properties.lockDuration", "PT1M"),
        ["Queue outbox: deadLetteringOnMessageExpiration"] = d => SetPredicted(d, Queue, "properties.deadLetteringOnMessageExpiration", false),
        ["Queue outbox: defaultMessageTimeToLive"] = d => SetPredicted(d, Queue, "properties.defaultMessageTimeToLive", "P200D"),
        ["Queue mail: defaultMessageTimeToLive"] = d => Remove(d, $"{Storage}/managementPolicies"),
        ["The setting Mail__Host is missing."] = d => SetPredicted(d, Settings, "properties.Mail__Host", null),
        ["The setting Extra is not expected."] = d => SetPredicted(d, Settings, "properties.Extra", "1"),
        ["The setting FUNCTIONS_WORKER_RUNTIME is not expected."] = d => SetPredicted(d, Settings, "properties.FUNCTIONS_WORKER_RUNTIME", "dotnet-isolated"),
        ["The setting Stripe__ApiBase is not expected."] = d => SetPredicted(d, Settings, "properties.Stripe__ApiBase", "https://example.com"),
        ["Setting Tables__ConnectionString is a connection string."] = d => SetPredicted(d, Settings, "properties.Tables__ConnectionString", "x"),
        ["Setting Stripe__ApiKey must refer"] = d => SetPredicted(d, Settings, "properties.Stripe__ApiKey", "sk_test_1"),
        ["Setting Quotes__SigningKeyNext must refer"] =
            d => SetPredicted(d, Settings, "properties.Quotes__SigningKeyNext", "@Microsoft.KeyVault(VaultName=other;SecretName=quotes-signing-key-next)"),
        ["must name the managed identity"] = d => SetPredicted(d, Settings, "properties.DURABLE_TASK_SCHEDULER_CONNECTION_STRING", "Endpoint=x;Authentication=None"),
        ["Mail__Host has a connection string."] = d => SetPredicted(d, Settings, "properties.Mail__Host", "[reference('insights').ConnectionString]"),
        ["handy has a connection string."] = d => ((JsonObject)d["outputs"]!)["handy"] = "[reference('insights').ConnectionString]",
        ["The right Microsoft.Storage/storageAccounts host: b7e6dc6d-f1e8-4753-8033-0f276bb0955b is missing."] = d => Remove(d, RoleAssignment),
        ["The right Microsoft.Storage/storageAccounts host: owner is not expected."] =
            d => Add(d, RoleAssignment, r => ((JsonObject)r["properties"]!)["roleDefinitionId"] = "/providers/Microsoft.Authorization/roleDefinitions/owner"),
        ["is there twice."] = d => Add(d, RoleAssignment, _ => { }),
        ["A role is given to 1b2c."] = d => SetPredicted(d, RoleAssignment, "properties.principalId", "1b2c"),
        ["The container packages is missing."] = d => Remove(d, $"{Storage}/blobServices/containers"),
        ["The container other is not expected."] = d => Add(d, $"{Storage}/blobServices/containers", c => c["name"] = "a/default/other"),
        ["cannot be named flex-host"] = d => SetPredicted(d, Storage, "name", "flex-host"),
        ["cannot be named " + "flex-production-abcdefgh-abcdefgh"] = d => SetPredicted(d, Site, "name", "flex-production-abcdefgh-abcdefgh"),
        ["must be Disabled."] = d => SetPredicted(d, Storage, "properties.publicNetworkAccess", "Enabled"),
        ["The private endpoint Microsoft.Storage/storageAccounts host: blob is missing."] = d => Remove(d, "Microsoft.Network/privateEndpoints"),
    };

    /// <summary>Mistakes in the sources, which have to come through the compiler: file, text, what it is replaced by, finding.</summary>
    public static TheoryData<string, string, string, string> InSource => new()
    {
        { "modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "properties.allowSharedKeyAccess" },
        { "modules/servicebus.bicep", "'billing', ", "", "The queue billing is missing." },
        { "modules/functionapp.bicep", "  Mail__RequireTls: 'true'", "  Mail__RequireTls: 'true'\n  Mail__Extra: ''", "The setting Mail__Extra is not expected." },
        {
            "modules/roles.bicep", "    serviceBusDataReceiver: roleIds", "    storageBlobDataOwner: roleIds.storageBlobDataOwner\n    serviceBusDataReceiver: roleIds",
            "The right Microsoft.ServiceBus/namespaces: b7e6dc6d-f1e8-4753-8033-0f276bb0955b is not expected."
        },
    };

    public static TheoryData<string> TemplateFindings => [.. InTemplate.Keys];

    public static TheoryData<string> DeploymentFindings => [.. InDeployment.Keys];

    [Theory, MemberData(nameof(TemplateFindings))]
    public void A_mistake_in_the_template_is_reported(string finding)
    {
        JsonObject template = infra.Template();
        InTemplate[finding](template);
        Assert.Contains(TemplateRules.OfTemplate(template), f => f.Contains(finding, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(DeploymentFindings))]
    public void A_mistake_in_a_deployment_is_reported(string finding)
    {
        JsonObject deployment = infra.Deployment("premium");
        InDeployment[finding](deployment);
        Assert.Contains(TemplateRules.OfDeployment(deployment), f => f.Contains(finding, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(InSource))]
    public async Task A_mistake_in_a_source_is_reported(string file, string text, string by, string finding)
    {
        using var changed = new InfraCopy();
        changed.Replace(file, text, by);

        IReadOnlyList<string> findings = TemplateRules.OfTemplate(await changed.CompileAsync(TestContext.Current.CancellationToken));
        if (findings.Count == 0)
        {
            findings = TemplateRules.OfDeployment(await changed.PredictAsync("dev", TestContext.Current.CancellationToken));
        }

        Assert.Contains(findings, f => f.Contains(finding, StringComparison.Ordinal));
    }

    /// <summary>Linter rules are errors, so that what they find cannot be overlooked either.</summary>
    [Fact]
    public async Task An_output_with_a_key_does_not_compile()
    {
        using var changed = new InfraCopy();
        changed.Replace("modules/staticsite.bicep", "site.properties.defaultHostname", "site.listSecrets().properties.apiKey");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => changed.CompileAsync(TestContext.Current.CancellationToken));
        Assert.Contains("Error outputs-should-not-contain-secrets", refused.Message, StringComparison.Ordinal);
    }

    private static void Set(JsonObject template, string type, string path, JsonNode? value) =>
        Put(Arm.Resources(template).First(r => Arm.TypeOf(r.Resource) == type).Resource, path, value);

    private static void SetPredicted(JsonObject deployment, string type, string path, JsonNode? value) =>
        Put(Arm.Predicted(deployment, type).First(), path, value);

    /// <summary>Sets the member at a path; null removes it.</summary>
    private static void Put(JsonObject resource, string path, JsonNode? value)
    {
        string[] names = path.Split('.');
        JsonObject parent = names[..^1].Aggregate(resource, (current, name) => (JsonObject)current[name]!);
        parent.Remove(names[^1]);
        if (value is not null)
        {
            parent[names[^1]] = value;
        }
    }

    private static void Remove(JsonObject deployment, string type) =>
        ((JsonArray)deployment["predictedResources"]!).Remove(Arm.Predicted(deployment, type).First());

    /// <summary>Adds a changed copy of the first resource of a type.</summary>
    private static void Add(JsonObject deployment, string type, Action<JsonObject> change)
    {
        var copy = (JsonObject)Arm.Predicted(deployment, type).First().DeepClone();
        change(copy);
        ((JsonArray)deployment["predictedResources"]!).Add((JsonNode)copy);
    }

    private static void Output(JsonObject template, string module, string name, string value) =>
        ((JsonObject)Arm.Templates(template).Single(t => t.Module == module).Template["outputs"]!)[name] = new JsonObject { ["type"] = "string", ["value"] = value };

    private static void Parameter(JsonObject template, string name, JsonObject parameter) => ((JsonObject)template["parameters"]!)[name] = parameter;
}
