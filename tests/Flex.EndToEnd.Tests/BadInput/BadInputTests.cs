using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Xunit;

namespace Flex.EndToEnd.Tests.BadInput;

[Collection(nameof(Space))]
public sealed class BadInputTests(Space space)
{
    private static readonly Dictionary<string, BadRequest> Table =
        BadBodies.All.Concat(BadValues.All).Concat(BadReferences.All).ToDictionary(b => b.Name);

    public static TheoryData<string> Names => [.. Table.Keys];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Bad_input_is_refused_with_its_code_and_changes_nothing(string name)
    {
        BadRequest bad = Table[name];
        string before = await space.SnapshotAsync(Cancel);

        using HttpRequestMessage request = await MakeAsync(bad);
        Refusal refusal = await space.SendAsync(request, Cancel);

        Assert.Equal((bad.Status, bad.Code), (refusal.Status, refusal.Code));
        Assert.Equal(before, await space.SnapshotAsync(Cancel));
    }

    /// <summary>On every operation of the set-up that took a key.</summary>
    [Fact]
    public async Task A_key_that_was_used_with_another_body_is_refused_and_changes_nothing()
    {
        string before = await space.SnapshotAsync(Cancel);
        Assert.Contains(space.Keyed, k => k.Path == "/api/v1/memberships/sign-up");
        foreach (KeyedRequest keyed in space.Keyed)
        {
            using HttpRequestMessage request = await KeyedAsync(keyed, Other(keyed));
            Refusal refusal = await space.SendAsync(request, Cancel);

            Assert.Equal((keyed.Path, 422, "idempotency_key_reuse"), (keyed.Path, refusal.Status, refusal.Code));
            Assert.Equal(before, await space.SnapshotAsync(Cancel));
        }
    }

    [Fact]
    public async Task A_request_repeated_under_its_key_succeeds_and_changes_nothing()
    {
        string before = await space.SnapshotAsync(Cancel);
        foreach (KeyedRequest keyed in space.Keyed)
        {
            using HttpRequestMessage request = await KeyedAsync(keyed, keyed.Body.ToJsonString());
            using HttpResponseMessage answer = await space.Host.Http.SendAsync(request, Cancel);

            Assert.True(answer.IsSuccessStatusCode, $"{keyed.Path} answered {answer.StatusCode}.");
            Assert.Equal(before, await space.SnapshotAsync(Cancel));
        }
    }

    [Fact]
    public async Task A_method_that_is_not_taken_is_answered_with_those_that_are()
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/locations");

        using HttpResponseMessage answer = await space.Host.Http.SendAsync(request, Cancel);

        Assert.Equal(["GET", "POST"], answer.Content.Headers.Allow.Order());
    }

    private async Task<HttpRequestMessage> MakeAsync(BadRequest bad)
    {
        var request = new HttpRequestMessage(new HttpMethod(bad.Method), bad.Path(space));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await space.TokenAsync(bad.As, Cancel));
        if (bad.Text(space) is { } text)
        {
            request.Content = new StringContent(text, new MediaTypeHeaderValue(bad.ContentType));
            request.Headers.TransferEncodingChunked = bad.Chunked;
        }

        if (bad.Key is { } key)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        if (bad.IfMatch is { } ifMatch)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return request;
    }

    private async Task<HttpRequestMessage> KeyedAsync(KeyedRequest keyed, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, keyed.Path) { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await space.TokenAsync(keyed.Role, Cancel));
        request.Headers.Add("Idempotency-Key", keyed.Key);
        return request;
    }

    /// <summary>An acceptable body that says something else, or the same in other words.</summary>
    private string Other(KeyedRequest keyed)
    {
        JsonObject body = keyed.Body.DeepClone().AsObject();
        JsonObject other = keyed.Path switch
        {
            "/api/v1/memberships/sign-up" => body.With("memberId", space.Ada.Member),
            "/api/v1/memberships" => body.With("renewalOn", "2025-06-01"),
            "/api/v1/members" => body.With("firstName", "Other"),
            "/api/v1/bookings" => body.With("end", "2025-01-06T15:00:00Z"),
            "/api/v1/bill-runs" => body.With("customerId", space.Ada.Customer),
            var path when path.EndsWith("/payment-methods", StringComparison.Ordinal) => body.With("paymentMethod", "pm_card_mastercard"),
            _ => body.With("name", "Other"),
        };
        return keyed.Body.Count == 0 ? string.Empty : other.ToJsonString();
    }
}
