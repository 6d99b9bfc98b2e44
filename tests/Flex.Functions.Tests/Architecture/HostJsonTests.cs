using System.Globalization;
using System.Text.Json;
using Flex.Local.Runtime.Functions;
using Flex.Platform.Http;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Functions.Tests.Architecture;

/// <summary>What the code relies on in host.json. JSON has no comments, so the reasons for its numbers stand here.</summary>
public sealed class HostJsonTests
{
    private static readonly JsonElement Host = JsonDocument.Parse(SourceTree.Read("host.json")).RootElement;

    [Fact]
    public void Functions_settle_their_messages_themselves()
    {
        Assert.False(ServiceBus("autoCompleteMessages").GetBoolean());
    }

    /// <summary>
    /// Half an hour is what a bill run over all customers and the nightly timers may take; a message takes seconds. A message whose
    /// lock ended before its function would be worked on twice at the same time.
    /// </summary>
    [Fact]
    public void A_message_stays_locked_for_as_long_as_its_function_may_run()
    {
        TimeSpan timeout = Time(Host.GetProperty("functionTimeout"));

        Assert.Equal(TimeSpan.FromMinutes(30), timeout);
        Assert.True(Time(ServiceBus("maxAutoLockRenewalDuration")) > timeout);
    }

    /// <summary>
    /// Eight at a time per queue and instance: a handler waits for storage, Stripe or Salto nearly all of its time, so more would only
    /// make them answer 429; and none is fetched ahead, because its lock would run while it waits.
    /// </summary>
    [Fact]
    public void Few_messages_are_worked_on_at_a_time_and_none_waits_under_lock()
    {
        Assert.InRange(ServiceBus("maxConcurrentCalls").GetInt32(), 1, 16);
        Assert.Equal(0, ServiceBus("prefetchCount").GetInt32());
    }

    /// <summary>
    /// An activity may hold a card payment for most of a minute; ten per instance stay far below Stripe's limit of 100 calls a second,
    /// and an instance's replays do not starve its requests. The infrastructure chooses the storage provider by app settings. The host's
    /// own version keys stay unset: orchestrations carry their version in their name.
    /// </summary>
    [Fact]
    public void Orchestrations_are_bounded_and_their_hub_is_named_by_a_setting()
    {
        JsonElement durable = Host.GetProperty("extensions").GetProperty("durableTask");

        Assert.Equal("%TASKHUB_NAME%", durable.GetProperty("hubName").GetString());
        Assert.InRange(durable.GetProperty("maxConcurrentActivityFunctions").GetInt32(), 1, 20);
        Assert.InRange(durable.GetProperty("maxConcurrentOrchestratorFunctions").GetInt32(), 1, 20);
        Assert.Equal(
            ["hubName", "maxConcurrentActivityFunctions", "maxConcurrentOrchestratorFunctions"],
            durable.EnumerateObject().Select(p => p.Name));
    }

    /// <summary>Settled, refused and given-up payments are logged at Information and above by categories that start with <c>Flex</c>.</summary>
    [Fact]
    public void Nothing_that_is_logged_about_money_is_dropped()
    {
        JsonElement logging = Host.GetProperty("logging");
        JsonElement levels = logging.GetProperty("logLevel");

        Assert.Equal("OpenTelemetry", Host.GetProperty("telemetryMode").GetString());
        Assert.Equal("Information", levels.GetProperty("default").GetString());
        Assert.DoesNotContain(levels.EnumerateObject(), l => "Flex.Payments".StartsWith(l.Name, StringComparison.Ordinal) || l.Name.StartsWith("Flex", StringComparison.Ordinal));
        Assert.Equal(["logLevel"], logging.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void The_code_the_host_and_the_local_host_agree_about_the_routes_prefix()
    {
        Assert.Equal(FunctionCatalog.RoutePrefix, Host.GetProperty("extensions").GetProperty("http").GetProperty("routePrefix").GetString());
        Assert.Equal(FunctionCatalog.RoutePrefix, HostJson.Load(Path.Combine(AppContext.BaseDirectory, "host.json")).RoutePrefix);
    }

    private static JsonElement ServiceBus(string name) => Host.GetProperty("extensions").GetProperty("serviceBus").GetProperty(name);

    private static TimeSpan Time(JsonElement text) => TimeSpan.ParseExact(text.GetString()!, "c", CultureInfo.InvariantCulture);
}
