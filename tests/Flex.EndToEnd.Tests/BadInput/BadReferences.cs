using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using static Flex.EndToEnd.Tests.BadInput.BadRequest;

namespace Flex.EndToEnd.Tests.BadInput;

/// <summary>Ids of nothing and of others, roles that may not, headers, queries and methods.</summary>
internal static class BadReferences
{
    private const string NotFound = "not_found";
    private const string Unknown = "unknown_reference";

    /// <summary>The right form of an id behind its prefix, and of nothing.</summary>
    private const string Nothing = "00000000000000000000000000";

    public static IEnumerable<BadRequest> All => [.. UnknownIds, .. OthersIds, .. Roles, .. Headers, .. Queries, .. Methods];

    private static readonly string[] Collections =
    [
        "locations/loc", "tax-rates/tax", "plans/pln", "resources/res", "rates/rat", "customers/cus", "members/mbr", "invoices/inv", "bill-runs/brn",
    ];

    private static readonly string[] BookingActions = ["change", "change/preview", "cancel"];

    private static readonly string[] BookingDecisions = ["approve", "reject", "check-in"];

    private const string BulkCancel = "/api/v1/bookings/bulk-cancel";

    private static IEnumerable<BadRequest> UnknownIds =>
    [
        .. Collections.Select(path => Get("an unknown id: " + path, _ => $"/api/v1/{path}_{Nothing}", 404, NotFound)),
        .. new[] { "bookings/bkg", "check-ins/chk", "memberships/mem", "recurring-bookings/ser", "operations/opr" }
            .Select(path => Get("an unknown id: " + path, _ => $"/api/v1/{path}_{Nothing}000000", 404, NotFound)),
        Get("an id of no form in the path", _ => "/api/v1/members/1", 404, NotFound),
        Get("an id of another kind in the path", s => $"/api/v1/members/{s.Location}", 404, NotFound),
        Get("an id with a way out of its place", _ => "/api/v1/members/..%2F..%2Fsettings", 404, NotFound),
        Get("the day passes of nobody", _ => $"/api/v1/members/mbr_{Nothing}/day-passes", 404, NotFound),
        Get("the check-ins of no location", _ => $"/api/v1/check-ins?locationId=loc_{Nothing}", 404, NotFound),
        Act("a check-out of nothing", _ => $"/api/v1/check-ins/chk_{Nothing}000000/check-out", 404, NotFound),
        Post("day passes for nobody", _ => $"/api/v1/members/mbr_{Nothing}/day-passes", s => Passes(s), 404, NotFound),
        Post("day passes for no location", s => $"/api/v1/members/{s.Eve.Member}/day-passes",
            s => Passes(s).With("locationId", "loc_" + Nothing), 422, Unknown),
        Post("a check-in at no location", "/api/v1/check-ins", _ => new JsonObject { ["locationId"] = "loc_" + Nothing }, 422, Unknown) with { As = "eve" },
        Post("a check-in of nobody", "/api/v1/check-ins", s => CheckIn(s).With("memberId", "mbr_" + Nothing), 422, Unknown),
        new("a cancellation of no day pass", "DELETE", s => $"/api/v1/members/{s.Eve.Member}/day-passes/dps_{Nothing}000000", _ => null, 404, NotFound),
        Get("the picture of nothing", _ => $"/api/v1/plans/pln_{Nothing}/image", 404, NotFound),
        Get("a picture that a resource does not have", s => $"/api/v1/resources/{s.Room}/image", 404, NotFound),
        Get("the access of nobody", _ => $"/api/v1/members/mbr_{Nothing}/access", 404, NotFound),
        Get("the dunning of nothing", _ => $"/api/v1/memberships/mem_{Nothing}000000/dunning", 404, NotFound),
        Put("a change of nothing", _ => $"/api/v1/locations/loc_{Nothing}", _ => Bodies.Location(), 404, NotFound),
        Get("the credit notes of nothing", _ => $"/api/v1/invoices/inv_{Nothing}/credit-notes", 404, NotFound),
        Get("the account credit of nobody", _ => $"/api/v1/customers/cus_{Nothing}/account-credit", 404, NotFound),
        Act("a payment of nothing", _ => $"/api/v1/invoices/inv_{Nothing}/pay", 404, NotFound) with { Key = "bad-unknown" },
        Post("a card of nobody", _ => $"/api/v1/customers/cus_{Nothing}/payment-methods", _ => Card, 404, NotFound),
        Post("an end of nothing", _ => $"/api/v1/memberships/mem_{Nothing}000000/cancel", _ => End, 404, NotFound) with { IfMatch = "\"1\"" },
        Act("a calendar feed of nobody", _ => $"/api/v1/members/mbr_{Nothing}/calendar-feed", 404, NotFound),
        Act("a calendar feed of no resource", _ => $"/api/v1/resources/res_{Nothing}/calendar-feed", 404, NotFound),
        Get("a calendar feed under a token nobody has", _ => $"/api/v1/calendar-feeds/feed_{new string('A', 43)}.ics", 404, NotFound),
        Get("a calendar feed under a token of no form", _ => "/api/v1/calendar-feeds/..%2Fmembers.ics", 404, NotFound),
        Get("the wallet of nobody", _ => $"/api/v1/members/mbr_{Nothing}/wallet", 404, NotFound),
        Post("passes for nobody", _ => $"/api/v1/members/mbr_{Nothing}/booking-passes", _ => Bodies.Passes(), 404, NotFound),
        new("a removal of no pass", "DELETE", s => $"/api/v1/members/{s.Ada.Member}/booking-passes/bps_{Nothing}", _ => null, 404, NotFound),
        new("a withdrawal of no credit", "DELETE", s => $"/api/v1/members/{s.Ada.Member}/credit-grants/grt_{Nothing}", _ => null, 404, NotFound),
        Post("credit for no resource", s => $"/api/v1/members/{s.Ada.Member}/credit-grants", _ => Bodies.Credit("res_" + Nothing), 422, Unknown),
        Act("a replay of nothing", _ => "/api/v1/dead-letters/billing/none/replay", 404, NotFound),
        Post("a plan at no location", "/api/v1/plans", s => Bodies.Plan(s).With("locationId", "loc_" + Nothing), 422, Unknown),
        Post("a plan with no tax rate", "/api/v1/plans", s => Bodies.Plan(s).With("taxRateId", "tax_" + Nothing), 422, Unknown),
        Post("a resource with no rate", "/api/v1/resources", s => Bodies.Resource(s, "rat_" + Nothing), 422, Unknown),
        Post("a member of no customer", "/api/v1/members", s => Bodies.Member("cus_" + Nothing, s.Location, "Zoe"), 422, Unknown),
        Post("a booking of nothing", "/api/v1/bookings", s => Bodies.Booking(s).With("resourceId", "res_" + Nothing), 422, Unknown) with { As = "ada" },
        Post("a series of nothing", "/api/v1/recurring-bookings", s => Bodies.Series(s).With("resourceId", "res_" + Nothing), 422, Unknown) with { As = "ada" },
        Post("a series by nobody", "/api/v1/recurring-bookings", s => Bodies.Series(s).With("memberId", "mbr_" + Nothing), 422, Unknown),
        Post("a preview of a series by nobody", "/api/v1/recurring-bookings/preview", s => Bodies.Series(s).With("memberId", "mbr_" + Nothing), 422, Unknown),
        .. new[] { ("cancel", "from"), ("update", "from"), ("occurrences", "date") }.Select(act => Post(
            "no series to " + act.Item1,
            _ => $"/api/v1/recurring-bookings/ser_{Nothing}000000/{act.Item1}",
            _ => new JsonObject { [act.Item2] = "2025-02-01" }.With(act.Item1 == "update" ? "localStart" : act.Item2, act.Item1 == "update" ? "2025-02-01T10:00:00" : "2025-02-01"),
            404,
            NotFound)),
        Act("an account of no booking", _ => $"/api/v1/bookings/bkg_{Nothing}000000/account", 404, NotFound),
        Post("a booking by nobody", "/api/v1/bookings", s => Bodies.Booking(s).With("memberId", "mbr_" + Nothing), 422, Unknown),
        .. BookingActions.Select(a => Post($"a {a} of no booking", _ => $"/api/v1/bookings/bkg_{Nothing}000000/{a}", _ => new JsonObject(), 404, NotFound)),
        .. BookingDecisions.Select(a => Act($"a {a} of no booking", _ => $"/api/v1/bookings/bkg_{Nothing}000000/{a}", 404, NotFound)),
        Post("a cancellation of bookings of nothing", BulkCancel, _ => Booked("bkg_" + Nothing + "000000"), 422, Unknown),
        Post("a cancellation of bookings nowhere", BulkCancel + "/preview", _ => At("loc_" + Nothing), 422, Unknown),
        Post("bookings of nobody accounted anew", _ => $"/api/v1/members/mbr_{Nothing}/bookings/reaccount/preview", _ => new JsonObject(), 404, NotFound),
        Post("a visitor in no room", "/api/v1/storefront/bookings", s => Bodies.Visitor(s).With("resourceId", "res_" + Nothing), 422, Unknown)
            with { As = "nobody", Key = "bad-visitor" },
        Post("a sign-up for no plan", "/api/v1/memberships/sign-up", _ => Plan("pln_" + Nothing), 422, Unknown) with { As = "ada", Key = "bad-plan" },
        Post("a bill run for nobody", "/api/v1/bill-runs", _ => new JsonObject { ["customerId"] = "cus_" + Nothing }, 422, Unknown) with { Key = "bad-run" },
    ];

    private static IEnumerable<BadRequest> OthersIds =>
    [
        .. new (string What, Func<Space, string> Path)[]
        {
            ("member", s => $"members/{s.Ada.Member}"),
            ("day passes", s => $"members/{s.Ada.Member}/day-passes"),
            ("doors", s => $"members/{s.Ada.Member}/access"),
            ("customer", s => $"customers/{s.Ada.Customer}"),
            ("payment methods", s => $"customers/{s.Ada.Customer}/payment-methods"),
            ("membership", s => $"memberships/{s.AdasMembership}"),
            ("dunning", s => $"memberships/{s.AdasMembership}/dunning"),
            ("wallet", s => $"members/{s.Ada.Member}/wallet"),
            ("calendar feed", s => $"members/{s.Ada.Member}/calendar-feed"),
            ("booking", s => $"bookings/{s.AdasBooking}"),
            ("bookings", s => $"bookings?memberId={s.Ada.Member}"),
            ("series", s => $"recurring-bookings?memberId={s.Ada.Member}"),
            ("invoice", s => $"invoices/{s.AdasInvoice}"),
            ("credit notes", s => $"invoices/{s.AdasInvoice}/credit-notes"),
            ("account credit", s => $"customers/{s.Ada.Customer}/account-credit"),
            ("invoices", s => $"invoices?customerId={s.Ada.Customer}"),
        }.Select(other => Get("another member's " + other.What, s => "/api/v1/" + other.Path(s), 404, NotFound) with { As = "bob" }),
        Post("a booking for another member", "/api/v1/bookings", s => Bodies.Booking(s).With("memberId", s.Ada.Member), 404, NotFound) with { As = "bob" },
        Post("a series for another member", "/api/v1/recurring-bookings", s => Bodies.Series(s).With("memberId", s.Ada.Member), 404, NotFound) with { As = "bob" },
        Post("passes bought for another member", s => $"/api/v1/members/{s.Ada.Member}/booking-passes/purchases", _ => Bodies.Passes(), 404, NotFound)
            with { As = "bob", Key = "bad-other" },
        Post("a check-in of another member", "/api/v1/check-ins", s => CheckIn(s).With("memberId", s.Ada.Member), 404, NotFound) with { As = "bob" },
        Post("another customer's card", s => $"/api/v1/customers/{s.Ada.Customer}/payment-methods", _ => Card, 404, NotFound) with { As = "bob" },
        .. BookingActions.Select(a =>
            Post($"a {a} of another's booking", s => $"/api/v1/bookings/{s.AdasBooking}/{a}", _ => new JsonObject(), 404, NotFound) with { As = "bob" }),
        Act("a check-in to another's booking", s => $"/api/v1/bookings/{s.AdasBooking}/check-in", 404, NotFound) with { As = "bob" },
        Act("a payment of another's booking", s => $"/api/v1/bookings/{s.AdasBooking}/pay", 404, NotFound) with { As = "bob", Key = "bad-other" },
        Post("a preview for another member", "/api/v1/bookings/preview", s => Bodies.Booking(s).With("memberId", s.Ada.Member), 404, NotFound)
            with { As = "bob" },
        Act("a payment of another's invoice", s => $"/api/v1/invoices/{s.AdasInvoice}/pay", 404, NotFound) with { As = "bob", Key = "bad-other" },
        Act("a calendar feed of another", s => $"/api/v1/members/{s.Ada.Member}/calendar-feed", 404, NotFound) with { As = "bob" },
        new("a revocation of another's calendar feed", "DELETE", s => $"/api/v1/members/{s.Ada.Member}/calendar-feed", _ => null, 404, NotFound)
            { As = "bob" },
        Post("an end of another's membership", s => $"/api/v1/memberships/{s.AdasMembership}/cancel", _ => End, 404, NotFound)
            with { As = "bob", IfMatch = "*" },
        Post("a sign-up of another member", "/api/v1/memberships/sign-up", s => Plan(s.Plan).With("memberId", s.Ada.Member), 422, Unknown)
            with { As = "bob", Key = "bad-other" },
        Post("a sign-up for a plan that is not public", "/api/v1/memberships/sign-up", s => Plan(s.HiddenPlan), 422, Unknown)
            with { As = "ada", Key = "bad-hidden" },
    ];

    private static IEnumerable<BadRequest> Roles =>
    [
        Post("a member who adds a location", "/api/v1/locations", _ => Bodies.Location(), 403, "forbidden") with { As = "ada" },
        Get("a member who lists the customers", _ => "/api/v1/customers", 403, "forbidden") with { As = "ada" },
        Get("a member who reads the settings", _ => "/api/v1/settings/operator", 403, "forbidden") with { As = "ada" },
        Post("a member who gives himself day passes", s => $"/api/v1/members/{s.Eve.Member}/day-passes", s => Passes(s), 403, "forbidden") with { As = "eve" },
        new("a member who cancels a day pass", "DELETE", s => $"/api/v1/members/{s.Eve.Member}/day-passes/dps_{Nothing}000000", _ => null, 403, "forbidden")
            { As = "eve" },
        Get("a member who lists the check-ins", s => $"/api/v1/check-ins?locationId={s.Location}", 403, "forbidden") with { As = "ada" },
        Post("a member who has bookings accounted anew", s => $"/api/v1/members/{s.Ada.Member}/bookings/reaccount/preview", _ => new JsonObject(), 403, "forbidden")
            with { As = "ada" },
        Act("a member who approves", s => $"/api/v1/bookings/{s.AdasBooking}/approve", 403, "forbidden") with { As = "ada" },
        Act("a member who rejects", s => $"/api/v1/bookings/{s.AdasBooking}/reject", 403, "forbidden") with { As = "ada" },
        Post("a member who waives", s => $"/api/v1/bookings/{s.AdasBooking}/cancel", _ => new JsonObject { ["waive"] = true }, 403, "forbidden") with { As = "ada" },
        Post("a member who cancels many bookings", BulkCancel, s => At(s.Location), 403, "forbidden") with { As = "ada" },
        Post("a member who looks at cancelling many bookings", BulkCancel + "/preview", s => At(s.Location), 403, "forbidden") with { As = "ada" },
        Get("a member who lists a room's bookings", s => $"/api/v1/bookings?resourceId={s.Room}&from=2025-01-01&to=2025-01-10", 403, "forbidden")
            with { As = "ada" },
        Post("a member who gives himself a membership", "/api/v1/memberships", s => Plan(s.Plan).With("memberId", s.Eve.Member), 403, "forbidden")
            with { As = "eve" },
        Act("a member who makes a room's calendar feed", s => $"/api/v1/resources/{s.Room}/calendar-feed", 403, "forbidden") with { As = "ada" },
        Post("a member who gives himself passes", s => $"/api/v1/members/{s.Ada.Member}/booking-passes", _ => Bodies.Passes(), 403, "forbidden") with { As = "ada" },
        Post("a member who gives himself credit", s => $"/api/v1/members/{s.Ada.Member}/credit-grants", s => Bodies.Credit(s.Room), 403, "forbidden")
            with { As = "ada" },
        Act("staff who suspend the account", _ => "/api/v1/settings/operator/suspend", 403, "forbidden"),
    ];

    private static IEnumerable<BadRequest> Headers =>
    [
        Post("a sign-up without a key", "/api/v1/memberships/sign-up", s => Plan(s.Plan), 400, "idempotency_key_required") with { As = "ada" },
        Post("a purchase of passes without a key", s => $"/api/v1/members/{s.Ada.Member}/booking-passes/purchases", _ => Bodies.Passes(), 400,
            "idempotency_key_required") with { As = "ada" },
        Act("a payment of a booking without a key", s => $"/api/v1/bookings/{s.AdasBooking}/pay", 400, "idempotency_key_required") with { As = "ada" },
        Post("a visitor without a key", "/api/v1/storefront/bookings", s => Bodies.Visitor(s), 400, "idempotency_key_required") with { As = "nobody" },
        Post("bookings accounted anew without a key", s => $"/api/v1/members/{s.Ada.Member}/bookings/reaccount", _ => new JsonObject(), 400,
            "idempotency_key_required"),
        Act("a payment without a key", s => $"/api/v1/invoices/{s.AdasInvoice}/pay", 400, "idempotency_key_required") with { As = "ada" },
        Post("a bill run without a key", "/api/v1/bill-runs", _ => new JsonObject(), 400, "idempotency_key_required"),
        Post("a key with a blank", "/api/v1/locations", _ => Bodies.Location(), 400, "malformed_request") with { Key = "two words" },
        Post("a key of 256 characters", "/api/v1/locations", _ => Bodies.Location(), 400, "malformed_request") with { Key = new string('k', 256) },
        .. Edits.Select(e => Put("a stale ETag: " + e.What, e.Path, e.Body, 412, "stale", "\"999\"")),
        .. Edits.Select(e => Put("no If-Match: " + e.What, e.Path, e.Body, 400, "if_match_required", null)),
        Put("a weak ETag", s => $"/api/v1/locations/{s.Location}", _ => Bodies.Location(), 412, "stale", "W/\"1\""),
        Put("an If-Match without quotes", s => $"/api/v1/locations/{s.Location}", _ => Bodies.Location(), 400, "malformed_request", "1"),
        .. new[] { "change", "cancel" }.Select(a =>
            Post($"a {a} of a booking with a stale ETag", s => $"/api/v1/bookings/{s.AdasBooking}/{a}", _ => new JsonObject(), 412, "stale") with { IfMatch = "\"999\"" }),
        .. BookingDecisions.Select(a => Act($"a {a} of a booking with a stale ETag", s => $"/api/v1/bookings/{s.AdasBooking}/{a}", 412, "stale") with { IfMatch = "\"999\"" }),
        Post("an end with a stale ETag", s => $"/api/v1/memberships/{s.AdasMembership}/cancel", _ => End, 412, "stale") with { IfMatch = "\"999\"" },
        Post("an end without If-Match", s => $"/api/v1/memberships/{s.AdasMembership}/cancel", _ => End, 400, "if_match_required"),
    ];

    private static JsonObject At(string location) => new() { ["locationId"] = location, ["from"] = "2025-01-06T00:00:00Z", ["to"] = "2025-01-07T00:00:00Z" };

    private static JsonObject Booked(string booking) => new() { ["bookingIds"] = new JsonArray(booking) };

    private static IEnumerable<(string What, Func<Space, string> Path, Func<Space, JsonNode> Body)> Edits =>
    [
        ("location", s => $"/api/v1/locations/{s.Location}", _ => Bodies.Location()),
        ("plan", s => $"/api/v1/plans/{s.Plan}", s => Bodies.Plan(s)),
        ("resource", s => $"/api/v1/resources/{s.Room}", s => Bodies.Resource(s, s.Rate)),
        ("rate", s => $"/api/v1/rates/{s.Rate}", s => Bodies.Rate(s)),
        ("customer", s => $"/api/v1/customers/{s.Ada.Customer}", _ => Bodies.Customer("Other")),
        ("settings", _ => "/api/v1/settings/operator", _ => Settings),
    ];

    private static IEnumerable<BadRequest> Queries =>
    [
        Get("an unknown filter", _ => "/api/v1/locations?colour=red", 400, "unknown_parameter"),
        Get("an unknown parameter of a read", s => $"/api/v1/locations/{s.Location}?expand=all", 400, "unknown_parameter"),
        Post("an unknown parameter of a command", "/api/v1/locations?dryRun=true", _ => Bodies.Location(), 400, "unknown_parameter"),
        Act("an unknown parameter of an action", s => $"/api/v1/members/{s.Ada.Member}/calendar-feed?days=30", 400, "unknown_parameter"),
        Get("an unknown parameter of a calendar feed", _ => "/api/v1/calendar-feeds/x.ics?days=30", 400, "unknown_parameter"),
        Get("a limit of none", _ => "/api/v1/locations?limit=0", 422, "invalid_value"),
        Get("a limit of 101", _ => "/api/v1/locations?limit=101", 422, "invalid_value"),
        Get("a limit in words", _ => "/api/v1/locations?limit=ten", 422, "invalid_value"),
        Get("a limit given twice", _ => "/api/v1/locations?limit=1&limit=2", 400, "malformed_request"),
        Get("a cursor nobody issued", _ => "/api/v1/locations?cursor=AAAAAAAAAAAAAAAA", 400, "invalid_cursor"),
        Get("a cursor of no form", _ => "/api/v1/locations?cursor=***", 400, "invalid_cursor"),
        Get("a filter of no form", _ => "/api/v1/bookings?memberId=ada", 400, "malformed_request"),
        Get("a day in words", s => $"/api/v1/bookings?memberId={s.Ada.Member}&from=monday", 400, "malformed_request"),
        Get("a list of everybody's bookings", _ => "/api/v1/bookings", 422, "invalid_value"),
        Get("the bookings of no member", _ => $"/api/v1/bookings?memberId=mbr_{Nothing}", 404, NotFound),
        Get("free times of nowhere", _ => $"/api/v1/resources/availability?location=loc_{Nothing}&from=2025-01-01&to=2025-01-02", 422, Unknown),
        Get("free times of no day", s => $"/api/v1/resources/availability?location={s.Location}", 400, "malformed_request"),
        Get("the check-ins of nowhere", _ => "/api/v1/check-ins", 400, "malformed_request"),
        Get("the check-ins of the year 1999", s => $"/api/v1/check-ins?locationId={s.Location}&date=1999-12-31", 422, "invalid_value"),
        Get("a queue nobody has", _ => "/api/v1/dead-letters?queue=parcels", 422, Unknown),
    ];

    private static IEnumerable<BadRequest> Methods =>
    [
        new("a method a collection does not take", "DELETE", _ => "/api/v1/locations", _ => null, 405, "method_not_allowed"),
        new("a method a thing does not take", "PATCH", s => $"/api/v1/bookings/{s.AdasBooking}", _ => "{}", 405, "method_not_allowed"),
        Get("a read of a command", _ => "/api/v1/memberships/sign-up/now", 404, NotFound),
        Get("a path of nothing", _ => "/api/v1/nowhere", 404, NotFound),
        Get("a version of nothing", _ => "/api/v2/locations", 404, NotFound),
    ];

    private static JsonObject Passes(Space space) => new() { ["locationId"] = space.Location, ["passes"] = 5 };

    private static JsonObject CheckIn(Space space) => new() { ["locationId"] = space.Location };

    private static JsonObject Card => new() { ["paymentMethod"] = "pm_card_visa" };

    private static JsonObject End => new() { ["on"] = "2025-03-01" };

    private static JsonObject Settings => new()
    {
        ["name"] = "Other",
        ["defaultTaxRateId"] = null,
        ["automaticBillRun"] = false,
        ["automaticCollection"] = false,
        ["automaticSending"] = false,
        ["invoiceDueDays"] = 0,
        ["renewalNumbering"] = "onSuccess",
        ["salto"] = new JsonObject { ["unsubscribeWhenAllRevoked"] = false, ["siteId"] = null, ["groups"] = new JsonArray() },
    };

    private static JsonObject Plan(string id) => new() { ["planId"] = id };
}
