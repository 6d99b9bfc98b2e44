using System.Text.Json.Nodes;
using Flex.Platform.Messaging;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>The infrastructure as it is keeps all rules; the committed snapshots say what it deploys.</summary>
public sealed class TemplateTests(Infra infra)
{
    public static TheoryData<string> Deployments => new(Infra.Deployments);

    [Fact]
    public void The_template_keeps_every_rule_whatever_the_parameters() => Assert.Empty(TemplateRules.OfTemplate(infra.Template()));

    [Theory, MemberData(nameof(Deployments))]
    public void Every_deployment_keeps_every_rule(string name) => Assert.Empty(TemplateRules.OfDeployment(infra.Deployment(name)));

    /// <summary>A change of what is deployed shows in the review: if it is meant, <c>./flex azure snapshots</c> writes them anew.</summary>
    [Theory, InlineData("dev"), InlineData("prod")]
    public void The_committed_snapshot_is_what_is_deployed(string environment) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(SourceTree.Read($"infra/{environment}.snapshot.json")), infra.Deployment(environment)));

    [Fact]
    public void Issued_invoices_cannot_be_changed_and_a_locked_policy_is_left_alone()
    {
        const string Policy = "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies";

        JsonObject policy = Assert.Single(Arm.Predicted(infra.Deployment("prod"), Policy));
        Assert.EndsWith("/default/invoices/default", Arm.NameOf(policy), StringComparison.Ordinal);
        Assert.Equal("3653", Arm.Text(Arm.At(policy, "properties.immutabilityPeriodSinceCreationInDays")));
        Assert.Empty(Arm.Predicted(infra.Deployment("premium"), Policy));
    }

    [Fact]
    public void Only_secrets_that_are_in_use_are_referred_to()
    {
        Assert.Equal(["quotes-signing-key"], Referred("storage-hub"));
        Assert.Equal(["quotes-signing-key", "stripe-api-key", "stripe-webhook-secret"], Referred("dev"));
        Assert.Equal(
            [
                "mail-password", "quotes-signing-key", "quotes-signing-key-next", "salto-client-secret", "salto-password", "stripe-api-key",
                "stripe-webhook-secret", "stripe-webhook-secret-next",
            ],
            Referred("premium"));
    }

    [Fact]
    public void The_duplicate_window_outlasts_the_sweep_that_repeats_messages() => Assert.True(Queues.DuplicateWindow > 2 * Committer.SweepDelay);

    private string[] Referred(string deployment) =>
    [
        .. Arm.Predicted(infra.Deployment(deployment), "Microsoft.Web/sites/config").SelectMany(c => Arm.Values(c["properties"]))
            .Where(s => s.Value.StartsWith("@Microsoft.KeyVault(", StringComparison.Ordinal))
            .Select(s => s.Value.Split("SecretName=")[1].TrimEnd(')'))
            .Order(StringComparer.Ordinal),
    ];
}
