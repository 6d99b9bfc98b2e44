using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Flex.Catalogue;
using Flex.Exports;
using Flex.Local.Runtime.Testing;
using Flex.Platform.Blobs;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using Flex.Platform.Resilience;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>
/// A coworking space in which Ada and Ben belong to Acme and Cleo to herself; everyone has one of everything. It is 2 January 2025, a
/// minute past midnight in Berlin, and time stands. Tests of refusals share one, because what is refused changes nothing.
/// </summary>
public sealed class Premises : IAsyncLifetime
{
    /// <summary>The right form of an id behind its prefix; nothing has it.</summary>
    private const string Zeros = "00000000000000000000000000";

    private static readonly Instant Began = Instant.FromUtc(2025, 1, 1, 17, 0);
    private static readonly Instant Stands = Instant.FromUtc(2025, 1, 1, 23, 1);
    private static readonly Instant FirstSlot = Instant.FromUtc(2025, 2, 3, 6, 0);

    private readonly Issuers _issuers = new();

    /// <summary>The clock of the wire: no timeout strikes, and callers are patient: between two requests a minute passes.</summary>
    private readonly FakeTimeProvider _network = new();

    private FlexWorld? _world;
    private HttpClient? _http;
    private int _keys;
    private int _slots;
    private int _seriesHours;

    internal FlexWorld World => _world!;

    internal FunctionCatalog Catalog => World.Get<FunctionCatalog>();

    internal Person Ada { get; private set; } = null!;

    internal Person Ben { get; private set; } = null!;

    internal Person Cleo { get; private set; } = null!;

    internal Person[] People => [Ada, Ben, Cleo];

    internal string Location { get; private set; } = string.Empty;

    internal string Tax { get; private set; } = string.Empty;

    internal string Rate { get; private set; } = string.Empty;

    internal string Plan { get; private set; } = string.Empty;

    /// <summary>A plan that is not public.</summary>
    internal string HiddenPlan { get; private set; } = string.Empty;

    internal string Room { get; private set; } = string.Empty;

    /// <summary>A resource that is not published.</summary>
    internal string HiddenRoom { get; private set; } = string.Empty;

    /// <summary>A resource that needs approval.</summary>
    internal string GuardedRoom { get; private set; } = string.Empty;

    /// <summary>A resource for visitors too.</summary>
    internal string Hall { get; private set; } = string.Empty;

    /// <summary>Where the recurring bookings are.</summary>
    internal string Studio { get; private set; } = string.Empty;

    /// <summary>A resource that Ada and Cleo may book.</summary>
    internal string Club { get; private set; } = string.Empty;

    internal string BillRun { get; private set; } = string.Empty;

    /// <summary>The export of the night in which time stands.</summary>
    internal static string Export => ExportArchive.NightOf(Stands);

    /// <summary>A member id that nobody has.</summary>
    internal static string Nobody => "mbr_" + Zeros;

    internal IReadOnlyList<Client> Clients { get; private set; } = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>An id of the same kind and home that nothing has.</summary>
    internal static string NothingLike(string id) =>
        id.IndexOf('_', StringComparison.Ordinal) is 3 and int at ? id[..(at + 1)] + Zeros + id[(at + 1 + Zeros.Length)..] : "nothing";

    /// <summary>An id of another kind that something has.</summary>
    internal string OtherKindThan(string id) => id.StartsWith("loc_", StringComparison.Ordinal) ? Ada.Member : Location;

    public async ValueTask InitializeAsync()
    {
        _world = await FlexWorld.StartAsync(new FlexWorldOptions
        {
            Start = Began,
            Services = services => _issuers.Install(services).AddKeyedSingleton<TimeProvider>(NetworkTime.Key, _network),
            Settings = _issuers.Settings,
        });
        _http = World.Anonymous();
        await MakeCatalogueAsync();
        await GiveUpMessagesAsync();
        string acme = await MakeCustomerAsync("Acme");
        Ada = await JoinAsync(new Person("Ada", acme));
        Ben = await JoinAsync(new Person("Ben", acme));
        Cleo = await JoinAsync(new Person("Cleo", await MakeCustomerAsync("Solo")));
        JsonObject someOnly = Bodies.Terms().With("allowedMemberIds", new JsonArray(Ada.Member, Cleo.Member));
        Club = await MakeAsync("resources", Bodies.Resource(this, "Club", someOnly));
        foreach (Person person in People)
        {
            await FurnishAsync(person);
        }

        await World.AdvanceToAsync(Stands);
        foreach (Person person in People)
        {
            await ComeInAsync(person);
        }

        await World.Get<NightlyExport>().RunAsync(Cancel);
        Clients = MakeClients();
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        _issuers.Dispose();
        if (_world is not null)
        {
            await _world.DisposeAsync();
        }
    }

    internal string TokenOf(Role role, string? member = null) => _issuers.Main.Token(role, member, World.Now, Duration.FromDays(1));

    internal string TokenOf(Person person) => TokenOf(Role.Member, person.Member);

    /// <summary>A fresh Idempotency-Key.</summary>
    internal string NextKey() => string.Create(CultureInfo.InvariantCulture, $"key-{++_keys}");

    /// <summary>An hour that nobody has booked anywhere.</summary>
    internal JsonObject NextSlot()
    {
        Instant start = FirstSlot + Duration.FromHours(_slots++);
        return new JsonObject { ["start"] = Text(start), ["end"] = Text(start + Duration.FromHours(1)) };
    }

    /// <summary>An hour of the day at which no series is; after 24 series the first one's again.</summary>
    internal int NextSeriesHour() => _seriesHours++ % 24;

    /// <summary>Commits, whatever became of them, calls to others, and mails: so much was tried.</summary>
    internal string Tried => string.Create(CultureInfo.InvariantCulture, $"{World.Crash.Steps} steps, {World.Mail.Mails.Count} mails");

    /// <summary>Every row with its version, messages among them, and what was tried.</summary>
    internal async Task<string> StateAsync()
    {
        var text = new StringBuilder();
        foreach (string table in (await World.Tables.TablesAsync(Cancel)).Order(StringComparer.Ordinal))
        {
            await foreach (TableRow row in World.Tables.ScanAsync(table, Cancel))
            {
                text.Append(table).Append(' ').Append(row.Partition).Append(' ').Append(row.Key).Append(' ').AppendLine(row.ETag);
            }
        }

        return text.Append(Tried).ToString();
    }

    internal Task<bool> HasPictureAsync(string name) => World.Get<IBlobStore>().ExistsAsync(PictureHandler.Container, name, Cancel);

    /// <summary>Sends a request as it is.</summary>
    internal async Task<Seen> SendAsync(HttpRequestMessage request)
    {
        _network.Advance(TimeSpan.FromMinutes(1));
        using HttpResponseMessage response = await _http!.SendAsync(request, Cancel);
        return await Seen.OfAsync(response, Cancel);
    }

    internal async Task<Seen> SendAsync(string? token, HttpMethod method, string path, JsonNode? body = null, string? key = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        }

        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return await SendAsync(request);
    }

    private static string Text(Instant instant) => InstantPattern.General.Format(instant);

    private async Task MakeCatalogueAsync()
    {
        await DoAsync(TokenOf(Role.Owner), "settings/operator/activate", null);
        Location = await MakeAsync("locations", Bodies.Location());
        Tax = await MakeAsync("tax-rates", Bodies.Tax());
        Rate = await MakeAsync("rates", Bodies.Rate(this));
        Room = await MakeAsync("resources", Bodies.Resource(this, "Aquarium"));
        HiddenRoom = await MakeAsync("resources", Bodies.Resource(this, "Cellar").With("isPublished", false));
        GuardedRoom = await MakeAsync("resources", Bodies.Resource(this, "Stage", Bodies.Terms().With("requiresApproval", true)));
        Hall = await MakeAsync("resources", Bodies.Resource(this, "Hall", Bodies.Terms().With("audience", "everyone")));
        Studio = await MakeAsync("resources", Bodies.Resource(this, "Studio"));
        Plan = await MakeAsync("plans", Bodies.Plan(this, "Resident"));
        HiddenPlan = await MakeAsync("plans", Bodies.Plan(this, "Friends").With("isPublic", false));
        await MakeAsync("plans", Bodies.Plan(this, "Community").With("isDefault", true).With("price", Bodies.Money("0.00")));
        await OkAsync(TokenOf(Role.Staff), HttpMethod.Put, "settings/operator", Bodies.Operator());
        foreach (string thing in new[] { "resources/" + Room, "resources/" + HiddenRoom, "plans/" + Plan, "plans/" + HiddenPlan })
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/v1/{thing}/image") { Content = PictureBody.Content("kept") };
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + TokenOf(Role.Staff));
            request.Headers.TryAddWithoutValidation("If-Match", "*");
            Seen set = await SendAsync(request);
            Assert.True(set.Status == 200, set.Text);
        }
    }

    /// <summary>Messages that nobody handles end as dead letters, one for each of those who replay them.</summary>
    private async Task GiveUpMessagesAsync()
    {
        foreach (string name in new[] { "Ada", "Ben", "Cleo" })
        {
            await World.Get<IMessagePublisher>().PublishAsync(Queues.Billing, new Envelope("poison-" + name, "parcel.lost.v1", "{}", null), null, Cancel);
        }

        await World.AdvanceAsync(Duration.FromHours(3));
    }

    private async Task<string> MakeCustomerAsync(string name)
    {
        string customer = await MakeAsync("customers", Bodies.Customer(name));
        await DoAsync(TokenOf(Role.Staff), $"customers/{customer}/payment-methods", new() { ["paymentMethod"] = "pm_card_visa" });
        return customer;
    }

    private async Task<Person> JoinAsync(Person person)
    {
        person.Member = await MakeAsync("members", Bodies.Member(this, person));
        person.Membership = await MakeAsync("memberships/sign-up", new() { ["planId"] = Plan }, person);
        await World.AdvanceAsync(Duration.FromMinutes(1));
        return person;
    }

    /// <summary>What does not run out.</summary>
    private async Task FurnishAsync(Person person)
    {
        foreach (string function in new[] { "Bookings_Get", "Bookings_PreviewChange", "Bookings_Change", "Bookings_Cancel", "CreditNotes_List" })
        {
            person.Bookings[function] = await MakeAsync("bookings", Bodies.Booking(this, Room), person);
        }

        foreach (string function in new[] { "Bookings_Approve", "Bookings_Reject" })
        {
            person.Bookings[function] = await MakeAsync("bookings", Bodies.Booking(this, GuardedRoom), person);
        }

        foreach (string function in new[] { "RecurringBookings_Get", "RecurringBookings_Update", "RecurringBookings_Cancel" })
        {
            person.Series[function] = await MakeAsync("recurring-bookings", Bodies.Series(this), person);
        }

        await SkipADayAsync(person);
        await RepeatForLongAsync(person);
        BillRun = await MakeAsync("bill-runs", new() { ["customerId"] = person.Customer });
        await World.AdvanceAsync(Duration.FromMinutes(5));
        JsonNode invoices = await OkAsync(TokenOf(Role.Staff), HttpMethod.Get, $"invoices?customerId={person.Customer}&limit=1");
        Assert.Equal("unpaid", (string?)invoices["results"]![0]!["settlement"]);
        person.Invoice = (string)invoices["results"]![0]!["id"]!;
        await DoAsync(TokenOf(person), $"bookings/{person.Bookings["CreditNotes_List"]}/cancel", []);

        JsonNode passes = await DoAsync(TokenOf(Role.Staff), $"members/{person.Member}/booking-passes", new() { ["offer"] = "Hour", ["quantity"] = 1 });
        person.BookingPass = (string)passes["passes"]![0]!["id"]!;
        person.Grant = await MakeAsync($"members/{person.Member}/credit-grants", Bodies.Credit(this));
        person.DayPass = await MakeAsync($"members/{person.Member}/day-passes", Bodies.DayPasses(this));
        await MakeAsync($"members/{person.Member}/day-passes", Bodies.DayPasses(this));
        string path = (string)(await DoAsync(TokenOf(person), $"members/{person.Member}/calendar-feed", null))["path"]!;
        person.Feed = path.Split('/')[^1];
    }

    /// <summary>A series whose second day was taken when it was booked, and is free again.</summary>
    private async Task SkipADayAsync(Person person)
    {
        JsonObject series = Bodies.Series(this, "2025-02-03", "FREQ=WEEKLY;COUNT=3");
        JsonObject taken = new() { ["resourceId"] = Studio, ["start"] = AWeekLater("localStart"), ["end"] = AWeekLater("localEnd") };
        string booking = await MakeAsync("bookings", taken, person);
        person.Series["RecurringBookings_Include"] = await MakeAsync("recurring-bookings", series, person);
        await DoAsync(TokenOf(person), $"bookings/{booking}/cancel", []);

        string AWeekLater(string time) => ((string)series[time]!).Replace("2025-02-03", "2025-02-10", StringComparison.Ordinal) + "+01:00";
    }

    /// <summary>A series of so many days that its booking is an operation of its own.</summary>
    private async Task RepeatForLongAsync(Person person)
    {
        JsonNode accepted = await DoAsync(TokenOf(person), "recurring-bookings", Bodies.Series(this, "2025-08-01", "FREQ=DAILY;COUNT=101"));
        person.Operation = (string)accepted["series"]!["operationId"]!;
    }

    /// <summary>What runs out within minutes.</summary>
    private async Task ComeInAsync(Person person)
    {
        Duration step = Duration.FromMinutes(5);
        Instant start = Stands + Duration.FromMinutes(4) + (step * Array.IndexOf(People, person));
        var slot = new JsonObject { ["resourceId"] = Room, ["start"] = Text(start), ["end"] = Text(start + step) };
        person.Bookings["Bookings_CheckIn"] = await MakeAsync("bookings", slot, person);
        person.Bookings["Bookings_Pay"] = await MakeAsync("bookings", Bodies.Booking(this, Room).With("hold", true), person);
        person.CheckIn = await MakeAsync("check-ins", new() { ["locationId"] = Location }, person);
        JsonNode days = await OkAsync(TokenOf(person), HttpMethod.Get, $"recurring-bookings/{person.Series["RecurringBookings_Get"]}/occurrences");
        person.Bookings["Bookings_Account"] = (string)days["results"]!.AsArray().Single(o => (string?)o!["date"] == "2025-03-02")!["booking"]!["id"]!;
    }

    private Client[] MakeClients() =>
    [
        new("nobody", null, null),
        new("a token of no form", "garbage", null),
        new("a token that has run out", _issuers.Main.Token(Role.Owner, null, World.Now - Duration.FromDays(2), Duration.FromDays(1)), null),
        new("a token of an unknown issuer", _issuers.Unknown.Token(Role.Owner, null, World.Now, Duration.FromDays(1)), null),
        new("an owner by an issuer of members", _issuers.OfMembers.Token(Role.Owner, null, World.Now, Duration.FromDays(1)), null) { IsKnown = true },
        new("staff by an issuer of members", _issuers.OfMembers.Token(Role.Staff, null, World.Now, Duration.FromDays(1)), null) { IsKnown = true },
        new("a member without an id", TokenOf(Role.Member), null) { IsKnown = true },
        new("a member who does not exist", TokenOf(Role.Member, Nobody[..^1] + "1"), Role.Member),
        .. People.Select(p => new Client(p.Name, TokenOf(p), Role.Member) { Person = p }),
        new("Ada by an issuer of members", _issuers.OfMembers.Token(Role.Member, Ada.Member, World.Now, Duration.FromDays(1)), Role.Member) { Person = Ada },
        new("staff", TokenOf(Role.Staff), Role.Staff),
        new("an owner", TokenOf(Role.Owner), Role.Owner),
    ];

    /// <returns>The id of what was made.</returns>
    private async Task<string> MakeAsync(string path, JsonObject body, Person? by = null) =>
        (string)(await DoAsync(by is null ? TokenOf(Role.Staff) : TokenOf(by), path, body))["id"]!;

    private Task<JsonNode> DoAsync(string token, string path, JsonObject? body) => OkAsync(token, HttpMethod.Post, path, body);

    private async Task<JsonNode> OkAsync(string token, HttpMethod method, string path, JsonNode? body = null)
    {
        Seen seen = await SendAsync(token, method, "/api/v1/" + path, body, NextKey(), method == HttpMethod.Put ? "*" : null);
        Assert.True(seen.IsSuccess, $"{method} {path}: {seen.Text}");
        return JsonNode.Parse(seen.Body)!;
    }
}

[CollectionDefinition(nameof(Premises))]
public sealed class PremisesCollection : ICollectionFixture<Premises>;
