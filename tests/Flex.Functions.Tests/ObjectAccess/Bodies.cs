using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Flex.Catalogue;
using Flex.Platform.Http;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>Bodies that are accepted, about things of <see cref="Premises"/>.</summary>
internal static class Bodies
{
    public static JsonObject Money(string amount) => new() { ["amount"] = amount, ["currency"] = "eur" };

    public static JsonObject Operator() => new()
    {
        ["name"] = "House",
        ["defaultTaxRateId"] = null,
        ["automaticBillRun"] = false,
        ["automaticCollection"] = false,
        ["automaticSending"] = false,
        ["invoiceDueDays"] = 14,
        ["renewalNumbering"] = "onSuccess",
        ["salto"] = new JsonObject { ["unsubscribeWhenAllRevoked"] = false, ["siteId"] = null, ["groups"] = new JsonArray() },
        ["bookingPassesEnabled"] = true,
    };

    public static JsonObject Location() => new() { ["name"] = "Mitte", ["timeZone"] = "Europe/Berlin", ["currency"] = "eur" };

    public static JsonObject Tax() =>
        new() { ["name"] = "VAT", ["components"] = new JsonArray(new JsonObject { ["name"] = "VAT", ["percent"] = 19 }) };

    /// <summary>A plan with a little credit for the rooms members book, and passes for one they do not.</summary>
    public static JsonObject Plan(Premises w, string name) => new()
    {
        ["locationId"] = w.Location,
        ["name"] = name,
        ["kind"] = "recurring",
        ["intervalMonths"] = 1,
        ["price"] = Money("200.00"),
        ["taxRateId"] = w.Tax,
        ["accessGroups"] = new JsonArray(),
        ["isDefault"] = false,
        ["isPublic"] = true,
        ["credits"] = new JsonArray(
            new JsonObject { ["name"] = "Rooms", ["resourceIds"] = new JsonArray(w.Room, w.GuardedRoom, w.Hall, w.Studio), ["minutes"] = 5 }),
        ["passOffers"] = new JsonArray(new JsonObject
        {
            ["name"] = "Hour",
            ["hours"] = 1,
            ["price"] = Money("10.00"),
            ["taxRateId"] = w.Tax,
            ["resourceIds"] = new JsonArray(w.HiddenRoom),
        }),
    };

    public static JsonObject Rate(Premises w) =>
        new() { ["name"] = "Rooms", ["hourlyPrice"] = Money("12.00"), ["taxRateId"] = w.Tax, ["locationIds"] = new JsonArray() };

    public static JsonObject Resource(Premises w, string name, JsonObject? terms = null) => new()
    {
        ["locationId"] = w.Location,
        ["name"] = name,
        ["kind"] = "meetingRoom",
        ["capacity"] = 6,
        ["rateId"] = w.Rate,
        ["isPublished"] = true,
        ["terms"] = terms ?? Terms(),
    };

    public static JsonObject Terms() => new()
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
    };

    public static JsonObject Customer(string name) => new() { ["name"] = name, ["billingEmail"] = "billing@example.test" };

    public static JsonObject Member(Premises w, Person person) => new()
    {
        ["customerId"] = person.Customer,
        ["locationId"] = w.Location,
        ["email"] = person.Email,
        ["firstName"] = person.Name,
        ["lastName"] = "Example",
    };

    /// <summary>An hour that nobody has booked.</summary>
    public static JsonObject Booking(Premises w, string resource, string? member = null) =>
        w.NextSlot().With("resourceId", resource).WithAny("memberId", member);

    /// <summary>Half hours at an hour of the day at which there is no other series.</summary>
    public static JsonObject Series(Premises w, string from = "2025-02-23", string rule = "FREQ=WEEKLY;COUNT=3", string? member = null)
    {
        int hour = w.NextSeriesHour();
        return new JsonObject
        {
            ["resourceId"] = w.Studio,
            ["localStart"] = string.Create(CultureInfo.InvariantCulture, $"{from}T{hour:D2}:00:00"),
            ["localEnd"] = string.Create(CultureInfo.InvariantCulture, $"{from}T{hour:D2}:30:00"),
            ["recurrence"] = new JsonObject { ["rrule"] = rule },
            ["onConflict"] = "skip",
        }.WithAny("memberId", member);
    }

    public static JsonObject Visitor(Premises w, string paymentMethod = "pm_card_visa") => Booking(w, w.Hall)
        .With("firstName", "Zoe").With("lastName", "Doe").With("email", "zoe@example.test").With("paymentMethodId", paymentMethod);

    public static JsonObject Credit(Premises w) =>
        new() { ["name"] = "Sorry", ["resourceIds"] = new JsonArray(w.HiddenRoom), ["minutes"] = 60, ["from"] = "2025-01-01" };

    public static JsonObject DayPasses(Premises w) => new() { ["locationId"] = w.Location, ["passes"] = 5 };

    public static JsonObject Passes() => new() { ["offer"] = "Hour", ["quantity"] = 1 };

    /// <summary>The same with one member changed or added.</summary>
    public static JsonObject With(this JsonObject body, string member, JsonNode? value)
    {
        body[member] = value;
        return body;
    }

    /// <summary>The same with one member more, if there is a value for it.</summary>
    public static JsonObject WithAny(this JsonObject body, string member, string? value) => value is null ? body : body.With(member, value);
}

/// <summary>A picture whose content is its text.</summary>
internal static class PictureBody
{
    public static ByteArrayContent Content(string text)
    {
        var content = new ByteArrayContent(Bytes(text));
        content.Headers.ContentType = new(Picture.Png);
        return content;
    }

    /// <summary>Under which it is kept.</summary>
    public static string NameOf(string text) => Picture.Of(new FileBody(Picture.Png, Bytes(text))).Value.Name;

    private static byte[] Bytes(string text) => [0x89, .. "PNG\r\n\u001a\n"u8, .. Encoding.UTF8.GetBytes(text)];
}
