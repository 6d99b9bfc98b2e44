using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Flex.Local.Runtime.Azurite;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Flex.EndToEnd.Tests;

public sealed class RestartTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_that_was_stopped_goes_on_with_its_data_at_its_simulated_time()
    {
        using var data = new TemporaryDirectory();
        string clock;
        JsonObject location;
        await using (TestHost first = await TestHost.StartAsync(data.Path, Cancel))
        {
            location = await first.Client.PostAsync("staff", "/api/v1/locations", Bodies.Location(), "north", Cancel);
            await first.AdvanceAsync("P1DT30M", Cancel);
            clock = await first.Http.GetStringAsync("/local/clock", Cancel);
        }

        await using TestHost second = await TestHost.StartAsync(data.Path, Cancel);
        string clockAfter = await second.Http.GetStringAsync("/local/clock", Cancel);
        JsonObject found = await second.Client.GetAsync("staff", $"/api/v1/locations/{location["id"]}", Cancel);
        await second.AdvanceAsync("PT1H", Cancel);

        Assert.Equal(clock, clockAfter);
        Assert.True(JsonNode.DeepEquals(location, found));
        Assert.Empty(second.Log.Errors);
    }

    [Fact]
    public async Task A_second_process_on_the_same_data_is_refused_in_one_line()
    {
        using var data = new TemporaryDirectory();
        await using TestHost first = await TestHost.StartAsync(data.Path, Cancel);

        await using FlexProcess second = FlexProcess.Start("run", "--port", "0", "--data", data.Path);
        int exit = await second.ExitAsync(Cancel);

        Assert.Equal(1, exit);
        string line = Assert.Single(second.Errors);
        Assert.Equal($"flex: {data.Path} is in use by another flex. Stop that one or choose another --data.", line);
        Assert.Empty(second.Output);
    }

    [Fact]
    public async Task Without_node_the_host_says_so_in_one_line()
    {
        using var data = new TemporaryDirectory();
        using var empty = new TemporaryDirectory();

        await using FlexProcess flex = FlexProcess.StartWith(
            new Dictionary<string, string> { ["PATH"] = empty.Path }, "run", "--port", "0", "--data", data.Path);
        int exit = await flex.ExitAsync(Cancel);

        Assert.Equal(1, exit);
        Assert.Contains("Node.js", Assert.Single(flex.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_and_started_again_the_host_goes_on_with_the_azurite_it_left_behind()
    {
        using var data = new TemporaryDirectory();
        int port = FlexProcess.FreePort(new Random());
        FlexProcess first = await FlexProcess.ServeAsync(port, data.Path, Cancel);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        var client = new Flex.Local.Demo.FlexClient(http, TimeProvider.System);
        JsonObject location = await client.PostAsync("staff", "/api/v1/locations", Bodies.Location(), "north", Cancel);
        string azurite = await File.ReadAllTextAsync(Path.Combine(data.Path, "azurite", "azurite.json"), Cancel);

        await first.KillAsync();
        await first.DisposeAsync();
        await using FlexProcess second = await FlexProcess.ServeAsync(port, data.Path, Cancel);
        JsonObject found = await client.GetAsync("staff", $"/api/v1/locations/{location["id"]}", Cancel);
        string adopted = await File.ReadAllTextAsync(Path.Combine(data.Path, "azurite", "azurite.json"), Cancel);
        int exit = await second.StopAsync(Cancel);

        Assert.True(JsonNode.DeepEquals(location, found));
        Assert.Equal(azurite, adopted);
        Assert.Equal(0, exit);
        Assert.True(await AzuriteProcess.StopAbandonedAsync(Path.Combine(data.Path, "azurite"), NullLogger.Instance, Cancel));
        Assert.False(File.Exists(Path.Combine(data.Path, "azurite", "azurite.json")));
    }
}
