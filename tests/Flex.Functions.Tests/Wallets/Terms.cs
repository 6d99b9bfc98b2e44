using System.Globalization;
using Flex.Catalogue;
using Flex.Kernel;
using Flex.Members;
using Flex.Settings;
using Flex.Wallets;
using NodaTime;

namespace Flex.Functions.Tests.Wallets;

/// <summary>Members, plans and times for tests of wallets: New York, US dollars, a room at 12.00 an hour unless a test says otherwise.</summary>
internal static class Terms
{
    public const string Home = "000000";

    public static ResourceId Room { get; } = EntityId.Derive<ResourceId>("room");

    public static ResourceId OtherRoom { get; } = EntityId.Derive<ResourceId>("other room");

    public static SiteCalendar NewYork { get; } = new("America/New_York");

    public static Member Ann { get; } = new(
        EntityId.Derive<MemberId>("ann"),
        EntityId.Derive<CustomerId>("acme"),
        EntityId.Derive<LocationId>("main"),
        "ann@acme.example",
        "Ann",
        "Lee",
        [],
        1);

    /// <summary>A member with one active membership, anchored on the first of January.</summary>
    public static MemberTerms Of(IReadOnlyList<PlanCredit> credits, params PassOffer[] offers) => Of(Membership(1, credits, offers));

    public static MemberTerms Of(params MembershipTerms[] memberships) => new(Ann, memberships);

    public static MemberTerms None { get; } = new(Ann, []);

    public static MembershipTerms Membership(
        int number, IReadOnlyList<PlanCredit> credits, IReadOnlyList<PassOffer> offers, LocalDate? anchor = null, bool isDefault = false, Instant? endsAt = null)
    {
        PlanId plan = EntityId.Derive<PlanId>(string.Create(CultureInfo.InvariantCulture, $"plan {number}"));
        return new MembershipTerms(
            new MembershipStanding(
                EntityId.Derive<MembershipId>(string.Create(CultureInfo.InvariantCulture, $"membership {number}"), Home),
                Ann.LocationId,
                plan,
                1,
                "Resident",
                isDefault,
                MembershipStatus.Active,
                anchor ?? new LocalDate(2025, 1, 1),
                endsAt,
                1),
            new Plan(plan, Ann.LocationId, "Resident", PlanKind.Recurring, 1, Rates.Usd(10000), null, [], isDefault, true, 1)
            {
                Credits = credits,
                PassOffers = offers,
            },
            NewYork);
    }

    public static PlanCredit Minutes(int minutes, long? pricePerHour = null, string name = "Meeting rooms", params ResourceId[] resources) =>
        new(name, resources.Length == 0 ? [Room] : resources, minutes, null, pricePerHour is { } price ? Rates.Usd(price) : null);

    public static PlanCredit Amount(long minor, string name = "Budget", params ResourceId[] resources) =>
        new(name, resources.Length == 0 ? [Room] : resources, null, Rates.Usd(minor), null);

    public static PassOffer Offer(int minutes = 60, string name = "Hour", params ResourceId[] resources) =>
        new(name, minutes, Rates.Usd(1000), null, resources.Length == 0 ? [Room] : resources);

    public static BookingPass Pass(int number, int minutes, int used = 0, params ResourceId[] resources) => new(
        EntityId.Derive<BookingPassId>(string.Create(CultureInfo.InvariantCulture, $"pass {number}")),
        "Hour",
        minutes,
        used,
        resources.Length == 0 ? [Room] : resources,
        null,
        null,
        Instant.FromUtc(2025, 1, 1, 0, 0) + Duration.FromMinutes(number),
        null,
        null);

    public static Wallet With(params BookingPass[] passes) => Wallet.Empty with { Passes = passes };

    /// <summary>A time on New York's clock, e.g. <c>2025-01-10T10:00</c>.</summary>
    public static Instant At(string local) =>
        NewYork.At(NodaTime.Text.LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm").Parse(local).Value);

    public static RatedTime Time(string start, string end, Rate? rate = null) =>
        new(rate ?? Rates.Hourly(1200), new Interval(At(start), At(end)), NewYork, OpeningHours.Usual);

    /// <summary>That many minutes from ten o'clock on 10 January 2025.</summary>
    public static RatedTime Time(int minutes, Rate? rate = null)
    {
        Instant start = At("2025-01-10T10:00");
        return new(rate ?? Rates.Hourly(1200), new Interval(start, start + Duration.FromMinutes(minutes)), NewYork, OpeningHours.Usual);
    }

    public static Result<BookingPrice> Price(this MemberTerms terms, RatedTime time, Wallet? wallet = null, bool passesEnabled = true) =>
        PriceResolution.Resolve(time, (wallet ?? Wallet.Empty).AllowanceFor(terms, Room, time.Time.Start, passesEnabled));
}
