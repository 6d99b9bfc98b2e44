using System.Net;
using System.Text;
using Azure.Core;
using Flex.Functions.Tests.Platform.Tables;
using Flex.Platform.Blobs;
using Flex.Tests.Shared;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Platform.Blobs;

/// <summary>A link reads its one blob, until it expires, and does nothing else.</summary>
public sealed class SignedLinkTests(AzuriteFixture azurite)
{
    private static readonly Duration TenMinutes = Duration.FromMinutes(10);
    private static readonly HttpClient Http = new();
    private static int _containers;

    private readonly string _container = "links-" + Interlocked.Increment(ref _containers);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_link_reads_its_blob()
    {
        Uri link = await LinkAsync("2026/a b.gz");

        Assert.Equal("content of 2026/a b.gz", await Http.GetStringAsync(link, Cancellation));
    }

    [Fact]
    public async Task A_link_does_not_read_another_blob_nor_list_the_container()
    {
        Uri link = await LinkAsync("a");
        await PutAsync("other");

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(HttpMethod.Get, At(link, $"/{_container}/other")));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(HttpMethod.Get, At(link, $"/{_container}", "restype=container&comp=list&")));
    }

    [Fact]
    public async Task A_link_neither_writes_nor_deletes()
    {
        Uri link = await LinkAsync("a");

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(HttpMethod.Put, link));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(HttpMethod.Delete, link));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(HttpMethod.Put, At(link, $"/{_container}/new")));
        Assert.Equal("content of a", await Http.GetStringAsync(link, Cancellation));
    }

    [Fact]
    public async Task A_link_ends_when_it_says()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        Uri over = await LinkAsync("a", new FakeTimeProvider(now.AddMinutes(-11)));
        Uri lasting = await LinkAsync("a", new FakeTimeProvider(now.AddMinutes(-8)));

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(HttpMethod.Get, over));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(HttpMethod.Get, lasting));
    }

    /// <summary>What cannot be had here is Entra ID itself: the service's answer to the request for a key is a script.</summary>
    [Fact]
    public async Task In_Azure_links_are_signed_by_a_key_of_the_identity_and_need_TLS()
    {
        var asked = new List<string>();
        using var wire = new StorageWire(new ScriptedService(request =>
        {
            asked.Add($"{request.Method} {request.RequestUri!.Query} {request.Content!.ReadAsStringAsync(Cancellation).Result}");
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(DelegationKey, Encoding.UTF8, "application/xml") };
        }));
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 10, 0, 0, 500, TimeSpan.Zero));
        AzureBlobStore store = BlobsFeature.CreateStore(
            new BlobOptions { ServiceUri = new Uri("https://flexprod.blob.core.windows.net") }, wire.Transport, time, new FakeCredential());

        SignedLinks links = await store.ReadLinksAsync("exports", ["2026-11-22/a", "2026-11-22/b"], TenMinutes, Cancellation);

        // One key for all of them, which lives no longer than they.
        string request = Assert.Single(asked);
        Assert.StartsWith("POST ?restype=service&comp=userdelegationkey", request, StringComparison.Ordinal);
        Assert.Contains("<Expiry>2026-11-22T10:10:00Z</Expiry>", request, StringComparison.Ordinal);
        Assert.Equal(Instant.FromUtc(2026, 11, 22, 10, 10), links.ExpireAt);
        Assert.Equal(["/exports/2026-11-22/a", "/exports/2026-11-22/b"], links.Links.Select(l => l.AbsolutePath));
        Dictionary<string, StringValues> scope = QueryHelpers.ParseQuery(links.Links[0].Query);
        Assert.Equal(("https", "b", "r", "2026-11-22T10:10:00Z"), (links.Links[0].Scheme, scope["sr"].ToString(), scope["sp"].ToString(), scope["se"].ToString()));
        Assert.Equal("https", scope["spr"].ToString());
        Assert.Equal("11111111-1111-1111-1111-111111111111", scope["skoid"].ToString());
        Assert.NotEqual(scope["sig"], QueryHelpers.ParseQuery(links.Links[1].Query)["sig"]);
    }

    private const string DelegationKey =
        """
        <?xml version="1.0" encoding="utf-8"?><UserDelegationKey><SignedOid>11111111-1111-1111-1111-111111111111</SignedOid>
        <SignedTid>22222222-2222-2222-2222-222222222222</SignedTid><SignedStart>2026-11-22T10:00:00Z</SignedStart>
        <SignedExpiry>2026-11-22T10:10:00Z</SignedExpiry><SignedService>b</SignedService><SignedVersion>2024-11-04</SignedVersion>
        <Value>c2VjcmV0</Value></UserDelegationKey>
        """;

    private async Task<Uri> LinkAsync(string name, TimeProvider? time = null)
    {
        await PutAsync(name);
        AzureBlobStore store = BlobsFeature.CreateStore(await OptionsAsync(), transport: null, time);
        return (await store.ReadLinksAsync(_container, [name], TenMinutes, Cancellation)).Links.Single();
    }

    private async Task PutAsync(string name) =>
        await BlobsFeature.CreateStore(await OptionsAsync()).PutAsync(_container, name, Encoding.UTF8.GetBytes("content of " + name), Cancellation);

    private async Task<BlobOptions> OptionsAsync() => new() { ConnectionString = (await azurite.AzuriteAsync()).ConnectionString };

    /// <summary>The link's signature at another place of the account.</summary>
    private static Uri At(Uri link, string path, string query = "") =>
        new($"{link.GetLeftPart(UriPartial.Authority)}/devstoreaccount1{path}?{query}{link.Query[1..]}");

    private static async Task<HttpStatusCode> StatusAsync(HttpMethod method, Uri address)
    {
        using var request = new HttpRequestMessage(method, address);
        if (method == HttpMethod.Put)
        {
            request.Content = new StringContent("changed");
            request.Headers.Add("x-ms-blob-type", "BlockBlob");
        }

        using HttpResponseMessage response = await Http.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    private sealed class FakeCredential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new("token", DateTimeOffset.MaxValue);

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            ValueTask.FromResult(GetToken(requestContext, cancellationToken));
    }
}
