using System.Net;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Ical.Net.CalendarComponents;
using NodaTime;
using Xunit;
using Calendar = Ical.Net.Calendar;

namespace Flex.EndToEnd.Tests;

/// <summary>Bookings, check-ins and what becomes of their money, over HTTP. Tests let minutes pass or a day, so they book from the second week on.</summary>
public sealed class BookingVectorTests(Space space) : IClassFixture<Space>
{
    private static readonly Duration Hour = Duration.FromHours(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact, Trait("Rule", "BKG-2")]
    public async Task Of_fifty_requests_for_one_slot_one_is_201_and_49_are_409()
    {
        string room = await space.RoomAsync();

        BookingAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            space.BookAsync(space.Ada.Member, room, "2025-01-20T10:00:00Z", "2025-01-20T11:00:00Z")));

        Assert.Single(answers, a => a.Status == HttpStatusCode.Created);
        Assert.Equal(49, answers.Count(a => a is { Status: HttpStatusCode.Conflict, Code: "booking_conflict" }));
    }

    [Fact, Trait("Rule", "BKG-5"), Trait("Rule", "BPS-11")]
    public async Task With_a_notice_of_24_hours_it_can_be_cancelled_at_24_00_and_not_at_23_59()
    {
        string room = await space.RoomAsync(noticeMinutes: 24 * 60);
        Instant start = await NextStepAsync() + Duration.FromDays(1);
        string first = (await space.BookAsync(space.Ada.Member, room, start, Hour)).Id;
        string second = (await space.BookAsync(space.Ada.Member, room, start + Hour, Hour)).Id;

        await space.AdvanceToAsync(start - Duration.FromHours(24));
        BookingAnswer inTime = await space.TryAsync(space.Ada.Member, $"bookings/{first}/cancel", []);
        await space.AdvanceToAsync(start + Hour - Duration.FromMinutes((24 * 60) - 1));
        BookingAnswer late = await space.TryAsync(space.Ada.Member, $"bookings/{second}/cancel", []);

        Assert.Equal((HttpStatusCode.OK, "cancelled"), (inTime.Status, (string?)inTime.Json["state"]));
        Assert.Equal((HttpStatusCode.Conflict, "cancellation_notice"), (late.Status, late.Code));
        Assert.Equal("confirmed", (string?)(await space.GetAsync("staff", "bookings/" + second))["state"]);
    }

    [Theory, Trait("Rule", "BKG-1"), Trait("Rule", "BKG-12")]
    [InlineData("2025-03-09T06:00:00Z", "2025-03-09T08:00:00Z", "2025-03-09T01:00:00", "24.00")]
    [InlineData("2025-11-02T04:30:00Z", "2025-11-02T08:30:00Z", "2025-11-02T00:30:00", "48.00")]
    public async Task Over_a_clock_change_elapsed_hours_are_billed(string start, string end, string localStart, string price)
    {
        string room = await space.RoomAsync("12.00", inBoston: true);

        BookingAnswer booked = await space.BookAsync(space.Ada.Member, room, start, end);

        Assert.Equal((HttpStatusCode.Created, localStart), (booked.Status, (string?)booked.Json["localStart"]));
        Assert.Equal((price, "usd"), ((string?)booked.Json["price"]!["amount"], (string?)booked.Json["price"]!["currency"]));
    }

    [Theory, Trait("Rule", "REC-8")]
    [InlineData("2025-03-02T19:00:00", "2025-03-02T20:00:00", 2, "2025-03-03T00:00:00Z 2025-03-09T23:00:00Z")]
    [InlineData("2025-10-26T19:00:00", "2025-10-26T20:00:00", 2, "2025-10-26T23:00:00Z 2025-11-03T00:00:00Z")]
    [InlineData("2025-03-09T02:30:00", "2025-03-09T04:00:00", 1, "2025-03-09T07:30:00Z")]
    [InlineData("2025-11-02T01:30:00", "2025-11-02T04:00:00", 1, "2025-11-02T05:30:00Z")]
    public async Task A_series_keeps_the_locations_clock_over_a_clock_change(string localStart, string localEnd, int count, string starts)
    {
        string room = await space.RoomAsync(inBoston: true);

        JsonObject booked = await SeriesAsync(room, localStart, localEnd, count);

        Assert.Equal(starts, string.Join(' ', booked["summary"]!["rows"]!.AsArray().Select(r => (string?)r!["start"])));
    }

    [Fact, Trait("Rule", "REC-1"), Trait("Rule", "REC-2"), Trait("Rule", "REC-4")]
    public async Task A_paid_series_is_accounted_for_two_months_holds_the_rest_and_is_cancelled_from_a_day_on()
    {
        string room = await space.RoomAsync();

        JsonObject booked = await SeriesAsync(room, "2025-02-03T10:00:00", "2025-02-03T11:00:00", 12);
        BookingAnswer taken = await space.BookAsync(space.Bob.Member, room, "2025-04-14T08:00:00Z", "2025-04-14T09:00:00Z");
        JsonObject cancelled = await space.PostAsync(space.Ada.Member, $"recurring-bookings/{booked["id"]}/cancel", new() { ["from"] = "2025-02-17" });

        JsonNode totals = booked["summary"]!["totals"]!;
        Assert.Equal((4, "57.12"), ((int)totals["accounted"]!, (string?)totals["accountedAmounts"]!["total"]!["amount"]));
        Assert.Equal((8, "114.24"), ((int)totals["estimated"]!, (string?)totals["estimatedAmounts"]!["total"]!["amount"]));
        Assert.Equal("booking_conflict", taken.Code);
        Assert.Equal(Enumerable.Repeat("cancelled", 10), cancelled["occurrences"]!.AsArray().Select(o => (string?)o!["status"]));
        string[] left = [.. (await space.GetAsync("staff", $"bookings?resourceId={room}&from=2025-02-01&to=2025-02-28"))["results"]!.AsArray()
            .Where(b => (string?)b!["state"] == "confirmed").Select(b => (string)b!["start"]!)];
        Assert.Equal(["2025-02-03T09:00:00Z", "2025-02-10T09:00:00Z"], left);
    }

    [Fact, Trait("Rule", "PAS-2")]
    public async Task A_day_pass_without_an_end_checks_in_an_expired_one_and_a_used_one_do_not()
    {
        LocalDate today = await TodayAsync();
        (Resident open, Resident expired) = (await space.GuestAsync(), await space.GuestAsync());
        await IssueAsync(open, today, null);
        await IssueAsync(expired, null, today.PlusDays(-1));
        JsonObject here = new() { ["locationId"] = space.Location };

        BookingAnswer first = await space.TryAsync(open.Member, "check-ins", here.DeepClone().AsObject());
        BookingAnswer tooLate = await space.TryAsync(expired.Member, "check-ins", here.DeepClone().AsObject());
        await space.Host.AdvanceAsync("P1D", Cancel);
        BookingAnswer again = await space.TryAsync(open.Member, "check-ins", here);

        Assert.Equal((HttpStatusCode.Created, 0m), (first.Status, (decimal)first.Json["remaining"]!));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "pass_expired"), (tooLate.Status, tooLate.Code));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "no_passes_left"), (again.Status, again.Code));
    }

    [Fact, Trait("Rule", "BKG-6"), Trait("Rule", "BKG-14")]
    public async Task A_paid_booking_cancelled_in_time_is_credited_and_the_next_invoice_takes_the_credit()
    {
        string room = await space.RoomAsync(noticeMinutes: 60);
        Resident ann = await space.MemberAsync();
        string booking = (await space.BookAsync(ann.Member, room, "2025-01-21T10:00:00Z", "2025-01-21T12:00:00Z")).Id;
        JsonObject invoice = await space.BillAsync(ann);
        await space.PostAsync(ann.Member, $"invoices/{invoice["id"]}/pay", []);
        await space.SettleAsync();
        Assert.Equal("paid", (string?)(await space.GetAsync("staff", "bookings/" + booking))["accounting"]);

        await space.PostAsync(ann.Member, $"bookings/{booking}/cancel", []);
        await space.SettleAsync();

        JsonNode note = Assert.Single((await space.GetAsync(ann.Member, $"invoices/{invoice["id"]}/credit-notes"))["results"]!.AsArray())!;
        Assert.Equal("28.56", (string?)note["total"]!["amount"]);
        Assert.Equal("28.56", await AccountCreditAsync(ann));
        await space.BookAsync(ann.Member, room, "2025-01-22T10:00:00Z", "2025-01-22T11:00:00Z");
        JsonObject next = await space.BillAsync(ann);
        Assert.Equal(("14.28", "14.28", "0.00", "paid"), (
            (string?)next["total"]!["amount"], (string?)next["fromAccount"]!["amount"], (string?)next["due"]!["amount"], (string?)next["settlement"]));
        Assert.Equal("14.28", await AccountCreditAsync(ann));
    }

    [Fact]
    public async Task A_calendar_program_reads_the_bookings_of_a_feed()
    {
        string room = await space.RoomAsync();
        Resident ann = await space.MemberAsync();
        string kept = (await space.BookAsync(ann.Member, room, "2025-01-23T10:00:00Z", "2025-01-23T11:30:00Z")).Id;
        string gone = (await space.BookAsync(ann.Member, room, "2025-01-24T10:00:00Z", "2025-01-24T11:00:00Z")).Id;
        await space.PostAsync(ann.Member, $"bookings/{gone}/cancel", []);
        await space.SettleAsync();
        string path = (string)(await space.PostAsync(ann.Member, $"members/{ann.Member}/calendar-feed", []))["path"]!;

        Calendar calendar = Calendar.Load(await space.Host.Http.GetStringAsync(path, Cancel))!;

        CalendarEvent[] events = [.. calendar.Events.OrderBy(e => e.Start!.AsUtc)];
        Assert.Equal(
            [(kept, "CONFIRMED", "2025-01-23T10:00"), (gone, "CANCELLED", "2025-01-24T10:00")],
            events.Select(e => (e.Uid!.Split('@')[0], e.Status, e.Start!.AsUtc.ToString("yyyy-MM-ddTHH:mm", null))));
        Assert.Equal(TimeSpan.FromMinutes(90), events[0].End!.AsUtc - events[0].Start!.AsUtc);
    }

    [Fact, Trait("Rule", "BKG-11"), Trait("Rule", "BKG-14")]
    public async Task Who_has_no_membership_holds_a_slot_and_pays_it()
    {
        string room = await space.RoomAsync();
        Resident guest = await space.GuestAsync();

        BookingAnswer later = await space.BookAsync(guest.Member, room, "2025-01-27T10:00:00Z", "2025-01-27T11:00:00Z");
        BookingAnswer held = await space.BookAsync(guest.Member, room, "2025-01-27T10:00:00Z", "2025-01-27T11:00:00Z", hold: true);
        BookingAnswer paid = await space.TryAsync(guest.Member, $"bookings/{held.Id}/pay", []);
        await space.SettleAsync();

        Assert.Equal((HttpStatusCode.Conflict, "payment_required"), (later.Status, later.Code));
        Assert.Equal((HttpStatusCode.Created, "held"), (held.Status, (string?)held.Json["state"]));
        Assert.Equal((HttpStatusCode.OK, "confirmed"), (paid.Status, (string?)paid.Json["state"]));
        JsonObject invoice = await space.GetAsync(guest.Member, $"invoices/{paid.Json["payment"]!["invoiceId"]}");
        Assert.Equal(("paid", "14.28"), ((string?)invoice["settlement"], (string?)invoice["total"]!["amount"]));
        Assert.Equal("paid", (string?)(await space.GetAsync("staff", "bookings/" + held.Id))["accounting"]);
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_hold_that_is_not_paid_ends_after_ten_minutes_and_the_slot_is_free()
    {
        string room = await space.RoomAsync();
        BookingAnswer held = await space.BookAsync(space.Ada.Member, room, "2025-01-28T10:00:00Z", "2025-01-28T11:00:00Z", hold: true);

        await space.Host.AdvanceAsync("PT9M59S", Cancel);
        BookingAnswer before = await space.BookAsync(space.Bob.Member, room, "2025-01-28T10:00:00Z", "2025-01-28T11:00:00Z");
        await space.Host.AdvanceAsync("PT1S", Cancel);
        BookingAnswer after = await space.BookAsync(space.Bob.Member, room, "2025-01-28T10:00:00Z", "2025-01-28T11:00:00Z");

        Assert.Equal((HttpStatusCode.Conflict, "booking_conflict"), (before.Status, before.Code));
        Assert.Equal(HttpStatusCode.Created, after.Status);
        Assert.Equal("expired", (string?)(await space.GetAsync("staff", "bookings/" + held.Id))["state"]);
        Assert.Equal("hold_expired", (await space.TryAsync(space.Ada.Member, $"bookings/{held.Id}/pay", [])).Code);
    }

    [Fact, Trait("Rule", "BKG-15")]
    public async Task A_visitor_books_what_is_for_everyone_pays_at_once_and_reaches_nothing_else()
    {
        (string ours, string everyones) = (await space.RoomAsync(), await space.RoomAsync(audience: "everyone"));
        JsonObject Wish(string room) => new()
        {
            ["resourceId"] = room,
            ["start"] = "2025-01-29T10:00:00Z",
            ["end"] = "2025-01-29T11:00:00Z",
            ["firstName"] = "Val",
            ["lastName"] = "Visitor",
            ["email"] = "val@example.test",
            ["paymentMethodId"] = "pm_card_visa",
        };

        BookingAnswer booked = await space.TryAsync(string.Empty, "storefront/bookings", Wish(everyones));
        BookingAnswer refused = await space.TryAsync(string.Empty, "storefront/bookings", Wish(ours));

        Assert.Equal((HttpStatusCode.Created, "confirmed", "14.28"), (booked.Status, (string?)booked.Json["state"], (string?)booked.Json["total"]!["amount"]));
        Assert.Equal("resource_not_allowed", refused.Code);
        Assert.Equal("booking_conflict", (await space.BookAsync(space.Ada.Member, everyones, "2025-01-29T10:30:00Z", "2025-01-29T11:30:00Z")).Code);
    }

    /// <summary>Ada books a room weekly.</summary>
    private Task<JsonObject> SeriesAsync(string room, string localStart, string localEnd, int count) => space.PostAsync(
        space.Ada.Member,
        "recurring-bookings",
        new()
        {
            ["resourceId"] = room,
            ["localStart"] = localStart,
            ["localEnd"] = localEnd,
            ["recurrence"] = new JsonObject { ["frequency"] = "weekly", ["count"] = count },
        });

    private Task<JsonObject> IssueAsync(Resident who, LocalDate? from, LocalDate? to) => space.PostAsync(
        "staff",
        $"members/{who.Member}/day-passes",
        new() { ["locationId"] = space.Location, ["passes"] = 1, ["validFrom"] = from?.ToString("R", null), ["validTo"] = to?.ToString("R", null) });

    private async Task<string?> AccountCreditAsync(Resident who) =>
        (string?)(await space.GetAsync(who.Member, $"customers/{who.Customer}/account-credit"))["results"]![0]!["balance"]!["amount"];

    private async Task<LocalDate> TodayAsync() => (await space.NowAsync()).InZone(DateTimeZoneProviders.Tzdb["Europe/Berlin"]).Date;

    /// <summary>The next full five minutes that are at least a minute ahead.</summary>
    private async Task<Instant> NextStepAsync()
    {
        const long step = 5 * 60;
        long soon = (await space.NowAsync()).ToUnixTimeSeconds() + 60;
        return Instant.FromUnixTimeSeconds((soon + step - 1) / step * step);
    }
}
