using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using static Flex.EndToEnd.Tests.BadInput.BadRequest;

namespace Flex.EndToEnd.Tests.BadInput;

/// <summary>Bodies of the right form with values that cannot be accepted.</summary>
internal static class BadValues
{
    private const string Invalid = "invalid_value";
    private const string Mismatch = "currency_mismatch";
    private const string Plans = "/api/v1/plans";
    private const string Rates = "/api/v1/rates";
    private const string Resources = "/api/v1/resources";
    private const string Bookings = "/api/v1/bookings";
    private const string Bulk = "/api/v1/bookings/bulk-cancel";
    private const string Memberships = "/api/v1/memberships";
    private const string SignUp = "/api/v1/memberships/sign-up";

    public static IEnumerable<BadRequest> All => [.. Texts, .. Amounts, .. Terms, .. Times, .. States, .. DayPasses, .. Series];

    private static IEnumerable<BadRequest> Texts =>
    [
        Post("a blank name", "/api/v1/locations", _ => Bodies.Location(" "), 422, Invalid),
        Post("a name of two lines", "/api/v1/locations", _ => Bodies.Location("North\nSouth"), 422, Invalid),
        Post("a name of 201 characters", "/api/v1/locations", _ => Bodies.Location(new string('n', 201)), 422, Invalid),
        Post("a time zone nobody knows", "/api/v1/locations", _ => Bodies.Location().With("timeZone", "Mars/Base"), 422, Invalid),
        Post("a word for an e-mail address", "/api/v1/customers", _ => Bodies.Customer("Zoe").With("billingEmail", "zoe"), 422, Invalid),
        Post("an e-mail address with a second line", "/api/v1/customers", _ => Bodies.Customer("Zoe").With("billingEmail", "a@b\r\nBcc: c@d"), 422, Invalid),
        Post("a visitor with a word for an address", "/api/v1/storefront/bookings", s => Bodies.Visitor(s).With("email", "zoe"), 422, Invalid)
            with { As = "nobody", Key = "bad-visitor-1" },
        Post("a visitor with a name of 101 characters", "/api/v1/storefront/bookings",
            s => Bodies.Visitor(s).With("lastName", new string('n', 101)), 422, Invalid) with { As = "nobody", Key = "bad-visitor-2" },
        Post("a visitor with a card of no form", "/api/v1/storefront/bookings", s => Bodies.Visitor(s).With("paymentMethodId", "card_1"), 422, Invalid)
            with { As = "nobody", Key = "bad-visitor-3" },
        Post("a payment method of no form", s => $"/api/v1/customers/{s.Eve.Customer}/payment-methods", _ => Method("card_1"), 422, Invalid),
        Post("a payment method nobody knows", s => $"/api/v1/customers/{s.Eve.Customer}/payment-methods", _ => Method("pm_unknown"), 422, "unknown_reference"),
        Post("a card that is declined", s => $"/api/v1/customers/{s.Eve.Customer}/payment-methods",
            _ => Method("pm_card_chargeDeclined"), 402, "payment_failed"),
    ];

    private static IEnumerable<BadRequest> Amounts =>
    [
        Post("a negative price", Plans, s => Bodies.Plan(s).With("price", Bodies.Money("-1.00")), 422, Invalid),
        Post("a third digit after the point", Rates, s => Bodies.Rate(s).With("hourlyPrice", Bodies.Money("12.005")), 422, Invalid),
        Post("an amount in words", Rates, s => Bodies.Rate(s).With("hourlyPrice", Bodies.Money("twelve")), 422, Invalid),
        Post("an amount with a comma", Rates, s => Bodies.Rate(s).With("hourlyPrice", Bodies.Money("12,00")), 422, Invalid),
        Post("an amount beyond all bounds", Rates, s => Bodies.Rate(s).With("hourlyPrice", Bodies.Money(new string('9', 40))), 422, Invalid),
        Post("a default plan that costs", Plans, s => Bodies.Plan(s).With("isDefault", true), 422, Invalid),
        Post("an interval of five months", Plans, s => Bodies.Plan(s).With("intervalMonths", 5), 422, Invalid),
        Post("a capacity of none", "/api/v1/resources", s => Bodies.Resource(s, s.Rate).With("capacity", 0), 422, Invalid),
        Post("a tax of 101 per cent", "/api/v1/tax-rates", _ => Tax(101), 422, Invalid),
        Post("a plan in another currency than its location", Plans, s => Bodies.Plan(s).With("price", Bodies.Money("200.00", "cad")), 422, Mismatch),
        Post("a rate in another currency than its location", Rates, s => Bodies.Rate(s).With("locationIds", new JsonArray(s.Boston)), 422, Mismatch),
        Post("a resource with a rate in another currency", "/api/v1/resources", s => Bodies.Resource(s, s.Rate).With("locationId", s.Boston), 422, Mismatch),
        Post("credit in another currency than the location", Grants, s => Bodies.Credit(s.Room, null).With("amount", Bodies.Money("5.00", "usd")), 422, Mismatch),
        Post("credit of minutes and money", Grants, s => Bodies.Credit(s.Room).With("amount", Bodies.Money("5.00")), 422, Invalid),
        Post("credit of nothing", Grants, s => Bodies.Credit(s.Room, null), 422, Invalid),
        Post("credit of no minutes", Grants, s => Bodies.Credit(s.Room, 0), 422, Invalid),
        Post("credit for the same resource twice", Grants, s => Bodies.Credit(s.Room).With("resourceIds", new JsonArray(s.Room, s.Room)), 422, Invalid),
        Post("no passes", Passes, _ => Bodies.Passes(0), 422, Invalid),
        Post("21 passes", Passes, _ => Bodies.Passes(21), 422, Invalid),
        Post("a pass of no name", Passes, _ => Bodies.Passes().With("offer", " "), 422, Invalid),
        Put("a location that changes its currency", s => $"/api/v1/locations/{s.Location}", _ => Bodies.Location().With("currency", "usd"), 422, Mismatch),
        Put("a rate that changes its currency", s => $"/api/v1/rates/{s.Rate}",
            s => Bodies.Rate(s).With("hourlyPrice", Bodies.Money("1.00", "usd")), 422, Mismatch),
    ];

    private static IEnumerable<BadRequest> Terms =>
    [
        Post("a rate without a price", Rates, s => Bodies.Rate(s).Without("hourlyPrice"), 422, Invalid),
        Post("a weekend price without an hourly one", Rates,
            s => Bodies.Rate(s).Without("hourlyPrice").With("dailyPrice", Bodies.Money("1.00")).With("weekendHourlyPrice", Bodies.Money("1.00")), 422, Invalid),
        Post("a negative price of a day", Rates, s => Bodies.Rate(s).With("dailyPrice", Bodies.Money("-1.00")), 422, Invalid),
        Post("a rate in two currencies", Rates, s => Bodies.Rate(s).With("weekPrice", Bodies.Money("1.00", "usd")), 422, Mismatch),
        Post("a resource that is published without a rate", Resources, s => Bodies.Resource(s, null).With("isPublished", true), 409, "resource_rate_required"),
        Post("a check-in after two hours", Resources, s => Booked(s, "checkInGraceMinutes", 120), 422, Invalid),
        Post("a buffer off the five minutes", Resources, s => Booked(s, "bufferAfterMinutes", 7), 422, Invalid),
        Post("a resource for members of no plan", Resources, s => Booked(s, "allowedPlanIds", new JsonArray("pln_00000000000000000000000000")), 422, "unknown_reference"),
        Post("opening hours that overlap", "/api/v1/locations", _ => Open(("09:00:00", "12:00:00"), ("11:00:00", "13:00:00")), 422, Invalid),
        Post("opening hours that end before they begin", "/api/v1/locations", _ => Open(("12:00:00", "09:00:00")), 422, Invalid),
        Post("a credit of nothing", Plans, s => Credit(s, new() { ["minutes"] = 0 }), 422, Invalid),
        Post("a credit of minutes and an amount", Plans, s => Credit(s, new() { ["minutes"] = 60, ["amount"] = Bodies.Money("1.00") }), 422, Invalid),
        Post("a credit in another currency", Plans, s => Credit(s, new() { ["amount"] = Bodies.Money("1.00", "usd") }), 422, Mismatch),
        Post("a pass of seven minutes", Plans, s => Pass(s, 0.1167m), 422, Invalid),
        Post("a pass of no time", Plans, s => Pass(s, 0), 422, Invalid),
        Post("day passes of a monthly plan that run out", Plans,
            s => Bodies.Plan(s).With("dayPasses", new JsonObject { ["passes"] = 1, ["validDays"] = 30 }), 422, Invalid),
    ];

    private static IEnumerable<BadRequest> Times =>
    [
        Book("a booking in the past", "2025-01-01T07:00:00Z", "2025-01-01T10:00:00Z", "in_the_past"),
        Book("a start off the five minutes", "2025-01-06T10:03:00Z", "2025-01-06T11:00:00Z", "time_off_grid"),
        Book("an end off the five minutes", "2025-01-06T10:00:00Z", "2025-01-06T11:00:01Z", "time_off_grid"),
        Book("an end before its start", "2025-01-06T11:00:00Z", "2025-01-06T10:00:00Z", "end_before_start"),
        Book("an end at its start", "2025-01-06T11:00:00Z", "2025-01-06T11:00:00Z", "end_before_start"),
        Book("a booking of 32 days", "2025-01-06T11:00:00Z", "2025-02-07T11:00:00Z", Invalid),
        Book("a booking in three years", "2028-01-06T10:00:00Z", "2028-01-06T11:00:00Z", Invalid),
        Post("a renewal date in the past", Memberships, s => Give(s).With("renewalOn", "2024-12-31"), 409, "renewal_date_in_past"),
        Post("a renewal today", Memberships, s => Give(s).With("renewalOn", "2025-01-01"), 409, "renewal_date_in_past"),
        Post("an end of the membership in the past", s => $"/api/v1/memberships/{s.AdasMembership}/cancel", _ => End("2024-12-31"), 422, "in_the_past")
            with { IfMatch = "*" },
        Post("credit that ends before it begins", Grants, s => Bodies.Credit(s.Room).With("until", "2024-12-31"), 422, "end_before_start"),
        Post("a preview of the past", "/api/v1/bookings/preview", s => Bodies.Booking(s, "2025-01-01T07:00:00Z", "2025-01-01T10:00:00Z"), 422, "in_the_past")
            with { As = "ada" },
        Post("a visitor's preview off the five minutes", "/api/v1/storefront/preview",
            s => Bodies.Booking(s, "2025-01-06T10:03:00Z", "2025-01-06T11:00:00Z"), 422, "time_off_grid") with { As = "nobody" },
        Get("free times of 32 days", s => $"/api/v1/resources/availability?location={s.Location}&from=2025-01-01&to=2025-02-01", 422, Invalid),
        Get("free times of an end before its beginning", s => $"/api/v1/resources/availability?location={s.Location}&from=2025-01-02&to=2025-01-01", 422, "end_before_start"),
        Post("bookings accounted anew from an end to a beginning", s => $"/api/v1/members/{s.Ada.Member}/bookings/reaccount",
            _ => new JsonObject { ["from"] = "2025-01-02", ["to"] = "2025-01-01" }, 422, "end_before_start") with { Key = "bad-reaccount" },
        Post("a change to the past", Change, _ => new JsonObject { ["start"] = "2025-01-01T07:00:00Z" }, 422, "in_the_past") with { As = "ada" },
        Post("a change off the five minutes", Change, _ => new JsonObject { ["start"] = "2025-01-07T10:03:00Z" }, 422, "time_off_grid") with { As = "ada" },
        Post("a change to an end before its start", s => Change(s) + "/preview",
            _ => new JsonObject { ["end"] = "2025-01-06T12:00:00Z" }, 422, "end_before_start") with { As = "ada" },
        Post("a cancellation of bookings of two years", Bulk,
            s => new JsonObject { ["locationId"] = s.Location, ["from"] = "2025-01-01T00:00:00Z", ["to"] = "2027-01-01T00:00:00Z" }, 422, Invalid),
        Post("a cancellation of no bookings", Bulk, _ => new JsonObject { ["bookingIds"] = new JsonArray() }, 422, Invalid),
        Post("a look at cancelling bookings of no place", Bulk + "/preview", _ => new JsonObject { ["from"] = "2025-01-01T00:00:00Z" }, 422, Invalid),
        Get("a list that ends before it begins", s => $"/api/v1/bookings?memberId={s.Ada.Member}&from=2025-01-02&to=2025-01-01", 422, "end_before_start"),
    ];

    private static IEnumerable<BadRequest> States =>
    [
        Book("a slot that is taken", "2025-01-06T13:30:00Z", "2025-01-06T14:30:00Z", "booking_conflict") with { Status = 409 },
        Post("a booking without a membership", Bookings, s => Bodies.Booking(s), 409, "payment_required") with { As = "eve" },
        Post("a booking at a price nobody quoted", Bookings, s => Bodies.Booking(s).With("quoteId", "1.AAAA"), 409, "quote_stale") with { As = "ada" },
        Post("a preview at a price nobody quoted", "/api/v1/bookings/preview", s => Bodies.Booking(s).With("quoteId", "x"), 409, "quote_stale")
            with { As = "ada" },
        Act("an approval of what is confirmed", s => $"/api/v1/bookings/{s.AdasBooking}/approve", 409, "invalid_transition"),
        Act("a rejection of what is confirmed", s => $"/api/v1/bookings/{s.AdasBooking}/reject", 409, "invalid_transition"),
        Act("a check-in days before", s => $"/api/v1/bookings/{s.AdasBooking}/check-in", 409, "invalid_transition") with { As = "ada" },
        Post("a change at a price nobody quoted", Change,
            _ => new JsonObject { ["end"] = "2025-01-06T15:00:00Z", ["quoteId"] = "1.AAAA" }, 409, "quote_stale") with { As = "ada" },
        Act("a payment of what is not held", s => $"/api/v1/bookings/{s.AdasBooking}/pay", 409, "invalid_transition") with { As = "ada", Key = "bad-pay" },
        Post("a visitor in a room for members", "/api/v1/storefront/bookings", s => Bodies.Visitor(s), 409, "resource_not_allowed")
            with { As = "nobody", Key = "bad-visitor" },
        Post("a visitor's preview of a room for members", "/api/v1/storefront/preview", s => Bodies.Booking(s), 409, "resource_not_allowed")
            with { As = "nobody" },
        Post("a booking of what has no rate", Bookings, s => Bodies.Booking(s).With("resourceId", s.Cellar).With("memberId", s.Ada.Member), 409, "resource_rate_required"),
        Post("a booking of what is not published", Bookings, s => Bodies.Booking(s).With("resourceId", s.Cellar), 422, "unknown_reference")
            with { As = "ada" },
        Post("a booking for nobody", Bookings, s => Bodies.Booking(s), 422, Invalid),
        Post("a sign-up for nobody", SignUp, s => new JsonObject { ["planId"] = s.Plan }, 422, Invalid) with { Key = "bad-nobody" },
        Post("a sign-up without a card", SignUp, s => new JsonObject { ["planId"] = s.Plan }, 409, "payment_method_required")
            with { As = "eve", Key = "bad-no-card" },
        Post("passes that the plan does not offer", Passes, _ => Bodies.Passes(), 409, "pass_not_offered"),
        Post("passes to buy that the plan does not offer", s => Passes(s) + "/purchases", _ => Bodies.Passes(), 409, "pass_not_offered")
            with { As = "ada", Key = "bad-offer" },
        Act("an account that is Active already", _ => "/api/v1/settings/operator/activate", 409, "invalid_transition") with { As = "owner" },
        Act("an invoice that is paid already", s => $"/api/v1/invoices/{s.AdasInvoice}/pay", 409, "invalid_transition") with { As = "ada", Key = "bad-paid" },
        Put("a plan that moves to another location", s => $"/api/v1/plans/{s.Plan}", s => Bodies.Plan(s).With("locationId", s.Boston), 422, Invalid),
        Put("a resource that moves to another location", s => $"/api/v1/resources/{s.Room}",
            s => Bodies.Resource(s, null).With("locationId", s.Boston), 422, Invalid),
    ];

    private static IEnumerable<BadRequest> DayPasses =>
    [
        Issue("no day passes at all", s => DayPass(s).With("passes", 0), Invalid),
        Issue("1,001 day passes", s => DayPass(s).With("passes", 1001), Invalid),
        Issue("a day pass that ends before it begins", s => DayPass(s).With("validFrom", "2025-02-02").With("validTo", "2025-02-01"), "end_before_start"),
        Issue("a day pass to the year 2201", s => DayPass(s).With("validTo", "2201-01-01"), Invalid),
        Issue("a day pass for a blank door", s => DayPass(s).With("accessGroups", new JsonArray(" ")), Invalid),
        Post("a check-in without a pass", "/api/v1/check-ins", s => new JsonObject { ["locationId"] = s.Location }, 422, "no_passes_left") with { As = "eve" },
        Post("a check-in for nobody", "/api/v1/check-ins", s => new JsonObject { ["locationId"] = s.Location }, 422, Invalid),
        Post("half a day where there are none", "/api/v1/check-ins",
            s => new JsonObject { ["locationId"] = s.Location, ["halfDay"] = true }, 422, Invalid) with { As = "eve" },
    ];

    private static IEnumerable<BadRequest> Series =>
    [
        Repeat("a series that ends before it starts", s => Bodies.Series(s).With("localEnd", "2025-02-03T09:00:00"), "end_before_start"),
        Repeat("a series off the five minutes", s => Bodies.Series(s).With("localStart", "2025-02-03T10:02:00"), "time_off_grid"),
        Repeat("a series in the past", s => Bodies.Series(s).With("localStart", "2024-12-02T10:00:00").With("localEnd", "2024-12-02T11:00:00"), "in_the_past"),
        Repeat("a series of 501 days", s => Rule(s, "FREQ=DAILY;COUNT=501"), Invalid),
        Repeat("a series of 25 months", s => Rule(s, "FREQ=MONTHLY;COUNT=26"), Invalid),
        Repeat("a series without an end", s => Rule(s, "FREQ=WEEKLY"), Invalid),
        Repeat("a series by the hour", s => Rule(s, "FREQ=HOURLY;COUNT=3"), Invalid),
        Repeat("a rule that is none", s => Rule(s, "every Monday"), Invalid),
        Repeat("a rule in two languages", s => Bodies.Series(s).With("recurrence", new JsonObject { ["rrule"] = "FREQ=DAILY;COUNT=2", ["count"] = 2 }), Invalid),
        Repeat("a series on weekday 8", s => Bodies.Series(s).With(
            "recurrence", new JsonObject { ["frequency"] = "weekly", ["weekdays"] = new JsonArray(8), ["count"] = 2 }), Invalid),
        Repeat("a series to the year 9999", s => Bodies.Series(s).With("localStart", "9999-12-30T10:00:00").With("localEnd", "9999-12-30T11:00:00"), Invalid),
        Repeat("occurrences that overlap", s => Bodies.Series(s).With("localEnd", "2025-02-11T10:00:00"), Invalid),
        Repeat("a series that meets a booking", s => Bodies.Series(s)
            .With("localStart", "2025-01-06T13:00:00").With("localEnd", "2025-01-06T16:00:00"), "booking_conflict") with { Status = 409 },
        Repeat("a series without a membership", s => Bodies.Series(s), "payment_required") with { Status = 409, As = "eve" },
        Repeat("a policy set aside by a member", s => Bodies.Series(s).With("overridePolicy", true), "forbidden") with { Status = 403 },
        Post("a preview of 501 days", "/api/v1/recurring-bookings/preview", s => Rule(s, "FREQ=DAILY;COUNT=501"), 422, Invalid) with { As = "ada" },
        Act("an account of what is accounted", s => $"/api/v1/bookings/{s.AdasBooking}/account", 409, "invalid_transition"),
    ];

    private static BadRequest Repeat(string name, Func<Space, JsonNode> body, string code) =>
        Post(name, "/api/v1/recurring-bookings", body, 422, code) with { As = "ada" };

    private static JsonObject Rule(Space space, string rule) => Bodies.Series(space).With("recurrence", new JsonObject { ["rrule"] = rule });

    private static BadRequest Issue(string name, Func<Space, JsonNode> body, string code) =>
        Post(name, s => $"/api/v1/members/{s.Eve.Member}/day-passes", body, 422, code);

    private static JsonObject DayPass(Space space) => new() { ["locationId"] = space.Location, ["passes"] = 5 };

    private static BadRequest Book(string name, string start, string end, string code) =>
        Post(name, Bookings, s => Bodies.Booking(s, start, end), 422, code) with { As = "ada" };

    private static string Change(Space space) => $"/api/v1/bookings/{space.AdasBooking}/change";

    private static string Passes(Space space) => $"/api/v1/members/{space.Ada.Member}/booking-passes";

    private static string Grants(Space space) => $"/api/v1/members/{space.Ada.Member}/credit-grants";

    private static JsonObject Method(string id) => new() { ["paymentMethod"] = id };

    private static JsonObject Tax(int percent) =>
        new() { ["name"] = "VAT", ["components"] = new JsonArray(new JsonObject { ["name"] = "VAT", ["percent"] = percent }) };

    private static JsonObject Booked(Space space, string member, JsonNode value) => Bodies.Resource(space, space.Rate).With("terms", new JsonObject
    {
        ["onlyWithinOpeningHours"] = false,
        ["bufferBeforeMinutes"] = 0,
        ["bufferAfterMinutes"] = 0,
        ["leadMinutes"] = 0,
        ["cancellationNoticeMinutes"] = 0,
        ["requiresApproval"] = false,
        ["approvalDeadlineMinutes"] = 0,
        ["audience"] = "members",
        ["allowedPlanIds"] = new JsonArray(),
        ["allowedMemberIds"] = new JsonArray(),
    }.With(member, value));

    private static JsonObject Open(params (string From, string Until)[] times) => Bodies.Location().With("openingHours", new JsonObject
    {
        ["times"] = new JsonArray([.. times.Select(t => (JsonNode)new JsonObject { ["day"] = "monday", ["from"] = t.From, ["until"] = t.Until })]),
    });

    private static JsonObject Credit(Space space, JsonObject what) => Bodies.Plan(space).With("credits", new JsonArray(
        what.With("name", "Rooms").With("resourceIds", new JsonArray(space.Room))));

    private static JsonObject Pass(Space space, decimal hours) => Bodies.Plan(space).With("passOffers", new JsonArray(new JsonObject
    {
        ["name"] = "Pass",
        ["hours"] = hours,
        ["price"] = Bodies.Money("1.00"),
        ["resourceIds"] = new JsonArray(space.Room),
    }));

    private static JsonObject Give(Space space) => new() { ["memberId"] = space.Eve.Member, ["planId"] = space.Plan };

    private static JsonObject End(string on) => new() { ["on"] = on };
}
