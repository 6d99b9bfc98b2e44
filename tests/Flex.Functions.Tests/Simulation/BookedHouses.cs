using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Flex.Catalogue;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Memberships;
using Flex.Platform.Http;
using Flex.Settings;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Functions.Tests.Simulation;

/// <summary>
/// An operator with two houses in two time zones, a few days before one of them changes its clocks: resources of every kind, with and
/// without buffers, approval, check-in and notice, at hourly, daily, mixed and no prices; members on plans with credits in hours and in
/// money, booking passes, both and neither. Setting it up takes longer than a story, so stories begin on a copy of its tables.
/// </summary>
/// <param name="Offers">Names of the passes that plans offer.</param>
internal sealed record BookedHouses(
    MemoryTableStore Tables, Instant Opened, string TimeZone, IReadOnlyList<string> Resources, IReadOnlyList<SimulatedMember> Members, IReadOnlyList<string> Offers)
{
    private static readonly (string First, string Second, Instant Opened)[] Places =
    [
        ("Europe/Berlin", "America/New_York", Instant.FromUtc(2025, 3, 27, 6, 0)),
        ("America/New_York", "Asia/Kolkata", Instant.FromUtc(2025, 10, 30, 6, 0)),
        ("Australia/Lord_Howe", "Europe/Berlin", Instant.FromUtc(2025, 10, 2, 6, 0)),
    ];

    private static readonly ConcurrentDictionary<(int Place, bool IsLarge), Lazy<Task<BookedHouses>>> Known = new();

    private static readonly Currency Usd = Currency.Parse("usd");

    /// <summary>Six resources and a dozen members, who are much in each other's way; for every 25th seed 30 and 200.</summary>
    public static Task<BookedHouses> OfAsync(int seed) => Known
        .GetOrAdd((seed % Places.Length, seed % 25 == 0), key => new Lazy<Task<BookedHouses>>(() => SetUpAsync(key.Place, key.IsLarge)))
        .Value;

    /// <summary>A world of its own on a copy of the houses.</summary>
    public async Task<SimulatedOperator> OpenAsync(int seed, Action<IServiceCollection>? services = null)
    {
        var dice = new Dice(seed, "houses");
        SimulatedOperator opened = await SimulatedOperator.StartAsync(seed, Opened + Duration.FromMinutes(5 * dice.Between(0, 100)), dice, Tables, services);
        opened.TimeZone = TimeZone;
        return opened;
    }

    private static async Task<BookedHouses> SetUpAsync(int place, bool isLarge)
    {
        (string first, string second, Instant opened) = Places[place];
        Instant start = opened - Duration.FromHours(2);
        await using SimulatedOperator house = await SimulatedOperator.StartAsync(-1 - place, start, new Dice(place, "houses"), null, null);
        house.TimeZone = first;
        await OpenAsync(house);
        string[] locations = [await LocationAsync(house, "First", first), await LocationAsync(house, "Second", second)];
        string[] resources = await ResourcesAsync(house, locations, isLarge ? 30 : 6);
        string[] plans = await PlansAsync(house, locations, resources);
        IReadOnlyList<SimulatedMember> members = await MembersAsync(house, locations, plans, isLarge ? 200 : 12);
        await house.AdvanceAsync(opened - house.World.Now);
        return new BookedHouses(house.World.Tables.Clone(), opened, first, resources, members, ["Hour", "Half day"]);
    }

    private static async Task OpenAsync(SimulatedOperator house)
    {
        await house.OkAsync("owner", HttpMethod.Post, "/api/v1/settings/operator/activate", [], "activate");
        JsonObject settings = await house.OkAsync("staff", HttpMethod.Get, "/api/v1/settings/operator");
        long version = (long)settings["version"]!;
        settings.Remove("version");
        settings.Remove("accountStatus");
        settings["name"] = "Houses";
        settings["automaticCollection"] = true;
        settings["bookingPassesEnabled"] = true;
        await house.OkAsync("staff", HttpMethod.Put, "/api/v1/settings/operator", settings, null, version);
    }

    private static Task<string> LocationAsync(SimulatedOperator house, string name, string timeZone) =>
        house.CreateAsync("locations", new JsonObject { ["name"] = name, ["timeZone"] = timeZone, ["currency"] = "usd" });

    private static async Task<string[]> ResourcesAsync(SimulatedOperator house, string[] locations, int count)
    {
        string tax = await house.CreateAsync(
            "tax-rates", new JsonObject { ["name"] = "VAT", ["components"] = new JsonArray(new JsonObject { ["name"] = "VAT", ["percent"] = 19 }) });
        RateRequest none = new(string.Empty, null, null, null, null, null, null, null, null, EntityId.Parse<TaxRateId>(tax), []);
        RateRequest[] rates =
        [
            none with { Name = "Hourly", HourlyPrice = Price(1200) },
            none with { Name = "Odd", HourlyPrice = Price(1001), DailyPrice = Price(4505), WeekendHourlyPrice = Price(1333), OutsideHoursHourlyPrice = Price(777) },
            none with { Name = "Daily", DailyPrice = Price(4000), WeekendDailyPrice = Price(5001), WeekPrice = Price(15000), MonthPrice = Price(40000) },
            none with { Name = "Half days", HalfDayPrice = Price(2500), HourlyPrice = Price(900), TaxRateId = null },
            none with { Name = "Free", HourlyPrice = Price(0) },
        ];
        var made = new List<string>();
        foreach (RateRequest rate in rates)
        {
            made.Add(await house.CreateAsync("rates", Json(rate)));
        }

        var resources = new List<string>();
        ResourceKind[] kinds = Enum.GetValues<ResourceKind>();
        for (int i = 0; i < count; i++)
        {
            // Every third resource of a kind of terms: the rates, whose number has no divisor with it, go round all of them.
            BookingTerms terms = (i % 6) switch
            {
                1 => BookingTerms.None with { BufferBeforeMinutes = 10, BufferAfterMinutes = 15, CancellationNoticeMinutes = 60 },
                2 => BookingTerms.None with { CheckInGraceMinutes = 15, CancellationNoticeMinutes = 1440 },
                3 => BookingTerms.None with { RequiresApproval = true, ApprovalDeadlineMinutes = 30, BufferAfterMinutes = 30 },
                5 => BookingTerms.None with { OnlyWithinOpeningHours = true, MinMinutes = 30, MaxMinutes = 600, Audience = BookingAudience.Everyone },
                _ => BookingTerms.None,
            };
            resources.Add(await house.CreateAsync("resources", Json(new ResourceRequest(
                EntityId.Parse<LocationId>(locations[i % 2]),
                string.Create(CultureInfo.InvariantCulture, $"Room {i}"),
                kinds[i % kinds.Length],
                4,
                EntityId.Parse<RateId>(made[i * 3 % made.Count]),
                IsPublished: true,
                terms))));
        }

        return [.. resources];
    }

    /// <summary>Of either house: no credits, two credits in hours for overlapping rooms, one in money, passes, and everything at once.</summary>
    private static async Task<string[]> PlansAsync(SimulatedOperator house, string[] locations, string[] resources)
    {
        ResourceId[] all = [.. resources.Select(EntityId.Parse<ResourceId>)];
        ResourceId[] few = [.. all.Take(all.Length / 2)];
        var small = new PlanCredit("Small", few, 150, null, null);
        var wide = new PlanCredit("All", all, 300, null, Price(800));
        var money = new PlanCredit("Budget", all, null, Price(5000), null);
        PassOfferTerms[] offers = [new("Hour", 1, Price(1000), null, few), new("Half day", 4, Price(3000), null, [.. all.Skip(all.Length / 3)])];
        var plans = new List<string>();
        foreach (string location in locations)
        {
            PlanRequest plain = new(
                EntityId.Parse<LocationId>(location), "Plain", PlanKind.Recurring, 1, Price(10000), null, [], IsDefault: false, IsPublic: true, [], [], null);
            string suffix = " of " + location;
            await house.CreateAsync("plans", Json(plain with { Name = "Community" + suffix, Price = Price(0), IsDefault = true, Credits = [small with { Minutes = 30 }] }));
            foreach (PlanRequest plan in (PlanRequest[])
            [
                plain,
                plain with { Name = "Hours", Credits = [wide, small] },
                plain with { Name = "Money", Credits = [money, small with { PricePerHour = Price(650) }] },
                plain with { Name = "Passes", PassOffers = offers },
                plain with { Name = "Both", Credits = [small, money], PassOffers = [offers[0]] },
            ])
            {
                plans.Add(await house.CreateAsync("plans", Json(plan with { Name = plan.Name + suffix })));
            }
        }

        return [.. plans];
    }

    /// <summary>Customers of four members each; cycles begin on different days of the month.</summary>
    private static async Task<IReadOnlyList<SimulatedMember>> MembersAsync(SimulatedOperator house, string[] locations, string[] plans, int count)
    {
        var members = new List<SimulatedMember>();
        string customer = string.Empty;
        for (int i = 0; i < count; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"M{i}");
            string email = name.ToLowerInvariant() + "@example.test";
            customer = i % 4 == 0 ? await house.CreateAsync("customers", new JsonObject { ["name"] = name + " Ltd", ["billingEmail"] = email }) : customer;
            string member = await house.CreateAsync("members", new JsonObject
            {
                ["customerId"] = customer,
                ["locationId"] = locations[i % 2],
                ["email"] = email,
                ["firstName"] = name,
                ["lastName"] = "Example",
            });
            var made = new SimulatedMember(name, email, customer, member);
            int plan = ((i % 2) * (plans.Length / 2)) + (i / 2 % (plans.Length / 2));
            JsonObject membership = await house.OkAsync(
                "staff",
                HttpMethod.Post,
                "/api/v1/memberships",
                Json(new AssignMembershipRequest(
                    EntityId.Parse<MemberId>(member), EntityId.Parse<PlanId>(plans[plan]), house.Calendar.DateOf(house.World.Now).PlusDays(18 + (i % 10)))),
                "assign-" + name);
            made.Memberships.Add((string)membership["id"]!);
            members.Add(made);
        }

        return members;
    }

    private static Money Price(long minor) => new(minor, Usd);

    private static JsonObject Json<T>(T request) => JsonNode.Parse(HttpJson.Write(request))!.AsObject();
}
