using Flex.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class CreateBookingTests : IAsyncLifetime
{
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "BKG-1"), Trait("Rule", "BKG-9"), Trait("Rule", "BKG-14")]
    public async Task A_booking_commits_with_its_frozen_price_and_charge()
    {
        Answer answer = await _spaces.BookAsync("2025-01-10T10:00:00-05:00", "2025-01-10T11:30:00-05:00");

        Assert.Equal(201, answer.Status);
        Assert.Equal("18.00", (string?)answer.Json["price"]!["amount"]);
        Assert.Equal("2025-01-10T10:00:00", (string?)answer.Json["localStart"]);
        Assert.Equal("accounted", (string?)answer.Json["accounting"]);
        Assert.Equal($"/api/v1/bookings/{answer.Json["id"]}", answer.Headers.Location);
        Assert.Equal("\"1\"", answer.Headers.ETag);
        Booking booking = await _spaces.FindAsync(answer);
        ChargeCreated charge = Assert.Single(_spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject));
        BookingCharge stored = Assert.Single(booking.Charges);
        Assert.Equal((stored.Id, stored.Net), (charge.ChargeId, charge.Net));
        Assert.Equal((_spaces.Customer, booking.Price.Fee, new LocalDate(2025, 1, 10)), (charge.CustomerId, charge.Net, charge.ServiceDate));
        Assert.Equal("Blue room, 2025-01-10 10:00 to 11:30", charge.Description);
    }

    [Fact, Trait("Rule", "BKG-9")]
    public async Task A_later_change_of_the_rate_does_not_change_the_price()
    {
        Answer booked = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.SendAsync(
            "Rates_Edit",
            new { name = "Rooms", hourlyPrice = Spaces.Money("99.00"), taxRateId = (string?)null, locationIds = Array.Empty<string>() },
            id: _spaces.Rate.Value,
            headers: ("If-Match", "\"1\""));

        Answer read = await _spaces.SendAsync("Bookings_Get", id: (string)booked.Json["id"]!);
        Answer next = await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z");

        Assert.Equal("12.00", (string?)read.Json["price"]!["amount"]);
        Assert.Equal("99.00", (string?)next.Json["price"]!["amount"]);
    }

    [Fact]
    public async Task A_free_resource_creates_no_charge()
    {
        using Spaces spaces = await Spaces.CreateAsync(hourly: "0.00");

        Answer answer = await spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");

        Assert.Equal(201, answer.Status);
        Assert.Equal("notAccounted", (string?)answer.Json["accounting"]);
        Assert.Empty(answer.Json["chargeIds"]!.AsArray());
        Assert.Empty(spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject));
    }

    [Fact, Trait("Rule", "BKG-12")]
    public async Task A_booking_away_from_home_is_charged_at_the_resources_location()
    {
        LocationId away = await _spaces.AddAsync<LocationId>("Locations_Create", new { name = "Tokyo", timeZone = "Asia/Tokyo", currency = "jpy" });
        RateId rate = await _spaces.AddAsync<RateId>(
            "Rates_Create", new { name = "Tokyo", hourlyPrice = Spaces.Money("1001", "jpy"), taxRateId = (string?)null, locationIds = new[] { away.Value } });
        ResourceId room = await _spaces.AddAsync<ResourceId>(
            "Resources_Create", new { locationId = away.Value, name = "Fuji", kind = "meetingRoom", capacity = 4, rateId = rate.Value });

        Answer answer = await _spaces.BookAsync("2025-01-10T23:00:00+09:00", "2025-01-11T00:30:00+09:00", room: room);

        ChargeCreated charge = Assert.Single(_spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject));
        Assert.Equal("1502", (string?)answer.Json["price"]!["amount"]);
        Assert.Equal(
            (away, new LocalDate(2025, 1, 10), "Fuji, 2025-01-10 23:00 to 2025-01-11 00:30"),
            (charge.LocationId, charge.ServiceDate, charge.Description));
    }

    [Fact]
    public async Task A_booking_costs_three_storage_calls_when_caches_are_warm()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");

        using StorageCallScope calls = StorageCalls.Measure();
        Answer answer = await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z", key: "k");

        Assert.Equal(201, answer.Status);
        Assert.Equal(3, calls.Count);
    }

    [Fact]
    public async Task Over_several_days_it_still_costs_three_storage_calls()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");

        using StorageCallScope calls = StorageCalls.Measure();
        Answer answer = await _spaces.BookAsync("2025-01-20T16:00:00Z", "2025-02-20T16:00:00Z");

        Assert.Equal(201, answer.Status);
        Assert.Equal(3, calls.Count);
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task An_overlap_is_refused_with_the_conflicting_interval_and_changes_nothing()
    {
        Answer first = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        IReadOnlyList<TableRow> before = _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location));

        Answer second = await _spaces.BookAsync("2025-01-10T15:55:00Z", "2025-01-10T17:00:00Z");

        Assert.Equal((409, ErrorCodes.BookingConflict), (second.Status, second.Code));
        Assert.Equal("2025-01-10T15:00:00Z", (string?)second.Json["conflict"]!["start"]);
        Assert.Equal("2025-01-10T16:00:00Z", (string?)second.Json["conflict"]!["end"]);
        Assert.Equal((string?)first.Json["id"], (string?)second.Json["conflict"]!["bookingId"]);
        Assert.Equal(before, _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location)));
    }

    [Fact]
    public async Task A_member_learns_when_it_is_taken_but_not_by_which_booking()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        MemberId other = await _spaces.AddMemberAsync();

        Answer answer = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", Spaces.As(other), other);

        Assert.Equal(ErrorCodes.BookingConflict, answer.Code);
        Assert.NotNull(answer.Json["conflict"]!["start"]);
        Assert.Null(answer.Json["conflict"]!["bookingId"]);
        Assert.DoesNotContain("bkg_", answer.Body, StringComparison.Ordinal);
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task Back_to_back_is_allowed_on_both_sides()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");

        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T16:05:00Z")).Status);
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T14:55:00Z", "2025-01-10T15:00:00Z")).Status);
    }

    [Theory]
    [InlineData("2025-01-31T23:00:00-05:00", "2025-02-01T02:00:00-05:00", "2025-02-01T01:55:00-05:00", "2025-02-01T03:00:00-05:00")]
    [InlineData("2025-01-31T23:00:00Z", "2025-02-01T02:00:00Z", "2025-01-31T22:00:00Z", "2025-01-31T23:05:00Z")]
    [InlineData("2025-03-05T00:00:00Z", "2025-03-15T00:00:00Z", "2025-03-10T12:00:00Z", "2025-03-10T12:05:00Z")]
    [InlineData("2025-11-02T01:00:00-04:00", "2025-11-02T01:30:00-05:00", "2025-11-02T01:00:00-05:00", "2025-11-02T02:00:00-05:00")]
    public async Task A_booking_over_midnight_month_end_or_clock_change_blocks_every_part_of_it(string start, string end, string otherStart, string otherEnd)
    {
        Assert.Equal(201, (await _spaces.BookAsync(start, end)).Status);

        Assert.Equal(ErrorCodes.BookingConflict, (await _spaces.BookAsync(otherStart, otherEnd)).Code);
    }

    [Theory]
    [InlineData("2025-01-10T15:03:00Z", "2025-01-10T16:00:00Z", ErrorCodes.TimeOffGrid, "/start")]
    [InlineData("2025-01-10T15:00:00Z", "2025-01-10T16:00:01Z", ErrorCodes.TimeOffGrid, "/end")]
    [InlineData("2025-01-10T15:00:00Z", "2025-01-10T15:00:00Z", ErrorCodes.EndBeforeStart, "/end")]
    [InlineData("2025-01-10T15:00:00Z", "2025-01-10T14:00:00Z", ErrorCodes.EndBeforeStart, "/end")]
    [InlineData("2024-12-31T23:55:00Z", "2025-01-01T01:00:00Z", ErrorCodes.InThePast, "/start")]
    [InlineData("2025-01-10T15:00:00Z", "2025-02-10T15:05:00Z", ErrorCodes.InvalidValue, "/end")]
    [InlineData("2027-01-03T00:00:00Z", "2027-01-03T01:00:00Z", ErrorCodes.InvalidValue, "/start")]
    [InlineData("9999-12-31T23:50:00Z", "9999-12-31T23:55:00Z", ErrorCodes.InvalidValue, "/start")]
    [Trait("Rule", "BKG-3")]
    public async Task A_time_that_cannot_be_booked_is_422_with_its_code(string start, string end, string code, string pointer)
    {
        Answer answer = await _spaces.BookAsync(start, end);

        Assert.Equal((422, code, pointer), (answer.Status, answer.Code, answer.Pointer));
        Assert.Empty(_spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location)));
    }

    [Fact]
    public async Task Now_and_the_last_allowed_day_can_be_booked()
    {
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-01T00:00:00Z", "2025-01-01T00:05:00Z")).Status);
        Assert.Equal(201, (await _spaces.BookAsync("2027-01-02T00:00:00Z", "2027-02-02T00:00:00Z")).Status);
    }

    [Fact, Trait("Rule", "CAT-6")]
    public async Task A_resource_without_a_rate_cannot_be_booked()
    {
        ResourceId bare = await _spaces.AddAsync<ResourceId>(
            "Resources_Create", new { locationId = _spaces.Location.Value, name = "Bare", kind = "meetingRoom", capacity = 4, rateId = (string?)null });

        Answer answer = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", room: bare);

        Assert.Equal((409, ErrorCodes.ResourceRateRequired), (answer.Status, answer.Code));
    }

    [Theory, Trait("Rule", "MEM-14"), Trait("Rule", "BKG-14")]
    [InlineData(null, ErrorCodes.PaymentRequired)]
    [InlineData(MembershipStatus.Pending, ErrorCodes.PaymentRequired)]
    [InlineData(MembershipStatus.Delinquent, ErrorCodes.PaymentRequired)]
    [InlineData(MembershipStatus.Downgraded, ErrorCodes.PaymentRequired)]
    [InlineData(MembershipStatus.Ended, ErrorCodes.PaymentRequired)]
    [InlineData(MembershipStatus.PendingCancellation, null)]
    [InlineData(MembershipStatus.Active, null)]
    public async Task Standing_decides_whether_a_booking_may_be_paid_later(MembershipStatus? status, string? code)
    {
        MemberId member = await _spaces.AddMemberAsync(status);

        Answer answer = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", member: member);

        Assert.Equal((code is null ? 201 : 409, code), (answer.Status, code is null ? null : answer.Code));
    }

    [Fact, Trait("Rule", "MEM-12")]
    public async Task A_booking_that_starts_when_the_membership_has_ended_is_refused()
    {
        MemberId member = await _spaces.AddMemberAsync(MembershipStatus.PendingCancellation, Instant.FromUtc(2025, 2, 1, 5, 0));

        Answer before = await _spaces.BookAsync("2025-02-01T04:55:00Z", "2025-02-01T05:30:00Z", member: member);
        Answer after = await _spaces.BookAsync("2025-02-01T05:30:00Z", "2025-02-01T06:00:00Z", member: member);

        Assert.Equal(201, before.Status);
        Assert.Equal((409, ErrorCodes.MembershipEndsBefore), (after.Status, after.Code));
    }

    [Fact]
    public async Task A_member_books_for_themself_and_need_not_say_so()
    {
        Answer answer = await _spaces.SendAsync(
            "Bookings_Create",
            new { resourceId = _spaces.Room.Value, start = "2025-01-10T15:00:00Z", end = "2025-01-10T16:00:00Z" },
            Spaces.As(_spaces.Member));

        Assert.Equal(201, answer.Status);
        Assert.Equal(_spaces.Member.Value, (string?)answer.Json["memberId"]);
    }

    [Fact]
    public async Task A_member_cannot_book_for_another_whether_there_is_one_or_not()
    {
        MemberId other = await _spaces.AddMemberAsync();
        string self = Spaces.As(_spaces.Member);

        Answer existing = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", self, other);
        Answer missing = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", self, EntityId.Derive<MemberId>("nobody"));

        Assert.Equal((404, ErrorCodes.NotFound), (existing.Status, existing.Code));
        Assert.Equal((existing.Status, existing.Code, (string?)existing.Json["detail"]), (missing.Status, missing.Code, (string?)missing.Json["detail"]));
    }

    [Fact]
    public async Task Unknown_resources_and_members_and_a_missing_member_are_422()
    {
        const string Start = "2025-01-10T15:00:00Z";
        const string End = "2025-01-10T16:00:00Z";

        Answer room = await _spaces.BookAsync(Start, End, room: EntityId.Derive<ResourceId>("nothing"));
        Answer member = await _spaces.BookAsync(Start, End, member: EntityId.Derive<MemberId>("nobody"));
        Answer none = await _spaces.SendAsync("Bookings_Create", new { resourceId = _spaces.Room.Value, start = Start, end = End });

        Assert.Equal((422, ErrorCodes.UnknownReference, "/resourceId"), (room.Status, room.Code, room.Pointer));
        Assert.Equal((422, ErrorCodes.UnknownReference, "/memberId"), (member.Status, member.Code, member.Pointer));
        Assert.Equal((422, ErrorCodes.InvalidValue, "/memberId"), (none.Status, none.Code, none.Pointer));
    }

    [Theory]
    [InlineData("""{"resourceId":"res_1","start":"2025-01-10T15:00:00Z","end":"2025-01-10T16:00:00Z"}""")]
    [InlineData("""{"start":"2025-01-10T15:00:00Z","end":"2025-01-10T16:00:00Z"}""")]
    [InlineData("""{"resourceId":"$ROOM","start":"2025-01-10T15:00:00","end":"2025-01-10T16:00:00Z"}""")]
    [InlineData("""{"resourceId":"$ROOM","start":1736521200,"end":"2025-01-10T16:00:00Z"}""")]
    [InlineData("""{"resourceId":"$ROOM","start":"2025-01-10T15:00:00Z","end":"2025-01-10T16:00:00Z","price":1}""")]
    [InlineData("""{"resourceId":"$ROOM","start":"2025-01-10T15:00:00Z" """)]
    [InlineData("null")]
    public async Task A_body_of_another_shape_is_400(string body)
    {
        Answer answer = await _spaces.SendAsync("Bookings_Create", body.Replace("$ROOM", _spaces.Room.Value, StringComparison.Ordinal));

        Assert.Equal((400, ErrorCodes.MalformedRequest), (answer.Status, answer.Code));
    }
}
