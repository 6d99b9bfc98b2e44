using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flex.Platform.Http;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>Alerts and workbook ask for what the app measures; a misspelt name would leave them silent for ever.</summary>
public sealed partial class MonitoringTests
{
    private static readonly Lazy<Task<JsonObject>> Alerts = new(() => Bicep.CompileAsync("infra/modules/alerts.bicep", CancellationToken.None));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_query_asks_for_what_there_is()
    {
        IReadOnlyDictionary<string, IReadOnlySet<string>> metrics = await MeasuredMetrics.CollectAsync(Cancellation);
        (string Name, string Query)[] queries = [.. await AlertQueriesAsync(), .. Panels().Where(p => p.Query is not null).Select(p => (p.Name, p.Query!))];

        Assert.True(queries.Length > 15);
        Assert.Empty(queries.SelectMany(q => QueryRules.Check(q.Query, metrics).Select(finding => $"{q.Name}: {finding}")));
    }

    [Theory]
    [InlineData("flex.storage.calls", "flex.storage.call", "There is no metric flex.storage.call.")]
    [InlineData("Properties.action", "Properties.actions", "flex.storage.calls has no tag actions.")]
    [InlineData("Properties.action", "Properties.rung", "flex.storage.calls has no tag rung.")]
    [InlineData("AppMetrics", "AppMetric", "There is no table AppMetric.")]
    [InlineData("AppMetrics", "customMetrics", "There is no table customMetrics.")]
    [InlineData("sum(Sum)", "sum(Value)", "AppMetrics has no number Value.")]
    [InlineData("'Begun'", "'begun'", "Nothing is ever in state begun.")]
    [InlineData("Name ==", "Names has", "A query of metrics names one of them.")]
    [InlineData("(AppMetrics", "(AppMetric", "There is no table AppMetric.")]
    public async Task A_misspelt_word_is_found(string word, string misspelt, string finding)
    {
        IReadOnlyDictionary<string, IReadOnlySet<string>> metrics = await MeasuredMetrics.CollectAsync(Cancellation);
        const string Query =
            """
            AppMetrics
            | where Name == 'flex.storage.calls'
            | summarize Calls = sum(Sum) by Action = tostring(Properties.action)
            | union (AppMetrics
            | where Name == 'flex.renewal.attempts' and tostring(Properties.state) == 'Begun')
            """;
        Assert.Empty(QueryRules.Check(Query, metrics));

        Assert.Contains(finding, QueryRules.Check(ReplaceFirst(Query, word, misspelt), metrics));
    }

    [Fact]
    public async Task The_alerts_are_these_and_each_leads_to_its_place_in_the_runbook()
    {
        JsonObject template = await Alerts.Value;
        JsonObject[] rules = [.. Resources(template, "Microsoft.Insights/metricAlerts")];
        JsonObject byQuery = Assert.Single(Resources(template, "Microsoft.Insights/scheduledQueryRules"));

        Assert.Equal(
            [
                "dead-letters", "failed-orchestrations", "failed-webhooks", "missing-export", "not-ready", "outbox-age", "server-errors", "unfinished-renewals",
                "unknown-payments",
            ],
            rules.Select(NameOf).Concat((await AlertQueriesAsync()).Select(a => a.Name)).Order(StringComparer.Ordinal));
        Assert.All(rules, r => Assert.StartsWith($"[__bicep.describe('{NameOf(r)}', '", (string?)r["properties"]!["description"], StringComparison.Ordinal));
        Assert.All(
            new[] { "name", "properties.displayName" }.Select(path => path.Split('.').Aggregate((JsonNode)byQuery, (node, part) => node[part]!)),
            name => Assert.Equal("[format('{0}-{1}', parameters('prefix'), variables('queryAlerts')[copyIndex()].name)]", (string?)name));
        Assert.StartsWith("[__bicep.describe(variables('queryAlerts')[copyIndex()].name,", (string?)byQuery["properties"]!["description"], StringComparison.Ordinal);
        Assert.Equal(
            "[format('{0} Runbook: docs/runbook.md#alert-{1}', parameters('meaning'), parameters('name'))]",
            (string?)template["functions"]![0]!["members"]!["describe"]!["output"]!["value"]);
        Assert.All(rules.Append(byQuery), r => Assert.Contains("Microsoft.Insights/actionGroups", r["properties"]!["actions"]!.ToJsonString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task From_outside_it_is_asked_whether_the_app_is_ready()
    {
        JsonObject template = await Alerts.Value;
        JsonObject test = Assert.Single(Resources(template, "Microsoft.Insights/webtests"));
        FunctionEntry ready = new FunctionCatalog(typeof(FlexApp).Assembly).Find("Health_GetReady")!;

        Assert.Equal(
            $"[format('https://{{0}}/{FunctionCatalog.RoutePrefix}/{ready.Route}', parameters('functionAppHost'))]",
            (string?)test["properties"]!["Request"]!["RequestUrl"]);
        Assert.NotNull(ready.AllowAnyone);
        Assert.Contains($"'/{FunctionCatalog.RoutePrefix}/v1/health'", (await AlertQueriesAsync()).Single(a => a.Name == "server-errors").Query, StringComparison.Ordinal);
    }

    [Fact]
    public void The_workbook_shows_what_operations_asks_for_and_every_panel_has_a_question()
    {
        string[] asked =
        [
            "renewals-by-state", "ladder", "webhook-lag", "queue-depth", "dead-letters", "storage-calls", "outbox-age", "problem-codes", "unfinished-renewals",
            "unknown-payments",
        ];

        Assert.Empty(asked.Except(Panels().Select(p => p.Name)));
        Assert.Equal(Panels().Count, Panels().DistinctBy(p => p.Name).Count());
        Assert.All(Panels(), p => Assert.True(p.Query is { Length: > 0 } ^ p.QueueMetric is "ActiveMessages" or "DeadletteredMessages", p.Name));
    }

    [Fact]
    public async Task The_workbook_is_of_this_workspace_and_this_namespace()
    {
        JsonObject template = await Bicep.CompileAsync("infra/modules/workbook.bicep", Cancellation);
        string data = (string)Assert.Single(Resources(template, "Microsoft.Insights/workbooks"))["properties"]!["serializedData"]!;

        Assert.EndsWith(", '@workspace', parameters('workspaceId')), '@serviceBus', parameters('serviceBusId'))]", data, StringComparison.Ordinal);
        Assert.Equal(["@serviceBus", "@workspace"], Placeholder().Matches(SourceTree.Read("infra/workbook.json")).Select(m => m.Value).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Telemetry_is_kept_for_a_while_within_a_cap_and_taken_from_identities_only()
    {
        JsonObject template = await Bicep.CompileAsync("infra/modules/monitoring.bicep", Cancellation);
        JsonNode workspace = Assert.Single(Resources(template, "Microsoft.OperationalInsights/workspaces"))["properties"]!;
        JsonNode insights = Assert.Single(Resources(template, "Microsoft.Insights/components"))["properties"]!;

        Assert.Equal("[parameters('retentionDays')]", (string?)workspace["retentionInDays"]);
        Assert.Equal("[parameters('dailyCapGigabytes')]", (string?)workspace["workspaceCapping"]!["dailyQuotaGb"]);
        Assert.True((bool)workspace["features"]!["disableLocalAuth"]!);
        Assert.True((bool)insights["DisableLocalAuth"]!);
        Assert.Equal(["insightsId", "insightsName", "workspaceId"], template["outputs"]!.AsObject().Select(o => o.Key).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("ConnectionString", template.ToJsonString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_budget_writes_at_half_at_four_fifths_at_all_of_it_and_when_all_of_it_is_foreseen()
    {
        JsonObject template = await Bicep.CompileAsync("infra/modules/budget.bicep", Cancellation);
        JsonNode budget = Assert.Single(Resources(template, "Microsoft.Consumption/budgets"))["properties"]!;

        Assert.Equal("[parameters('amount')]", (string?)budget["amount"]);
        Assert.Equal(
            ["50 Actual", "80 Actual", "100 Actual", "100 Forecasted"],
            template["variables"]!["thresholds"]!.AsArray().Select(t => $"{t!["percent"]} {t["type"]}"));
    }

    private static async Task<(string Name, string Query)[]> AlertQueriesAsync()
    {
        JsonObject template = await Alerts.Value;
        return [.. template["variables"]!["queryAlerts"]!.AsArray().Select(a => ((string)a!["name"]!, (string)a["query"]!))];
    }

    /// <summary>Panels that show data: questions to the workspace, or metrics of the queues.</summary>
    private static IReadOnlyList<(string Name, string? Query, string? QueueMetric)> Panels() =>
    [
        .. JsonNode.Parse(SourceTree.Read("infra/workbook.json"))!["items"]!.AsArray()
            .Where(i => (int)i!["type"]! is not (1 or 9))
            .Select(i => (
                (string)i!["name"]!,
                (string?)i["content"]!["query"],
                ((string?)i["content"]!["metrics"]?[0]?["metric"])?.Split("--")[^1])),
    ];

    private static IEnumerable<JsonObject> Resources(JsonObject template, string type) =>
        (template["resources"] is JsonObject named ? named.Select(r => r.Value!) : template["resources"]!.AsArray().Select(r => r!))
            .Cast<JsonObject>().Where(r => (string?)r["type"] == type);

    private static string NameOf(JsonObject rule) => AlertName().Match((string)rule["name"]!).Groups["name"].Value;

    private static string ReplaceFirst(string text, string word, string by)
    {
        int at = text.IndexOf(word, StringComparison.Ordinal);
        return text[..at] + by + text[(at + word.Length)..];
    }

    [GeneratedRegex(@"^\[format\('\{0\}-(?<name>[a-z-]+)', parameters\('prefix'\)\)\]$")]
    private static partial Regex AlertName();

    [GeneratedRegex("(?<=\")@[a-zA-Z]+(?=\")")]
    private static partial Regex Placeholder();
}
