using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using static Flex.EndToEnd.Tests.BadInput.BadRequest;

namespace Flex.EndToEnd.Tests.BadInput;

/// <summary>Bodies that are not the JSON the operation takes.</summary>
internal static class BadBodies
{
    private const string Malformed = "malformed_request";
    private const string Locations = "/api/v1/locations";
    private const string Plans = "/api/v1/plans";
    private const string Rates = "/api/v1/rates";
    private const string Resources = "/api/v1/resources";
    private const string Bookings = "/api/v1/bookings";

    public static IEnumerable<BadRequest> All =>
    [
        .. WrongTypes, .. UnknownMembers, .. MissingMembers, .. BrokenJson, .. TooMuch, .. NoPictures,
    ];

    private static IEnumerable<BadRequest> WrongTypes =>
    [
        Post("a number for a name", Locations, _ => Bodies.Location().With("name", 5), 400, Malformed),
        Post("null for a name", Locations, _ => Bodies.Location().With("name", null), 400, Malformed),
        Post("an object for a name", Locations, _ => Bodies.Location().With("name", new JsonObject()), 400, Malformed),
        Post("a text for a number", Resources, s => Bodies.Resource(s, s.Rate).With("capacity", "6"), 400, Malformed),
        Post("a fraction for a whole number", Resources, s => Bodies.Resource(s, s.Rate).With("capacity", 6.5m), 400, Malformed),
        Post("a number that does not fit", Resources, s => Bodies.Resource(s, s.Rate).With("capacity", 9_999_999_999), 400, Malformed),
        Post("a number for an enum", Resources, s => Bodies.Resource(s, s.Rate).With("kind", 1), 400, Malformed),
        Post("an enum value nobody knows", Resources, s => Bodies.Resource(s, s.Rate).With("kind", "garage"), 400, Malformed),
        Post("an enum value in other case", Resources, s => Bodies.Resource(s, s.Rate).With("kind", "MeetingRoom"), 400, Malformed),
        Post("a text for a boolean", Plans, s => Bodies.Plan(s).With("isPublic", "true"), 400, Malformed),
        Post("a number for an amount", Rates,
            s => Bodies.Rate(s).With("hourlyPrice", new JsonObject { ["amount"] = 12, ["currency"] = "eur" }), 400, Malformed),
        Post("a text for money", Rates, s => Bodies.Rate(s).With("hourlyPrice", "12.00 eur"), 400, Malformed),
        Post("an object for a list", Plans, s => Bodies.Plan(s).With("accessGroups", new JsonObject()), 400, Malformed),
        Post("null in a list", Plans, s => Bodies.Plan(s).With("accessGroups", new JsonArray((JsonNode?)null)), 400, Malformed),
        Post("a list for an object", Locations, _ => new JsonArray(Bodies.Location()), 400, Malformed),
        Post("an id of another kind", Bookings, s => Bodies.Booking(s).With("resourceId", s.Location), 400, Malformed),
        Post("an id of no form", Bookings, s => Bodies.Booking(s).With("resourceId", "res_1"), 400, Malformed),
        Post("a time without a zone", Bookings, s => Bodies.Booking(s, start: "2025-01-06T10:00:00"), 400, Malformed),
        Post("a day that no month has", Bookings, s => Bodies.Booking(s, start: "2025-02-30T10:00:00Z"), 400, Malformed),
        Post("a number for a time", Bookings, s => Bodies.Booking(s).With("start", 1_736_157_600), 400, Malformed),
        Post("a time for a date", "/api/v1/memberships", s => Membership(s, s.Eve.Member).With("renewalOn", "2025-02-01T00:00:00Z"), 400, Malformed),
        Post("a currency nobody knows", Locations, _ => Bodies.Location().With("currency", "xyz"), 400, Malformed),
    ];

    private static IEnumerable<BadRequest> UnknownMembers =>
    [
        Post("an unknown member", Locations, _ => Bodies.Location().With("colour", "red"), 400, Malformed),
        Post("a member in other case", Locations, _ => Bodies.Location().With("Name", "North"), 400, Malformed),
        Post("an unknown member of money", Rates, s => Bodies.Rate(s).With("hourlyPrice", Bodies.Money("12.00").With("cents", 1200)), 400, Malformed),
        Post("an id of the caller's choice", Locations, _ => Bodies.Location().With("id", "loc_1"), 400, Malformed),
        Post("a price of the caller's choice", Bookings, s => Bodies.Booking(s).With("price", Bodies.Money("0.00")), 400, Malformed) with { As = "ada" },
        Put("an account status of the caller's choice", _ => "/api/v1/settings/operator",
            _ => new JsonObject { ["accountStatus"] = "suspended" }, 400, Malformed),
        Raw("a member given twice", Locations, """{"name":"A","name":"B","timeZone":"Europe/Berlin","currency":"eur"}""", 400, Malformed),
    ];

    private static IEnumerable<BadRequest> MissingMembers =>
    [
        Post("nothing in the body", Locations, _ => new JsonObject(), 400, Malformed),
        Post("no currency", Locations, _ => Bodies.Location().Without("currency"), 400, Malformed),
        Post("no amount", Rates, s => Bodies.Rate(s).With("hourlyPrice", new JsonObject { ["currency"] = "eur" }), 400, Malformed),
        Post("no price", Plans, s => Bodies.Plan(s).Without("price"), 400, Malformed),
        Post("no start", Bookings, s => Bodies.Booking(s).Without("start"), 400, Malformed) with { As = "ada" },
        Post("no plan", "/api/v1/memberships/sign-up", _ => new JsonObject(), 400, Malformed) with { As = "eve", Key = "bad-no-plan" },
        Post("no e-mail", "/api/v1/members", s => Bodies.Member(s.Eve.Customer, s.Location, "Zoe").Without("email"), 400, Malformed),
        Post("no payment method", s => $"/api/v1/customers/{s.Eve.Customer}/payment-methods", _ => new JsonObject(), 400, Malformed),
    ];

    private static IEnumerable<BadRequest> BrokenJson =>
    [
        Raw("JSON that ends in the middle", Locations, """{"name":"North","timeZone":""", 400, Malformed),
        Raw("JSON with a comment", Locations, """{"name":"North",/* */"timeZone":"Europe/Berlin","currency":"eur"}""", 400, Malformed),
        Raw("JSON with a comma too many", Locations, """{"name":"North","timeZone":"Europe/Berlin","currency":"eur",}""", 400, Malformed),
        Raw("two JSON documents", Locations, """{"name":"North","timeZone":"Europe/Berlin","currency":"eur"}{}""", 400, Malformed),
        Raw("an empty body", Locations, string.Empty, 400, Malformed),
        Raw("the body null", Locations, "null", 400, Malformed),
        Raw("half of a character", Locations, "{\"name\":\"\\ud800\",\"timeZone\":\"Europe/Berlin\",\"currency\":\"eur\"}", 400, Malformed),
        Raw("lists in lists without end", Locations, new string('[', 5000), 400, Malformed),
        Raw("a form for JSON", Locations, "name=North", 415, "unsupported_media_type") with { ContentType = "application/x-www-form-urlencoded" },
        Raw("JSON that calls itself text", Locations, Bodies.Location().ToJsonString(), 415, "unsupported_media_type") with { ContentType = "text/plain" },
        new("a body where none belongs", "POST", s => $"/api/v1/invoices/{s.AdasInvoice}/pay",
            _ => """{"amount":"1.00"}""", 400, Malformed) { Key = "bad-body" },
    ];

    private static IEnumerable<BadRequest> TooMuch =>
    [
        Post("a body of 300 kB", Locations, _ => Bodies.Location(new string('n', 300_000)), 413, "body_too_large"),
        Post("a body of 300 kB that does not say so", Locations, _ => Bodies.Location(new string('n', 300_000)), 413, "body_too_large")
            with { Chunked = true },
    ];

    private static IEnumerable<BadRequest> NoPictures =>
    [
        Picture("a text for a picture", "no picture", 415, "unsupported_media_type"),
        Picture("an empty picture", string.Empty, 415, "unsupported_media_type"),
        Picture("a picture that calls itself JSON", "{}", 415, "unsupported_media_type") with { ContentType = "application/json" },
        Picture("a picture of more than 5 MB", new string('p', (5 * 1024 * 1024) + 1), 413, "body_too_large"),
        Picture("a picture of a version nobody has read", "no picture", 400, "if_match_required") with { IfMatch = null },
    ];

    private static BadRequest Picture(string name, string text, int status, string code) =>
        new(name, "PUT", s => $"/api/v1/plans/{s.Plan}/image", _ => text, status, code) { ContentType = "image/png", IfMatch = "*" };

    private static JsonObject Membership(Space space, string member) => new() { ["memberId"] = member, ["planId"] = space.Plan };
}
