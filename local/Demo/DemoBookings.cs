using System.Net;
using System.Text.Json.Nodes;
using NodaTime;

namespace Flex.Local.Demo;

/// <summary>What members do with their plans: credits, passes, changes, cancellations, a day in the house.</summary>
public sealed partial class DemoScript
{
    private const int Mondays = 13;

    private string _series = string.Empty;

    private async Task CreditsAndPassesAsync(CancellationToken ct)
    {
        display.Step(5, "Eve's plan has an hour of credit and offers booking passes");
        await client.EditAsync(
            Staff,
            "/api/v1/settings/operator",
            settings =>
            {
                settings.Remove("accountStatus");
                settings["bookingPassesEnabled"] = true;
            },
            ct);
        string studio = Id(await CreateRoomAsync("Studio", ct));
        string plan = Id(await CreatePlanAsync(
            "Part time",
            "50.00",
            isDefault: false,
            _tax,
            [],
            ct,
            new JsonArray(new JsonObject { ["name"] = "Rooms", ["resourceIds"] = new JsonArray(_room), ["minutes"] = 60 }),
            new JsonArray(new JsonObject
            {
                ["name"] = "Studio hour",
                ["hours"] = 1,
                ["price"] = Eur("9.00"),
                ["taxRateId"] = _tax,
                ["resourceIds"] = new JsonArray(studio),
            })));
        Person eve = await AddPersonAsync("Eve", ct);
        eve.MembershipId = Id(await client.PostAsync(eve.MemberId, "/api/v1/memberships/sign-up", new JsonObject { ["planId"] = plan }, "demo-sign-up-Eve", ct));
        await AdvanceAsync(_began + Duration.FromMinutes(130), ct);

        (_, JsonObject room) = await BookAsync("Eve", At(8, 10), At(8, 11, 30), "demo-credit", ct);
        Expect(Cost(room) == ("6.00", 60, 0), "90 minutes with an hour of credit cost 6.00 EUR");
        (HttpStatusCode status, JsonObject refusal) = await BookAsync("Eve", At(8, 14), At(8, 16), "demo-no-pass", ct, studio);
        Expect(status == HttpStatusCode.Conflict && Text(refusal, "code") == "out_of_passes", "the studio without passes is 409 out_of_passes");
        JsonObject bought = await client.PostAsync(
            eve.MemberId,
            $"/api/v1/members/{eve.MemberId}/booking-passes/purchases",
            new JsonObject { ["offer"] = "Studio hour", ["quantity"] = 2 },
            "demo-buy",
            ct);
        await AdvanceAsync(_began + Duration.FromMinutes(140), ct);
        JsonObject invoice = await client.GetAsync(eve.MemberId, $"/api/v1/invoices/{bought["invoiceId"]}", ct);
        Expect((bool)invoice["alreadyPaid"]! && Text(invoice, "settlement") == "paid", "the passes' invoice is already paid");
        (_, JsonObject booked) = await BookAsync("Eve", At(8, 14), At(8, 16), "demo-pass", ct, studio);
        Expect(Cost(booked) == ("0.00", 0, 120), "two hours take two passes and cost nothing more");
        Expect(await LeftAsync(eve, ct) == (0, 0), "neither credit nor passes are left");
        display.Fact("Aquarium: 60 minutes of credit and 6.00 EUR; Studio: two passes, invoiced as already paid");

        await CancelAsync("Eve", room, "demo-cancel-credit", ct);
        await CancelAsync("Eve", booked, "demo-cancel-pass", ct);
        Expect(await LeftAsync(eve, ct) == (60, 120), "what was cancelled in time is back in the wallet");
        (_, JsonObject kept) = await BookAsync("Eve", At(9, 14), At(9, 15), "demo-pass-kept", ct, studio);
        Expect(Cost(kept) == ("0.00", 0, 60), "an hour takes one pass");
        display.Fact("cancelled in time: 60 minutes of credit and 120 of passes are back; one pass is used again");
    }

    private async Task ChangeAndCancelAsync(CancellationToken ct)
    {
        display.Step(6, "Ada moves her paid booking, Carol cancels hers");
        JsonObject adas = (await BookingsAsync(_people["Ada"], ct)).Single(b => Text(b, "state") == "confirmed" && InstantOf(b, "start") == At(3, 14));
        var longer = new JsonObject { ["start"] = TextOf(At(3, 13)), ["end"] = TextOf(At(3, 15)) };
        JsonObject changed = await client.PostAsync(_people["Ada"].MemberId, $"/api/v1/bookings/{Id(adas)}/change", longer, "demo-change", ct);
        JsonNode summary = changed["summary"]!;
        Expect(
            (Amount(summary, "alreadyPaid"), Amount(summary, "newPrice"), Amount(summary, "delta")) == ("18.00", "24.00", "6.00"),
            "two hours instead of 90 minutes: 18.00 paid, 24.00 now, 6.00 more");
        JsonObject carols = (await BookingsAsync(_people["Carol"], ct)).Single();
        await CancelAsync("Carol", carols, "demo-cancel-paid", ct);
        await AdvanceAsync(_began + Duration.FromHours(3), ct);
        Expect(await AccountCreditAsync("Carol", ct) == "14.28", "Carol's paid hour is 14.28 EUR of account credit");

        (HttpStatusCode status, _) = await BookAsync("Carol", At(10, 9), At(10, 10), "demo-book-carol-again", ct);
        Expect(status == HttpStatusCode.Created, "Carol books another day");
        await AdvanceAsync(_began + Duration.FromMinutes(190), ct);
        await client.PostAsync(Staff, "/api/v1/bill-runs", new JsonObject(), "demo-second-bill-run", ct);
        await AdvanceAsync(_began + Duration.FromHours(5), ct);
        JsonObject[] second = [.. (await BillRunInvoicesAsync(ct)).Where(i => Amount(i, "total") is "7.14" || Amount(i, "fromAccount") != "0.00")];
        Expect(second.Length == 2 && second.All(i => Text(i, "settlement") == "paid"), "Ada's 7.14 and Carol's 14.28 EUR are paid");
        Expect(await AccountCreditAsync("Carol", ct) == "0.00", "Carol's account credit paid hers");
        display.Fact("Ada pays the difference of 6.00 EUR net; Carol's credit note pays her next booking, her card nothing");
    }

    private async Task DayPassAsync(CancellationToken ct)
    {
        display.Step(7, "Gus comes for a day");
        Person gus = await AddPersonAsync("Gus", ct);
        await client.PostAsync(
            Staff,
            $"/api/v1/members/{gus.MemberId}/day-passes",
            new JsonObject { ["locationId"] = _location, ["passes"] = 1, ["accessGroups"] = new JsonArray(_group) },
            "demo-day-pass",
            ct);
        var here = new JsonObject { ["locationId"] = _location };
        JsonObject checkIn = await client.PostAsync(gus.MemberId, "/api/v1/check-ins", here.DeepClone(), "demo-check-in", ct);
        Expect((decimal)checkIn["used"]! == 1 && (decimal)checkIn["remaining"]! == 0, "the only day of his pass is used");
        await AdvanceAsync(_began + Duration.FromHours(6), ct);
        Expect((await AccessAsync(gus, ct)).Count == 1, "Gus can open the door");
        await AdvanceAsync(Midnight(_start.PlusDays(1)) + Duration.FromHours(1), ct);
        Expect((await AccessAsync(gus, ct)).Count == 0, "the day after he cannot");
        Expect(await SaltoStateAsync("Gus", ct) == "suspended", "Gus's Salto seat is free");
        (HttpStatusCode status, JsonObject refusal) = await client.SendAsync(gus.MemberId, HttpMethod.Post, "/api/v1/check-ins", here, "demo-check-in-2", null, ct);
        Expect(status == HttpStatusCode.UnprocessableEntity && Text(refusal, "code") == "no_passes_left", "and there is nothing left to check in with");
        _people.Remove("Gus");
        display.Fact("one day used: the door opens until midnight, then it is closed and the seat free");
    }

    private async Task WeeklyAsync(CancellationToken ct)
    {
        display.Step(8, "Dan books an hour every Monday");
        LocalDate[] mondays = [.. Enumerable.Range(0, Mondays).Select(i => _start.PlusDays(2).Next(IsoDayOfWeek.Monday).PlusWeeks(i))];
        var wish = new JsonObject
        {
            ["resourceId"] = _room,
            ["localStart"] = Iso(mondays[0]) + "T10:00:00",
            ["localEnd"] = Iso(mondays[0]) + "T11:00:00",
            ["recurrence"] = new JsonObject { ["frequency"] = "weekly", ["count"] = Mondays },
        };
        _series = Id(await client.PostAsync(_people["Dan"].MemberId, "/api/v1/recurring-bookings", wish, "demo-series", ct));
        LocalDate today = (await NowAsync(ct)).InZone(Berlin).Date;
        await AdvanceAsync(Midnight(_start.PlusDays(1)) + Duration.FromHours(2), ct);
        int near = mondays.Count(m => m <= today.PlusMonths(2));
        JsonNode summary = await SummaryAsync(ct);
        Expect((int)summary["totals"]!["accounted"]! == near, $"{near} hours of the next two months are priced and charged");
        Expect((int)summary["totals"]!["estimated"]! == Mondays - near, "the later ones hold their slots at an estimate");
        Expect(summary["rows"]!.AsArray().All(r => InstantOf(r!, "start").InZone(Berlin).TimeOfDay == new LocalTime(10, 0)), "all are at 10:00 on the wall");
        foreach (JsonNode? cycle in summary["cycles"]!.AsArray())
        {
            JsonNode totals = cycle!["totals"]!;
            display.Fact($"cycle from {cycle["from"]}: {totals["accounted"]} booked for {Amount(totals["accountedAmounts"]!, "total")} EUR with tax,"
                + $" {totals["estimated"]} estimated at {Amount(totals["estimatedAmounts"]!, "total")}");
        }
    }

    private async Task WeeklyEndsAsync(CancellationToken ct)
    {
        display.Step(12, "Two months on, Dan's series is accounted to its end; he gives up the last two Mondays");
        JsonNode summary = await SummaryAsync(ct);
        Expect((int)summary["totals"]!["accounted"]! == Mondays, "the daily job has accounted every occurrence in its time");
        string from = (string)summary["rows"]![Mondays - 2]!["date"]!;
        string path = $"/api/v1/recurring-bookings/{_series}/cancel";
        await client.PostAsync(_people["Dan"].MemberId, path, new JsonObject { ["from"] = from }, "demo-series-cancel", ct);
        await AdvanceAsync(Midnight(_start.PlusMonths(2).PlusDays(3)) + Duration.FromHours(1), ct);
        List<JsonObject> dans = await BookingsAsync(_people["Dan"], ct);
        Expect(dans.Count(b => Text(b, "state") == "cancelled") == 2, "this and the following one are cancelled");
        Expect(dans.Count(b => Text(b, "state") == "confirmed") == Mondays - 2, "what was before is untouched");
        display.Fact($"cancelled from {from} on; the past is as it was");
    }

    private async Task<JsonNode> SummaryAsync(CancellationToken ct) =>
        await client.GetAsync(_people["Dan"].MemberId, $"/api/v1/recurring-bookings/{_series}/summary", ct);

    private async Task CancelAsync(string name, JsonObject booking, string key, CancellationToken ct)
    {
        JsonObject cancelled = await client.PostAsync(_people[name].MemberId, $"/api/v1/bookings/{Id(booking)}/cancel", new JsonObject(), key, ct);
        Expect(Text(cancelled, "state") == "cancelled", $"{name} cancels in time");
    }

    /// <summary>Minutes left of this cycle's credit and of the passes.</summary>
    private async Task<(int Credit, int Passes)> LeftAsync(Person person, CancellationToken ct)
    {
        JsonObject wallet = await client.GetAsync(person.MemberId, $"/api/v1/members/{person.MemberId}/wallet", ct);
        return ((int)wallet["credits"]![0]!["leftMinutes"]!, (int)wallet["passMinutesLeft"]!);
    }

    private async Task<string> AccountCreditAsync(string name, CancellationToken ct)
    {
        JsonObject credit = await client.GetAsync(Staff, $"/api/v1/customers/{_people[name].CustomerId}/account-credit", ct);
        return Amount(credit["results"]![0]!, "balance");
    }

    private static (string Price, int Credit, int Pass) Cost(JsonObject booking) =>
        (Amount(booking, "price"), (int)booking["creditMinutes"]!, (int)booking["passMinutes"]!);

    private static string Amount(JsonNode thing, string member) => (string)thing[member]!["amount"]!;
}
