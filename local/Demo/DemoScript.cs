using System.Net;
using System.Text.Json.Nodes;
using NodaTime;
using NodaTime.Text;

namespace Flex.Local.Demo;

/// <summary>
/// The operator's main job, played through the HTTP API on simulated time: set up, sign up, book, invoice and collect, credits and
/// passes, changes and cancellations, a day pass, a weekly series, renew, the retry ladder to its end, a replaced card, an
/// unanswered charge. Every expectation that fails ends it. Each request carries a key of its own and each clock command an absolute
/// time, so the script survives a service that is killed and restarted under it at any instant.
/// </summary>
public sealed partial class DemoScript(FlexClient client, IDemoDisplay display)
{
    private const string Staff = "staff";
    private const string Owner = "owner";
    private static readonly DateTimeZone Berlin = DateTimeZoneProviders.Tzdb["Europe/Berlin"];

    private readonly Dictionary<string, Person> _people = new(StringComparer.Ordinal);
    private string _location = string.Empty;
    private string _plan = string.Empty;
    private string _tax = string.Empty;
    private string _rate = string.Empty;
    private string _room = string.Empty;
    private string _group = string.Empty;
    private Instant _began;
    private LocalDate _start;

    private sealed record Person(string Name, string CustomerId, string MemberId)
    {
        public string MembershipId { get; set; } = string.Empty;
    }

    /// <summary>Plays everything; throws <see cref="DemoFailedException"/> at the first expectation that fails.</summary>
    /// <returns>The final state without ids and times of day, equal for every run that went right.</returns>
    public async Task<JsonObject> PlayAsync(CancellationToken cancellation)
    {
        _began = await NowAsync(cancellation);
        _start = _began.InZone(Berlin).Date;
        await SetUpAsync(cancellation);
        await SignUpAsync(cancellation);
        await BookAsync(cancellation);
        await InvoiceAsync(cancellation);
        await CreditsAndPassesAsync(cancellation);
        await ChangeAndCancelAsync(cancellation);
        await DayPassAsync(cancellation);
        await WeeklyAsync(cancellation);
        await RenewAsync(cancellation);
        await ReplacedCardAsync(cancellation);
        await UnansweredChargeAsync(cancellation);
        await WeeklyEndsAsync(cancellation);
        return await FinalStateAsync(cancellation);
    }

    private async Task SetUpAsync(CancellationToken ct)
    {
        display.Step(1, "Staff set up the space");
        JsonObject salto = await client.PostAsync(
            string.Empty,
            "/local/salto/control/sites",
            new JsonObject { ["name"] = "Berlin Mitte", ["seats"] = 20, ["groups"] = new JsonArray("members"), ["users"] = new JsonArray() },
            "demo-salto",
            ct);
        _group = (string)salto["groups"]!["members"]!;
        await client.PostAsync(Owner, "/api/v1/settings/operator/activate", new JsonObject(), "demo-activate", ct);
        await client.EditAsync(
            Staff,
            "/api/v1/settings/operator",
            settings =>
            {
                settings.Remove("accountStatus");
                settings["name"] = "Berlin Mitte Coworking";
                settings["automaticCollection"] = true;
                settings["salto"] = new JsonObject
                {
                    ["unsubscribeWhenAllRevoked"] = true,
                    ["siteId"] = (string)salto["siteId"]!,
                    ["groups"] = new JsonArray(_group),
                };
            },
            ct);
        JsonObject location = await CreateAsync("locations", "mitte", new JsonObject { ["name"] = "Mitte", ["timeZone"] = Berlin.Id, ["currency"] = "eur" }, ct);
        _location = Id(location);
        _tax = Id(await CreateAsync(
            "tax-rates", "vat", new JsonObject { ["name"] = "VAT 19 %", ["components"] = new JsonArray(new JsonObject { ["name"] = "VAT", ["percent"] = 19 }) }, ct));
        _plan = Id(await CreatePlanAsync("Full time", "200.00", isDefault: false, _tax, new JsonArray(_group), ct));
        await CreatePlanAsync("Community", "0.00", isDefault: true, null, [], ct);
        _rate = Id(await CreateAsync(
            "rates", "rate", new JsonObject { ["name"] = "Meeting rooms", ["hourlyPrice"] = Eur("12.00"), ["taxRateId"] = _tax, ["locationIds"] = new JsonArray() }, ct));
        _room = Id(await CreateRoomAsync("Aquarium", ct));
        display.Fact("location Mitte, plan Full time 200.00 EUR with door access, default plan Community, room Aquarium at 12.00 EUR/h");
        foreach (string name in (string[])["Ada", "Bob", "Carol", "Dan"])
        {
            _people[name] = await AddPersonAsync(name, ct);
        }

        display.Fact("members Ada, Bob, Carol and Dan, each with a card");
    }

    private async Task SignUpAsync(CancellationToken ct)
    {
        display.Step(2, "The members sign up and pay now");
        foreach (Person person in _people.Values)
        {
            JsonObject membership = await client.PostAsync(
                person.MemberId, "/api/v1/memberships/sign-up", new JsonObject { ["planId"] = _plan }, "demo-sign-up-" + person.Name, ct);
            person.MembershipId = Id(membership);
            Expect((string)membership["status"]! == "active", $"{person.Name}'s membership is Active");
            JsonObject invoice = (await InvoicesAsync(person, ct)).Single();
            Expect((string)invoice["settlement"]! == "paid" && (string)invoice["total"]!["amount"]! == "238.00", $"{person.Name}'s invoice over 238.00 EUR is paid");
        }

        await AdvanceAsync(_began + Duration.FromMinutes(10), ct);
        foreach (Person person in _people.Values)
        {
            Expect((await AccessAsync(person, ct)).Contains(_group, StringComparer.Ordinal), $"{person.Name} has door access");
        }

        display.Fact("four invoices paid, four members can open the door");
    }

    private async Task BookAsync(CancellationToken ct)
    {
        display.Step(3, "Ada books the room; two clients race for one slot");
        (HttpStatusCode status, JsonObject booking) = await BookAsync("Ada", At(3, 14), At(3, 15, 30), "demo-book", ct);
        Expect(status == HttpStatusCode.Created && (string)booking["price"]!["amount"]! == "18.00", "90 minutes cost 18.00 EUR");
        (HttpStatusCode Status, JsonObject Answer)[] race = await Task.WhenAll(
            BookAsync("Ada", At(3, 16), At(3, 17), "demo-race-1", ct), BookAsync("Ada", At(3, 16), At(3, 17), "demo-race-2", ct));
        Expect(race.Count(r => r.Status == HttpStatusCode.Created) == 1, "one of two racing clients gets the slot");
        Expect(race.Single(r => r.Status != HttpStatusCode.Created).Answer["code"]!.GetValue<string>() == "booking_conflict", "the other gets 409 booking_conflict");
        (status, _) = await BookAsync("Carol", At(4, 9), At(4, 10), "demo-book-carol", ct);
        Expect(status == HttpStatusCode.Created, "Carol books an hour the day after");
        display.Fact("booked at the frozen price; no double booking");
    }

    private async Task InvoiceAsync(CancellationToken ct)
    {
        display.Step(4, "The bill run invoices the bookings; the card is charged; the webhook settles");
        await client.PostAsync(Staff, "/api/v1/bill-runs", new JsonObject(), "demo-bill-run", ct);
        await AdvanceAsync(_began + Duration.FromHours(2), ct);
        foreach (JsonObject invoice in await BillRunInvoicesAsync(ct))
        {
            Expect((string)invoice["settlement"]! == "paid", $"invoice {invoice["number"]} is paid");
        }

        Expect((await BillRunInvoicesAsync(ct)).Count == 2, "there are two booking invoices");
        display.Fact("two invoices, numbered without a gap, collected automatically");
    }

    private async Task RenewAsync(CancellationToken ct)
    {
        display.Step(9, "Renewals run at each member's slot; Bob's card fails four times and he is downgraded");
        LocalDate renewal = _start.PlusMonths(1);
        (HttpStatusCode status, _) = await BookAsync("Bob", At(50, 10), At(50, 11), "demo-book-bob", ct);
        Expect(status == HttpStatusCode.Created, "Bob books a day in seven weeks");
        await AttachAsync("Bob", "pm_card_chargeCustomerFail", "demo-bob-card", ct);
        await AdvanceAsync(Midnight(renewal.PlusDays(1)), ct);
        foreach (string name in (string[])["Ada", "Carol", "Dan"])
        {
            Expect(Text(await MembershipAsync(name, ct), "nextRenewalOn") == Iso(_start.PlusMonths(2)), $"{name}'s renewal is paid and the next one is a month later");
        }

        JsonObject bob = await MembershipAsync("Bob", ct);
        Expect(Text(bob, "status") == "delinquent" && (int)bob["failedAttempts"]! == 1, "Bob is delinquent after the first failure");
        Expect(Text(bob, "nextAttemptOn") == Iso(renewal.PlusDays(1)), "Bob's next attempt is the next day");
        Expect((await AccessAsync(_people["Bob"], ct)).Count == 1, "Bob keeps his access meanwhile");
        display.Fact($"{Iso(renewal)}: Ada, Carol and Dan renewed; Bob is delinquent and keeps his access");

        await AdvanceAsync(Midnight(renewal.PlusDays(8)), ct);
        Expect(Text(await MembershipAsync("Bob", ct), "status") == "downgraded", "Bob is downgraded after the fourth failure");
        JsonObject dunning = await client.GetAsync(Staff, $"/api/v1/memberships/{_people["Bob"].MembershipId}/dunning", ct);
        string[] days = [.. dunning["attempts"]!.AsArray().Select(a => Iso(InstantOf(a!, "at").InZone(Berlin).Date))];
        Expect(days.SequenceEqual([Iso(renewal), Iso(renewal.PlusDays(1)), Iso(renewal.PlusDays(4)), Iso(renewal.PlusDays(7))]), "attempts on days 0, 1, 4 and 7");
        Expect((await InvoicesAsync(_people["Bob"], ct)).Count(i => Text(i, "documentState") == "closed") == 4, "one closed invoice per attempt");
        Expect((await AccessAsync(_people["Bob"], ct)).Count == 0, "Bob's access is revoked");
        Expect(await SaltoStateAsync("Bob", ct) == "suspended", "Bob's Salto seat is free");
        Expect((await BookingsAsync(_people["Bob"], ct)).Any(b => Text(b, "state") == "cancelled"), "Bob's future booking is cancelled");
        display.Fact($"{string.Join(", ", days)}: four closed invoices, then default membership, door closed, seat free, booking cancelled");
    }

    private async Task ReplacedCardAsync(CancellationToken ct)
    {
        display.Step(10, "Carol's card fails; she replaces it and is charged within the hour");
        LocalDate renewal = _start.PlusMonths(2);
        await AdvanceAsync(Midnight(renewal.PlusDays(-1)), ct);
        if (await NowAsync(ct) < Midnight(renewal))
        {
            await AttachAsync("Carol", "pm_card_chargeCustomerFail", "demo-carol-card", ct);
            await LoseAnswerAsync("Dan", ct);
        }

        // At midnight no retry has run yet whatever her slot is, so there is exactly one more attempt.
        Instant update = Midnight(renewal.PlusDays(1));
        await AdvanceAsync(update, ct);
        if (await NowAsync(ct) == update)
        {
            Expect(Text(await MembershipAsync("Carol", ct), "status") == "delinquent", "Carol is delinquent");
            await AttachAsync("Carol", "pm_card_visa", "demo-carol-new-card", ct);
        }

        await AdvanceAsync(update + Duration.FromMinutes(65), ct);
        JsonObject carol = await MembershipAsync("Carol", ct);
        Expect(Text(carol, "status") == "active" && Text(carol, "nextRenewalOn") == Iso(_start.PlusMonths(3)), "Carol is Active and her anchor has stayed");
        display.Fact("replaced at 00:00, charged by 01:00; the anchor day stays");
    }

    /// <summary>The next charge of a person reaches Stripe and its answer does not come back.</summary>
    private Task<JsonObject> LoseAnswerAsync(string name, CancellationToken ct) => client.PostAsync(
        string.Empty,
        "/local/faults",
        new JsonObject
        {
            ["target"] = "stripe",
            ["method"] = "POST",
            ["path"] = "/v1/payment_intents",
            ["kind"] = "timeoutAfterEffect",
            ["times"] = 1,
            ["match"] = _people[name].CustomerId,
        },
        "demo-fault",
        ct);

    private async Task UnansweredChargeAsync(CancellationToken ct)
    {
        display.Step(11, "Stripe did not answer Dan's renewal of that day: it was looked up, not charged again");
        JsonObject dan = await MembershipAsync("Dan", ct);
        Expect(Text(dan, "status") == "active" && Text(dan, "nextRenewalOn") == Iso(_start.PlusMonths(3)), "Dan's charge was found and counted");
        Expect((await InvoicesAsync(_people["Dan"], ct)).Count(i => Text(i, "kind") == "renewal" && Text(i, "settlement") == "paid") == 2, "each renewal of Dan's is paid once");
        await AdvanceAsync(Midnight(_start.PlusMonths(2).PlusDays(3)), ct);
        display.Fact("the ladder stood still until the outcome was known");
    }

    /// <summary>What a killed and restarted run must agree on with an undisturbed one.</summary>
    private async Task<JsonObject> FinalStateAsync(CancellationToken ct)
    {
        var state = new JsonObject();
        foreach (Person person in _people.Values)
        {
            JsonObject membership = await MembershipAsync(person.Name, ct);
            state[person.Name] = new JsonObject
            {
                ["status"] = (string)membership["status"]!,
                ["nextRenewalOn"] = (string?)membership["nextRenewalOn"],
                ["doors"] = (await AccessAsync(person, ct)).Count,
                ["bookings"] = new JsonArray([.. (await BookingsAsync(person, ct))
                    .Select(b => $"{b["start"]} {b["state"]} {b["accounting"]} {b["price"]!["amount"]} {b["creditMinutes"]} {b["passMinutes"]}")
                    .Order(StringComparer.Ordinal)
                    .Select(text => (JsonNode)text)]),
                ["invoices"] = new JsonArray([.. (await InvoicesAsync(person, ct))
                    .Select(i => $"{i["kind"]} {i["documentState"]} {i["settlement"]} {i["total"]!["amount"]} {i["issueDate"]}")
                    .Order(StringComparer.Ordinal)
                    .Select(text => (JsonNode)text)]),
            };
        }

        return state;
    }

    private async Task<Person> AddPersonAsync(string name, CancellationToken ct)
    {
        string email = $"{name.ToLowerInvariant()}@example.test";
        JsonObject customer = await CreateAsync("customers", "customer-" + name, new JsonObject { ["name"] = name + " Ltd", ["billingEmail"] = email }, ct);
        JsonObject member = await CreateAsync(
            "members",
            "member-" + name,
            new JsonObject { ["customerId"] = Id(customer), ["locationId"] = _location, ["email"] = email, ["firstName"] = name, ["lastName"] = "Example" },
            ct);
        var person = new Person(name, Id(customer), Id(member));
        _people[name] = person;
        await AttachAsync(name, "pm_card_visa", "demo-first-card-" + name, ct);
        return person;
    }

    private Task<JsonObject> CreatePlanAsync(
        string name,
        string price,
        bool isDefault,
        string? tax,
        JsonArray groups,
        CancellationToken ct,
        JsonArray? credits = null,
        JsonArray? passOffers = null) => CreateAsync(
        "plans",
        "plan-" + name.Replace(' ', '-'),
        new JsonObject
        {
            ["locationId"] = _location,
            ["name"] = name,
            ["kind"] = "recurring",
            ["intervalMonths"] = 1,
            ["price"] = Eur(price),
            ["taxRateId"] = tax,
            ["accessGroups"] = groups,
            ["isDefault"] = isDefault,
            ["isPublic"] = true,
            ["credits"] = credits,
            ["passOffers"] = passOffers,
        },
        ct);

    private Task<JsonObject> CreateRoomAsync(string name, CancellationToken ct) => CreateAsync(
        "resources",
        "room-" + name,
        new JsonObject { ["locationId"] = _location, ["name"] = name, ["kind"] = "meetingRoom", ["capacity"] = 6, ["rateId"] = _rate },
        ct);

    private Task<JsonObject> CreateAsync(string collection, string key, JsonObject body, CancellationToken ct) =>
        client.PostAsync(Staff, "/api/v1/" + collection, body, "demo-" + key, ct);

    private Task<JsonObject> AttachAsync(string name, string paymentMethod, string key, CancellationToken ct) => client.PostAsync(
        Staff, $"/api/v1/customers/{_people[name].CustomerId}/payment-methods", new JsonObject { ["paymentMethod"] = paymentMethod }, key, ct);

    private Task<(HttpStatusCode Status, JsonObject Answer)> BookAsync(
        string name, Instant start, Instant end, string key, CancellationToken ct, string? room = null) => client.SendAsync(
        _people[name].MemberId,
        HttpMethod.Post,
        "/api/v1/bookings",
        new JsonObject { ["resourceId"] = room ?? _room, ["start"] = TextOf(start), ["end"] = TextOf(end) },
        key,
        null,
        ct);

    private Task<JsonObject> MembershipAsync(string name, CancellationToken ct) =>
        client.GetAsync(Staff, $"/api/v1/memberships/{_people[name].MembershipId}", ct);

    private async Task<List<JsonObject>> InvoicesAsync(Person person, CancellationToken ct) =>
        [.. (await client.GetAsync(Staff, $"/api/v1/invoices?customerId={person.CustomerId}&limit=100", ct))["results"]!.AsArray().Select(i => i!.AsObject())];

    private async Task<List<JsonObject>> BookingsAsync(Person person, CancellationToken ct) =>
        [.. (await client.GetAsync(Staff, $"/api/v1/bookings?memberId={person.MemberId}&limit=100", ct))["results"]!.AsArray().Select(b => b!.AsObject())];

    private async Task<List<JsonObject>> BillRunInvoicesAsync(CancellationToken ct)
    {
        var found = new List<JsonObject>();
        foreach (Person person in _people.Values)
        {
            found.AddRange((await InvoicesAsync(person, ct)).Where(i => (string)i["kind"]! == "billRun"));
        }

        return found;
    }

    private async Task<List<string>> AccessAsync(Person person, CancellationToken ct) =>
        [.. (await client.GetAsync(Staff, $"/api/v1/members/{person.MemberId}/access", ct))["appliedGroups"]!.AsArray().Select(g => (string)g!)];

    private async Task<string?> SaltoStateAsync(string name, CancellationToken ct)
    {
        JsonObject users = await client.GetAsync(string.Empty, "/local/salto/control/users", ct);
        return (string?)users["users"]!.AsArray().Single(u => (string)u!["email"]! == $"{name.ToLowerInvariant()}@example.test")!["subscriptionState"];
    }

    private async Task<Instant> NowAsync(CancellationToken ct) =>
        InstantOf(await client.GetAsync(string.Empty, "/local/clock", ct), "now");

    private async Task AdvanceAsync(Instant to, CancellationToken ct)
    {
        if (await NowAsync(ct) < to)
        {
            await client.PostAsync(string.Empty, "/local/clock", new JsonObject { ["to"] = TextOf(to) }, "clock", ct);
        }

        display.Clock(to);
    }

    private Instant At(int days, int hour, int minute = 0) => _start.PlusDays(days).At(new LocalTime(hour, minute)).InZoneLeniently(Berlin).ToInstant();

    private static Instant Midnight(LocalDate date) => Berlin.AtStartOfDay(date).ToInstant();

    private static Instant InstantOf(JsonNode thing, string member) => InstantPattern.ExtendedIso.Parse((string)thing[member]!).Value;

    private static string TextOf(Instant instant) => InstantPattern.General.Format(instant);

    private static string Text(JsonNode thing, string member) => (string?)thing[member] ?? string.Empty;

    private void Expect(bool condition, string what)
    {
        if (!condition)
        {
            throw new DemoFailedException($"Expected: {what}.");
        }

        display.Held(what);
    }

    private static JsonObject Eur(string amount) => new() { ["amount"] = amount, ["currency"] = "eur" };

    private static string Id(JsonObject thing) => (string)thing["id"]!;

    private static string Iso(LocalDate date) => LocalDatePattern.Iso.Format(date);
}

/// <summary>Where the demo tells its story.</summary>
public interface IDemoDisplay
{
    void Step(int number, string title);

    void Fact(string text);

    void Held(string expectation);

    void Clock(Instant now);

    void Done();
}
