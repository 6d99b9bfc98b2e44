using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Messaging;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Hosting;

public sealed class RuntimeTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Timers_queues_and_orchestrations_run_at_their_instants_as_the_clock_is_moved()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();
        await world.AdvanceAsync(Duration.FromMinutes(30));
        await world.Client.PostAsync("/api/publish/first", null, Cancel);
        await world.Client.PostAsync("/api/start/orc", null, Cancel);
        world.Lines.Clear();

        await world.AdvanceAsync(Duration.FromHours(3));

        Assert.Equal(
            ["billing first 00:30", "hourly 01:00 late=False", "hourly 02:00 late=False", "activity orc 02:30", "hourly 03:00 late=False"],
            world.Lines);
    }

    [Fact]
    public async Task A_new_runtime_on_the_same_tables_goes_on_where_the_last_one_stopped()
    {
        var tables = new MemoryTableStore();
        await using (SampleWorld first = await SampleWorld.StartAsync(tables))
        {
            await first.Get<IMessagePublisher>().PublishAsync(Queues.Billing, new Envelope("later", "s.v1", "{}", null), Duration.FromHours(1), Cancel);
            await first.Client.PostAsync("/api/start/orc", null, Cancel);
            await first.AdvanceAsync(Duration.FromMinutes(10));
        }

        await using SampleWorld second = await SampleWorld.StartAsync(tables, SampleWorld.Start + Duration.FromMinutes(10));
        await second.AdvanceAsync(Duration.FromHours(2));

        Assert.Equal(["billing later 01:00", "hourly 01:00 late=False", "activity orc 02:00", "hourly 02:00 late=False"], second.Lines);
    }

    [Fact]
    public async Task The_clock_control_moves_time_and_says_clearly_when_it_cannot()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        HttpResponseMessage moved = await world.Client.PostAsJsonAsync("/local/clock", new { advance = "P1DT2H" }, Cancel);
        HttpResponseMessage to = await world.Client.PostAsJsonAsync("/local/clock", new { to = "2025-01-03T00:00:00Z" }, Cancel);
        HttpResponseMessage back = await world.Client.PostAsJsonAsync("/local/clock", new { to = "2025-01-01T00:00:00Z" }, Cancel);
        HttpResponseMessage both = await world.Client.PostAsJsonAsync("/local/clock", new { to = "2025-01-04T00:00:00Z", advance = "P1D" }, Cancel);
        HttpResponseMessage wrong = await world.Client.PostAsJsonAsync("/local/clock", new { advance = "a day" }, Cancel);

        Assert.Equal("2025-01-02T02:00:00Z", (string)(await moved.Content.ReadFromJsonAsync<JsonNode>(Cancel))!["now"]!);
        Assert.Equal(HttpStatusCode.OK, to.StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, back.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, both.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        JsonNode now = (await world.Client.GetFromJsonAsync<JsonNode>("/local/clock", Cancel))!;
        Assert.Equal("2025-01-03T00:00:00Z", (string)now["now"]!);
        Assert.True((bool)now["simulated"]!);
        Assert.Contains("hourly 02:00 late=False", world.Lines);
    }

    [Fact]
    public async Task Faults_can_be_injected_listed_and_taken_back()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        HttpResponseMessage added = await world.Client.PostAsJsonAsync(
            "/local/faults", new { target = "stripe", kind = "timeoutAfterEffect", path = "/v1/payment_intents", times = 2 }, Cancel);
        HttpResponseMessage unknown = await world.Client.PostAsJsonAsync("/local/faults", new { target = "nobody", kind = "drop" }, Cancel);
        JsonArray listed = (await world.Client.GetFromJsonAsync<JsonArray>("/local/faults", Cancel))!;
        await world.Client.DeleteAsync("/local/faults/" + (string)listed[0]!["id"]!, Cancel);

        Assert.Equal(HttpStatusCode.OK, added.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
        Assert.Single(listed);
        Assert.Empty((await world.Client.GetFromJsonAsync<JsonArray>("/local/faults", Cancel))!);
    }

    [Fact]
    public async Task Queues_timers_and_orchestrations_can_be_looked_at()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();
        await world.Client.PostAsync("/api/publish/one", null, Cancel);
        await world.Client.PostAsync("/api/start/orc", null, Cancel);
        await world.Scheduler.RunUntilIdleAsync(Cancel);
        await world.Client.PostAsync("/api/publish/two", null, Cancel);

        JsonArray queues = (await world.Client.GetFromJsonAsync<JsonArray>("/local/queues", Cancel))!;
        JsonArray instances = (await world.Client.GetFromJsonAsync<JsonArray>("/local/orchestrations?prefix=or", Cancel))!;
        JsonNode timers = (await world.Client.GetFromJsonAsync<JsonNode>("/local/timers", Cancel))!;

        Assert.Equal(1, (int)queues.Single(q => (string)q!["queue"]! == Queues.Billing)!["active"]!);
        Assert.Equal("orc", (string)instances.Single()!["instanceId"]!);
        Assert.Equal("Running", (string)instances.Single()!["status"]!);
        Assert.Equal("2025-01-01T01:00:00Z", (string)timers["Hourly"]!);
    }
}
