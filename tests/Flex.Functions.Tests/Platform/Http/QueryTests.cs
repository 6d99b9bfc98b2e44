using Flex.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Flex.Functions.Tests.Platform.Http;

public sealed class QueryTests : IDisposable
{
    private readonly ProbeBehaviour _probe = new();
    private readonly FunctionHarness _app;

    public QueryTests()
    {
        _app = new FunctionHarness(s => s.AddSingleton(_probe));
        _probe.Items.AddRange(Enumerable.Range(1, 7).Select(i => $"item{i}"));
    }

    public void Dispose() => _app.Dispose();

    [Fact]
    public async Task Pages_follow_each_other_until_the_end()
    {
        Answer first = await ListAsync("?limit=3");
        Answer second = await ListAsync("?limit=3&cursor=" + first.Json["cursorNext"]);
        Answer third = await ListAsync("?limit=3&cursor=" + second.Json["cursorNext"]);

        Assert.Equal("""["item1","item2","item3"]""", first.Json["results"]!.ToJsonString());
        Assert.Equal("""["item4","item5","item6"]""", second.Json["results"]!.ToJsonString());
        Assert.Equal("""{"results":["item7"],"cursorNext":null,"cursorPrev":null,"hasMore":false}""", third.Body);
        Assert.True((bool?)first.Json["hasMore"]);
    }

    [Fact]
    public async Task A_page_that_ends_with_the_list_has_no_more()
    {
        Answer answer = await ListAsync("?limit=7");

        Assert.Equal((false, null), ((bool?)answer.Json["hasMore"], (string?)answer.Json["cursorNext"]));
    }

    [Theory]
    [InlineData("?colour=red", 400, "unknown_parameter", "/colour")]
    [InlineData("?LocationId=loc_00000000000000000000000001", 400, "unknown_parameter", "/LocationId")]
    [InlineData("?locationId=nonsense", 400, "malformed_request", "/locationId")]
    [InlineData("?open=yes", 400, "malformed_request", "/open")]
    [InlineData("?floor=1.5", 400, "malformed_request", "/floor")]
    [InlineData("?floor=99999999999", 400, "malformed_request", "/floor")]
    [InlineData("?floor=1&floor=2", 400, "malformed_request", "/floor")]
    [InlineData("?startsAt[gte]=yesterday", 400, "malformed_request", "/startsAt[gte]")]
    [InlineData("?limit=0", 422, "invalid_value", "/limit")]
    [InlineData("?limit=101", 422, "invalid_value", "/limit")]
    [InlineData("?limit=ten", 422, "invalid_value", "/limit")]
    [InlineData("?cursor=", 400, "invalid_cursor", "/cursor")]
    [InlineData("?cursor=abc", 400, "invalid_cursor", "/cursor")]
    [InlineData("?cursor=%2F%2F", 400, "invalid_cursor", "/cursor")]
    public async Task A_bad_parameter_is_named(string query, int status, string code, string pointer)
    {
        Answer answer = await ListAsync(query);

        Assert.Equal((status, code, pointer), (answer.Status, answer.Code, answer.Pointer));
    }

    [Fact]
    public async Task Good_filters_pass()
    {
        Answer answer = await ListAsync("?locationId=loc_00000000000000000000000001&open=true&floor=-1&startsAt[gte]=2025-01-01T00:00:00Z");

        Assert.Equal(200, answer.Status);
    }

    [Fact]
    public async Task A_cursor_fits_only_the_filters_it_was_issued_with_and_no_letter_of_it_may_change()
    {
        string cursor = (string)(await ListAsync("?limit=3&open=true")).Json["cursorNext"]!;
        string damaged = (cursor[0] == 'A' ? 'B' : 'A') + cursor[1..];

        Assert.Equal(200, (await ListAsync($"?open=true&limit=5&cursor={cursor}")).Status);
        Assert.Equal("invalid_cursor", (await ListAsync($"?open=false&cursor={cursor}")).Code);
        Assert.Equal("invalid_cursor", (await ListAsync($"?open=true&cursor={damaged}")).Code);
    }

    [Fact]
    public async Task An_operation_without_filters_takes_no_parameters()
    {
        Answer answer = await _app.SendAsync("Probe_Get", "GET", "/api/v1/probes/loc_00000000000000000000000001?expand=all");

        Assert.Equal((400, "unknown_parameter"), (answer.Status, answer.Code));
    }

    private Task<Answer> ListAsync(string query) => _app.SendAsync("Probe_List", "GET", "/api/v1/probes" + query);
}
