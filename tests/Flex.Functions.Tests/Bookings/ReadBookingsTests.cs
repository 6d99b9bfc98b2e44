using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class ReadBookingsTests : IAsyncLifetime
{
    private Spaces _spaces = null!;
    private string _self = null!;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        _self = Spaces.As(_spaces.Member);
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_booking_is_read_with_one_storage_call()
    {
        Answer booked = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");

        using StorageCallScope calls = StorageCalls.Measure();
        Answer read = await _spaces.SendAsync("Bookings_Get", id: (string)booked.Json["id"]!, caller: _self);

        Assert.Equal((200, booked.Body), (read.Status, read.Body));
        Assert.Equal(1, calls.Count);
    }

    [Fact]
    public async Task Another_members_booking_reads_like_none()
    {
        Answer booked = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        MemberId other = await _spaces.AddMemberAsync();
        BookingId unknown = EntityId.Derive<BookingId>("none", "abc123");

        Answer hidden = await _spaces.SendAsync("Bookings_Get", id: (string)booked.Json["id"]!, caller: Spaces.As(other));
        Answer missing = await _spaces.SendAsync("Bookings_Get", id: unknown.Value, caller: Spaces.As(other));
        Answer broken = await _spaces.SendAsync("Bookings_Get", id: "bkg_1", caller: Spaces.As(other));

        Assert.Equal((404, ErrorCodes.NotFound), (hidden.Status, hidden.Code));
        Assert.Equal((string?)missing.Json["detail"], (string?)hidden.Json["detail"]);
        Assert.Equal((404, ErrorCodes.NotFound), (broken.Status, broken.Code));
    }

    [Fact]
    public async Task A_members_list_is_in_the_order_of_start_and_pages()
    {
        await _spaces.BookAsync("2025-01-12T15:00:00Z", "2025-01-12T16:00:00Z");
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.BookAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);

        Answer first = await ListAsync("?limit=2", _self);
        Answer second = await ListAsync($"?limit=2&cursor={first.Json["cursorNext"]}", _self);

        Assert.Equal(["2025-01-10T15:00:00Z", "2025-01-11T15:00:00Z"], Starts(first));
        Assert.Equal(["2025-01-12T15:00:00Z"], Starts(second));
        Assert.False((bool)second.Json["hasMore"]!);
    }

    [Fact]
    public async Task A_members_list_can_be_cut_to_days_of_their_location()
    {
        await _spaces.BookAsync("2025-01-10T04:00:00Z", "2025-01-10T04:30:00Z");
        await _spaces.BookAsync("2025-01-10T05:00:00Z", "2025-01-10T05:30:00Z");
        await _spaces.BookAsync("2025-01-11T04:55:00Z", "2025-01-11T05:00:00Z");
        await _spaces.BookAsync("2025-01-11T05:00:00Z", "2025-01-11T05:05:00Z");
        await _spaces.DrainAsync(Queues.Bookings);

        Answer day = await ListAsync($"?memberId={_spaces.Member}&from=2025-01-10&to=2025-01-10");

        Assert.Equal(["2025-01-10T05:00:00Z", "2025-01-11T04:55:00Z"], Starts(day));
    }

    [Fact]
    public async Task A_resources_list_holds_what_touches_its_local_days_and_pages()
    {
        await _spaces.BookAsync("2025-01-10T04:00:00Z", "2025-01-10T05:00:00Z");
        await _spaces.BookAsync("2025-01-10T05:00:00Z", "2025-01-10T06:00:00Z");
        await _spaces.BookAsync("2025-01-11T04:00:00Z", "2025-01-12T06:00:00Z");
        await _spaces.BookAsync("2025-01-12T06:00:00Z", "2025-01-12T07:00:00Z");
        string query = $"?resourceId={_spaces.Room}&from=2025-01-10&to=2025-01-11";

        Answer all = await ListAsync(query);
        Answer first = await ListAsync(query + "&limit=1");
        Answer second = await ListAsync(query + $"&limit=1&cursor={first.Json["cursorNext"]}");

        Assert.Equal(["2025-01-10T05:00:00Z", "2025-01-11T04:00:00Z"], Starts(all));
        Assert.Equal(Starts(all), Starts(first).Concat(Starts(second)).ToArray());
        Assert.False((bool)second.Json["hasMore"]!);
    }

    [Theory]
    [InlineData("", 422, ErrorCodes.InvalidValue)]
    [InlineData("?resourceId=$ROOM", 422, ErrorCodes.InvalidValue)]
    [InlineData("?resourceId=$ROOM&from=2025-01-01&to=2025-02-01", 422, ErrorCodes.InvalidValue)]
    [InlineData("?resourceId=$ROOM&memberId=$MEMBER&from=2025-01-01&to=2025-01-02", 422, ErrorCodes.InvalidValue)]
    [InlineData("?memberId=$MEMBER&from=2025-01-02&to=2025-01-01", 422, ErrorCodes.EndBeforeStart)]
    [InlineData("?memberId=$MEMBER&to=9999-12-31", 422, ErrorCodes.InvalidValue)]
    [InlineData("?memberId=$MEMBER&from=0001-01-01", 422, ErrorCodes.InvalidValue)]
    [InlineData("?memberId=$MEMBER&from=yesterday", 400, ErrorCodes.MalformedRequest)]
    [InlineData("?memberId=mbr_1", 400, ErrorCodes.MalformedRequest)]
    [InlineData("?member=$MEMBER", 400, ErrorCodes.UnknownParameter)]
    [InlineData("?memberId=$MEMBER&cursor=abc", 400, ErrorCodes.InvalidCursor)]
    public async Task A_list_that_cannot_be_answered_says_why(string query, int status, string code)
    {
        Answer answer = await ListAsync(query
            .Replace("$ROOM", _spaces.Room.Value, StringComparison.Ordinal)
            .Replace("$MEMBER", _spaces.Member.Value, StringComparison.Ordinal));

        Assert.Equal((status, code), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Members_list_neither_others_nor_resources()
    {
        MemberId other = await _spaces.AddMemberAsync();

        Answer others = await ListAsync($"?memberId={other}", _self);
        Answer room = await ListAsync($"?resourceId={_spaces.Room}&from=2025-01-01&to=2025-01-02", _self);

        Assert.Equal((404, ErrorCodes.NotFound), (others.Status, others.Code));
        Assert.Equal((403, ErrorCodes.Forbidden), (room.Status, room.Code));
    }

    private static string[] Starts(Answer answer) => [.. answer.Json["results"]!.AsArray().Select(b => (string)b!["start"]!)];

    private Task<Answer> ListAsync(string query, string caller = "staff") => _spaces.SendAsync("Bookings_List", query: query, caller: caller);
}
