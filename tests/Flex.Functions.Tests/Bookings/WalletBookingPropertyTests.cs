using System.Text.Json.Nodes;
using CsCheck;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Local.Audit;
using Flex.Members;
using Flex.Platform;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>
/// Random rates, terms, credits and passes, and what three members do with them over the days on which New York skips an hour: whatever
/// they do, wallets and charges add up, a preview is what is then booked, and cancelling everything leaves wallets as they were given.
/// </summary>
public sealed class WalletBookingPropertyTests
{
    private static readonly Instant Origin = Instant.FromUtc(2025, 3, 7, 5, 0);
    private static readonly Currency Usd = Currency.Parse("usd");

    /// <summary>Prices per hour, day, half day, week, month, weekend hour, weekend day and hour outside the opening hours; at least one.</summary>
    private static readonly Gen<RateRequest> Rates = Gen.Int[0, 40].Select(n => n < 12 ? (long?)null : n * 37).Array[8]
        .Where(p => p.Take(3).Any(x => x is not null))
        .Select(p => new RateRequest(
            "Rate", Price(p[0]), Price(p[1] * 4), Price(p[2] * 2), Price(p[3] * 20), Price(p[4] * 60), p[0] is null ? null : Price(p[5]), p[1] is null ? null : Price(p[6] * 4), p[0] is null ? null : Price(p[7]), null, []));

    private static readonly Gen<Entitlement> Entitlements = Gen.Select(
        Gen.Int[1, 7], Gen.Int[0, 400], Gen.Bool, Gen.Int[0, 1500].Select(n => n < 800 ? (long?)null : n), (rooms, amount, isMoney, perHour) =>
            new Entitlement(rooms, amount, isMoney, isMoney ? null : perHour));

    private static readonly Gen<Step> Steps = Gen.Select(
        Gen.Int[0, 9], Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[1, 4 * 96], Gen.OneOf(Gen.Int[1, 12], Gen.Int[1, 200]), Gen.Int[0, 30], (what, member, room, from, length, which) =>
            new Step(what, member, room, from, length, which));

    private static readonly Gen<Case> Cases = Gen.Select(
        Rates.Array[3], Gen.Int[0, 6].Array[6], Entitlements.Array[0, 3], Entitlements.Array[0, 2], Gen.Bool, Steps.Array[5, 30], (rates, buffers, credits, passes, enabled, steps) =>
            new Case(rates, buffers, credits, passes, enabled, steps));

    [Fact, Trait("Rule", "CRD-1"), Trait("Rule", "CRD-6"), Trait("Rule", "BPS-4"), Trait("Rule", "BKG-8")]
    public Task Whatever_is_booked_and_cancelled_minutes_and_money_are_conserved() => Cases.SampleAsync(PlayAsync, iter: 60, threads: 1);

    private static async Task PlayAsync(Case world)
    {
        using Spaces spaces = await Spaces.CreateAsync(isBare: true);
        spaces.SetTime(Origin);
        ResourceId[] rooms = await RoomsAsync(spaces, world);
        MemberId[] members = await MembersAsync(spaces, world, rooms);
        Dictionary<MemberId, string> given = [];
        foreach (MemberId member in members)
        {
            given[member] = await WalletAsync(spaces, member);
        }

        var booked = new List<BookingId>();
        foreach (Step step in world.Steps)
        {
            if (step.What < 3 && booked.Count > 0)
            {
                BookingId id = booked[step.Which % booked.Count];
                Answer cancelled = await spaces.CancelAsync(id, new { waive = true });
                Assert.True(cancelled.Status == 200, cancelled.Body);
                booked.Remove(id);
            }
            else if (await BookAsync(spaces, rooms[step.Room], members[step.Member], step) is { } id)
            {
                booked.Add(id);
            }

            await AssertSoundAsync(spaces, atRest: false);
        }

        await SettleAsync(spaces);
        await AssertSoundAsync(spaces, atRest: true);
        Booking[] standing = [.. await Task.WhenAll(booked.Select(spaces.ReadAsync))];
        Assert.Equal(standing.Sum(b => b.Price.Fee.Minor), standing.Sum(b => b.Charges.Where(c => c.CancelledAt is null).Sum(c => c.Net.Minor)));
        Assert.All(standing, b => Assert.Equal(b.Price.Regular, b.Price.Discount + b.Price.MoneyCredit + b.Price.Fee));

        foreach (BookingId id in booked)
        {
            await spaces.CancelAsync(id, new { bySpace = true });
        }

        await SettleAsync(spaces);
        await AssertSoundAsync(spaces, atRest: true);
        foreach (MemberId member in members)
        {
            Assert.Equal(given[member], await WalletAsync(spaces, member));
        }
    }

    /// <summary>Null when it is refused; then the preview of it is refused for the same reason, unless somebody else has the time.</summary>
    private static async Task<BookingId?> BookAsync(Spaces spaces, ResourceId room, MemberId member, Step step)
    {
        Instant start = Origin + Duration.FromMinutes(15 * step.From);
        object wish = spaces.Wish(start.ToString(), (start + Duration.FromMinutes(15 * step.Length)).ToString(), member, room);
        Answer preview = await spaces.SendAsync("Bookings_Preview", wish);
        Answer answer = await spaces.SendAsync("Bookings_Create", wish);
        if (answer.Status != 201)
        {
            Assert.True(answer.Status is 409, answer.Body);
            Assert.True(answer.Code == ErrorCodes.BookingConflict || answer.Code == preview.Code, $"{preview.Body} {answer.Body}");
            return null;
        }

        Assert.True(preview.Status == 200, preview.Body);
        BookingId id = EntityId.Parse<BookingId>((string)answer.Json["id"]!);
        BookingPrice price = (await spaces.ReadAsync(id)).Price;
        JsonNode shown = preview.Json;
        Assert.Equal(
            ((string?)answer.Json["price"]!["amount"], price.CreditMinutes, price.PassMinutes),
            ((string?)shown["price"]!["amount"], (int)shown["creditMinutes"]!, (int)shown["passMinutes"]!));
        return id;
    }

    private static async Task<ResourceId[]> RoomsAsync(Spaces spaces, Case world)
    {
        var rooms = new List<ResourceId>();
        for (int i = 0; i < world.Rates.Length; i++)
        {
            RateId rate = await spaces.AddAsync<RateId>("Rates_Create", world.Rates[i] with { Name = $"Rate {i}" });
            rooms.Add(await spaces.AddRoomAsync(
                BookingTerms.None with { BufferBeforeMinutes = 5 * world.Buffers[2 * i], BufferAfterMinutes = 5 * world.Buffers[(2 * i) + 1] }, rate));
        }

        return [.. rooms];
    }

    /// <summary>All on one plan with the credits; each is given the passes it offers, if it offers any and if there is a switch for that.</summary>
    private static async Task<MemberId[]> MembersAsync(Spaces spaces, Case world, ResourceId[] rooms)
    {
        if (world.PassesEnabled)
        {
            Answer settings = await spaces.SendAsync("Operator_Get");
            JsonObject changed = settings.Json.AsObject();
            changed["bookingPassesEnabled"] = true;
            changed.Remove("version");
            changed.Remove("accountStatus");
            Answer saved = await spaces.SendAsync("Operator_Edit", changed.ToJsonString(), headers: ("If-Match", "*"));
            Assert.True(saved.Status == 200, saved.Body);
        }

        PlanCredit[] credits = [.. world.Credits.Select((c, i) => new PlanCredit(
            $"Credit {i}", Of(rooms, c.Rooms), c.IsMoney ? null : c.Amount + 5, c.IsMoney ? new Money((c.Amount * 10) + 1, Usd) : null, Price(c.PerHour)))];
        PassOfferTerms[] offers = [.. world.Passes.Select((p, i) => new PassOfferTerms($"Pass {i}", 0.25m * (1 + (p.Amount % 40)), new Money(500, Usd), null, Of(rooms, p.Rooms)))];
        PlanId plan = await spaces.AddPlanAsync(("credits", credits), ("passOffers", offers));
        var members = new List<MemberId>();
        for (int i = 0; i < 3; i++)
        {
            MemberId member = await spaces.AddMemberAsync(status: null);
            await spaces.SetStandingAsync(member, spaces.NewStanding(MembershipStatus.Active) with { PlanId = plan, AnchorDate = new LocalDate(2025, 1, 9 + i) });
            foreach (PassOfferTerms offer in world.PassesEnabled ? offers : [])
            {
                Answer assigned = await spaces.SendAsync("BookingPasses_Assign", new { offer = offer.Name, quantity = 1 + i }, id: member.Value);
                Assert.True(assigned.Status == 201, assigned.Body);
            }

            members.Add(member);
        }

        return [.. members];
    }

    private static ResourceId[] Of(ResourceId[] rooms, int mask) => [.. rooms.Where((_, i) => (mask & (1 << i)) != 0)];

    /// <summary>What has been used and what is there, without when it was used last.</summary>
    private static async Task<string> WalletAsync(Spaces spaces, MemberId member)
    {
        Wallet wallet = (await spaces.Get<WalletStore>().ReadAsync(member, Spaces.Cancellation)).Wallet;
        return StorageJson.Write(wallet with { Passes = [.. wallet.Passes.Select(p => p with { LastStart = null })] });
    }

    private static async Task SettleAsync(Spaces spaces)
    {
        await spaces.DrainAsync(Queues.Bookings);
        await spaces.DrainAsync(Queues.Billing);
        await spaces.DrainAsync(Queues.Bookings);
    }

    private static async Task AssertSoundAsync(Spaces spaces, bool atRest) =>
        Assert.Empty((await new StoreAudit(spaces.Tables, null, null).RunAsync(spaces.Now, atRest, Spaces.Cancellation)).Findings);

    private static Money? Price(long? minor) => minor is { } known ? new Money(known, Usd) : null;

    /// <param name="Rooms">Bits of the rooms it is for.</param>
    /// <param name="Amount">Minutes, or tens of cents.</param>
    private sealed record Entitlement(int Rooms, int Amount, bool IsMoney, long? PerHour);

    private sealed record Step(int What, int Member, int Room, int From, int Length, int Which);

    private sealed record Case(RateRequest[] Rates, int[] Buffers, Entitlement[] Credits, Entitlement[] Passes, bool PassesEnabled, Step[] Steps);
}
