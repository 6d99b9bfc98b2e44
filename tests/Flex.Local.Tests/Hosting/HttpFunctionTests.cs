using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Flex.Local.Tests.Hosting;

public sealed class HttpFunctionTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_reaches_its_function_with_route_values_query_and_one_scope()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        JsonNode answer = (await world.Client.GetFromJsonAsync<JsonNode>("/api/things/42?q=a%20b", Cancel))!;

        Assert.Equal(42, (int)answer["id"]!);
        Assert.True((bool)answer["sameScope"]!);
        Assert.Equal("a b", (string)answer["query"]!);
        Assert.Contains("Things_Get Flex.Local.Tests.Hosting.SampleFunctions.Get True", world.Lines);
    }

    [Theory]
    [InlineData("GET", "/api/things/abc")] // the constraint does not hold
    [InlineData("POST", "/api/things/1")] // wrong method is 404, never 405
    [InlineData("HEAD", "/api/things/1")]
    [InlineData("GET", "/api/unknown")]
    [InlineData("GET", "/apix/things/1")]
    [InlineData("GET", "/things/1")]
    [InlineData("GET", "/")]
    public async Task What_no_function_serves_is_an_empty_404(string method, string path)
    {
        await using SampleWorld world = await SampleWorld.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using HttpResponseMessage response = await world.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Empty(world.Lines);
    }

    [Fact]
    public async Task Overlapping_routes_are_chosen_by_function_name_not_by_specificity()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        Assert.StartsWith("any special", await world.Client.GetStringAsync("/api/zed/special", Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/zed/a%20b", "any a b of /api/zed/a b")]
    [InlineData("/api/zed/a%2Fb", "any a%2Fb of /api/zed/a%2Fb")]
    [InlineData("/API/ZED/Abc/", "any Abc of /API/ZED/Abc/")]
    public async Task Paths_are_decoded_and_matched_as_on_the_real_host(string path, string expected)
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        Assert.Equal(expected, await world.Client.GetStringAsync(path, Cancel));
    }

    [Fact]
    public async Task Two_functions_share_a_route_with_different_methods()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        using HttpResponseMessage patched = await world.Client.PatchAsync("/api/things/x1", null, Cancel);

        Assert.Equal("PATCH x1", await patched.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task Without_methods_every_method_matches_and_optional_parts_may_be_absent()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();
        const string Id = "8d7f3a52-96a3-4a7a-9a2c-111111111111";

        using HttpResponseMessage deleted = await world.Client.DeleteAsync($"/api/guids/{Id}", Cancel);

        Assert.Equal($"DELETE {Id} none", await deleted.Content.ReadAsStringAsync(Cancel));
        Assert.Equal($"GET {Id} end", await world.Client.GetStringAsync($"/api/guids/{Id}/end", Cancel));
    }

    [Fact]
    public async Task A_route_value_of_the_wrong_type_is_a_500_as_the_binding_fails()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        using HttpResponseMessage response = await world.Client.GetAsync("/api/guids/nonsense", Cancel);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
    }

    [Fact]
    public async Task A_plain_object_is_an_empty_200_and_an_action_result_is_executed()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        using HttpResponseMessage poco = await world.Client.GetAsync("/api/poco", Cancel);
        using HttpResponseMessage action = await world.Client.GetAsync("/api/action", Cancel);

        Assert.Equal(HttpStatusCode.OK, poco.StatusCode);
        Assert.Empty(await poco.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Equal(HttpStatusCode.Accepted, action.StatusCode);
    }

    [Fact]
    public async Task An_unhandled_exception_is_an_empty_500_without_the_functions_headers()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        using HttpResponseMessage response = await world.Client.GetAsync("/api/throws", Cancel);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));
        Assert.False(response.Headers.Contains("X-Leaked"));
    }

    [Fact]
    public async Task Middleware_runs_in_order_and_sees_the_functions_own_exception()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        using HttpResponseMessage response = await world.Client.GetAsync("/api/throws?catch=1", Cancel);

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains("boom", await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(["outer in", "inner in", "throwing", "outer out"], world.Lines);
        Assert.Equal("yes", response.Headers.GetValues("X-Starting").Single());
    }

    [Fact]
    public async Task Middleware_that_answers_itself_keeps_the_function_from_running()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        using HttpResponseMessage response = await world.Client.GetAsync("/api/things/1?deny=1", Cancel);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal(["outer in", "inner in", "outer out"], world.Lines);
    }

    [Fact]
    public async Task A_body_arrives_byte_for_byte_with_its_headers()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();
        byte[] body = [0xff, 0x00, .. Encoding.UTF8.GetBytes("{\"é\":1}")];
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/json");

        using HttpResponseMessage response = await world.Client.PostAsync("/api/echo", content, Cancel);

        Assert.Equal(body, await response.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Contains($"{body.Length} application/json", world.Lines);
    }

    [Fact]
    public async Task A_body_over_the_workers_limit_fails_to_be_read_with_413()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();
        using var content = new ByteArrayContent(new byte[30_000_001]);

        using HttpResponseMessage response = await world.Client.PostAsync("/api/echo", content, Cancel);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task The_context_keeps_the_http_context_where_the_real_integration_looks_for_it()
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        await world.Client.GetStringAsync("/api/zed/1", Cancel);

        // OuterMiddleware finds it by GetHttpContext().
        Assert.Equal("HttpRequestContext", Local.Runtime.Functions.LocalFunctionContext.HttpContextKey);
        Assert.Contains("outer in", world.Lines);
    }
}
