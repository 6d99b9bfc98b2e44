using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using Flex.Local.Runtime.Testing;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Platform.Limits;

/// <summary>A limited call against all of Flex.</summary>
public sealed class LimitedCallTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_limited_call_changes_nothing_and_leaves_its_idempotency_key_unused()
    {
        await using FlexWorld world = await FlexWorld.StartAsync(new FlexWorldOptions
        {
            Settings = new Dictionary<string, string?> { ["RateLimits:Writes:PerMinute"] = "6", ["RateLimits:Writes:Burst"] = "1" },
        });
        using HttpClient staff = world.As(Role.Staff);
        using HttpResponseMessage first = await CreateAsync(staff, "North", "key-1");
        string before = await SnapshotAsync(world);

        using HttpResponseMessage limited = await CreateAsync(staff, "South", "key-2");
        string after = await SnapshotAsync(world);
        await world.AdvanceAsync(Duration.FromSeconds(limited.Headers.RetryAfter!.Delta!.Value.TotalSeconds));
        using HttpResponseMessage repeated = await CreateAsync(staff, "South", "key-2");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.TooManyRequests, HttpStatusCode.Created), (first.StatusCode, limited.StatusCode, repeated.StatusCode));
        Assert.Equal(before, after);
        Assert.False(repeated.Headers.Contains("Idempotency-Replayed"));
        Assert.NotEqual(before, await SnapshotAsync(world));
    }

    private static async Task<HttpResponseMessage> CreateAsync(HttpClient staff, string name, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/locations")
        {
            Content = JsonContent.Create(new { name, timeZone = "Europe/Berlin", currency = "eur" }),
        };
        request.Headers.Add("Idempotency-Key", key);
        return await staff.SendAsync(request, Cancel);
    }

    private static async Task<string> SnapshotAsync(FlexWorld world)
    {
        var text = new StringBuilder();
        foreach (string table in await world.Tables.TablesAsync(Cancel))
        {
            await foreach (TableRow row in world.Tables.ScanAsync(table, Cancel))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"{table} {row.Partition} {row.Key} {row.ETag}");
            }
        }

        return text.ToString();
    }
}
