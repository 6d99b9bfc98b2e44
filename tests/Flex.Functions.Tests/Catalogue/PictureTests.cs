using Flex.Catalogue;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Blobs;
using Flex.Platform.Http;
using Xunit;

namespace Flex.Functions.Tests.Catalogue;

[Trait("Rule", "CAT-10")]
public sealed class PictureTests : IAsyncLifetime
{
    private static readonly byte[] Png = [0x89, .. "PNG\r\n\u001a\n"u8, 1, 2, 3];
    private static readonly byte[] Jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 4, 5];
    private static readonly byte[] WebP = [.. "RIFF"u8, 0, 0, 0, 0, .. "WEBPVP8 "u8];

    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_picture_is_kept_and_served_as_it_came()
    {
        foreach ((byte[] file, string type) in new[] { (Png, "image/png"), (Jpeg, "image/jpeg"), (WebP, "image/webp") })
        {
            Answer set = await _spaces.UploadAsync("Resources_SetPicture", _spaces.Room.Value, file, type);
            Answer read = await GetAsync("Resources", _spaces.Room.Value, Spaces.As(_spaces.Member));

            Assert.Equal((200, $"/api/v1/resources/{_spaces.Room}/image"), (set.Status, (string?)set.Json["image"]));
            Assert.Equal((200, type, "nosniff"), (read.Status, read.Headers.ContentType.ToString(), read.Headers.XContentTypeOptions.ToString()));
            Assert.Equal(file, read.Bytes);
            Assert.Equal(304, (await _spaces.SendAsync("Resources_GetPicture", id: _spaces.Room.Value, headers: ("If-None-Match", read.Headers.ETag.ToString()))).Status);
        }
    }

    [Fact, Trait("Rule", "CAT-13")]
    public async Task A_picture_is_a_version_of_the_plan_like_any_other_edit()
    {
        PlanId plan = await PlanAsync(isPublic: true);

        Answer set = await _spaces.UploadAsync("Plans_SetPicture", plan.Value, Png, "image/png", "\"1\"");
        Answer stale = await _spaces.UploadAsync("Plans_SetPicture", plan.Value, Jpeg, "image/jpeg", "\"1\"");
        Answer removed = await _spaces.SendAsync("Plans_RemovePicture", id: plan.Value, headers: ("If-Match", "\"2\""));

        Assert.Equal((200, "\"2\"", 412), (set.Status, set.Headers.ETag.ToString(), stale.Status));
        Assert.Equal((200, "\"3\"", null), (removed.Status, removed.Headers.ETag.ToString(), (string?)removed.Json["image"]));
        Assert.Equal(404, (await GetAsync("Plans", plan.Value, "staff")).Status);
        CatalogueStore store = _spaces.Get<CatalogueStore>();
        string name = (await store.FindPlanVersionAsync(plan, 2, Spaces.Cancellation))!.Image!;
        Assert.Equal(Png, (await _spaces.Get<IBlobStore>().ReadAsync(PictureHandler.Container, name, Spaces.Cancellation))!.Value.ToArray());
        Assert.Null((await store.FindPlanVersionAsync(plan, 3, Spaces.Cancellation))!.Image);
    }

    [Fact]
    public async Task Other_edits_keep_the_picture()
    {
        PlanId plan = await PlanAsync(isPublic: true);
        await _spaces.UploadAsync("Plans_SetPicture", plan.Value, Png, "image/png");
        await _spaces.UploadAsync("Resources_SetPicture", _spaces.Room.Value, Png, "image/png");

        await _spaces.SendAsync("Plans_Edit", PlanBody(isPublic: true), id: plan.Value, headers: ("If-Match", "*"));
        await _spaces.SendAsync(
            "Resources_Edit",
            new { locationId = _spaces.Location.Value, name = "Other", kind = "meetingRoom", capacity = 4, rateId = _spaces.Rate.Value },
            id: _spaces.Room.Value,
            headers: ("If-Match", "*"));

        Assert.Equal(Png, (await GetAsync("Plans", plan.Value, "staff")).Bytes);
        Assert.Equal(Png, (await GetAsync("Resources", _spaces.Room.Value, "staff")).Bytes);
    }

    [Theory]
    [InlineData("image/gif")]
    [InlineData("image/png")]
    [InlineData("application/json")]
    [InlineData("")]
    public async Task What_is_no_picture_or_another_than_it_says_is_refused(string contentType)
    {
        byte[] file = contentType == "image/png" ? Jpeg : contentType == "image/gif" ? [.. "GIF89a"u8] : Png;

        Answer answer = await _spaces.UploadAsync("Resources_SetPicture", _spaces.Room.Value, file, contentType);

        Assert.Equal((415, ErrorCodes.UnsupportedMediaType), (answer.Status, answer.Code));
        Assert.Equal("\"1\"", (await _spaces.SendAsync("Resources_Get", id: _spaces.Room.Value)).Headers.ETag);
    }

    [Fact]
    public async Task Five_megabytes_are_accepted_and_a_byte_more_is_not()
    {
        byte[] largest = [.. Png, .. new byte[RequestBody.MaxFileBytes - Png.Length]];

        Assert.Equal(200, (await _spaces.UploadAsync("Resources_SetPicture", _spaces.Room.Value, largest, "image/png")).Status);
        Answer more = await _spaces.UploadAsync("Resources_SetPicture", _spaces.Room.Value, [.. largest, 0], "image/png");

        Assert.Equal((413, ErrorCodes.BodyTooLarge), (more.Status, more.Code));
    }

    [Fact]
    public async Task Members_see_pictures_of_what_they_see_and_set_none()
    {
        PlanId hidden = await PlanAsync(isPublic: false);
        string member = Spaces.As(_spaces.Member);
        await _spaces.UploadAsync("Plans_SetPicture", hidden.Value, Png, "image/png");

        Assert.Equal(404, (await GetAsync("Plans", hidden.Value, member)).Status);
        Assert.Equal(200, (await GetAsync("Plans", hidden.Value, "staff")).Status);
        Assert.Equal(403, (await _spaces.UploadAsync("Plans_SetPicture", hidden.Value, Png, "image/png", caller: member)).Status);
        Assert.Equal(404, (await GetAsync("Resources", _spaces.Room.Value, member)).Status);
        Assert.Equal(404, (await _spaces.UploadAsync("Plans_SetPicture", EntityId.Derive<PlanId>("none").Value, Png, "image/png")).Status);
    }

    private Task<Answer> GetAsync(string kind, string id, string caller) => _spaces.SendAsync(kind + "_GetPicture", id: id, caller: caller);

    private Task<PlanId> PlanAsync(bool isPublic) => _spaces.AddAsync<PlanId>("Plans_Create", PlanBody(isPublic));

    private object PlanBody(bool isPublic) => new
    {
        locationId = _spaces.Location.Value,
        name = "Plan",
        kind = "recurring",
        intervalMonths = 1,
        price = Spaces.Money("10.00"),
        accessGroups = Array.Empty<string>(),
        isDefault = false,
        isPublic,
    };
}
