using System.Text.Json.Nodes;
using CsCheck;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class PreviewTests : IAsyncLifetime
{
    private const string Start = "2025-01-10T15:00:00Z";
    private const string End = "2025-01-10T16:30:00Z";

    private static readonly RequestContext Staff = RequestContext.For(new Caller(Role.Staff, "staff-1"));

    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "BKG-8"), Trait("Rule", "BPS-10")]
    public async Task A_preview_shows_price_taxes_and_what_is_left_to_the_member_and_to_staff()
    {
        TaxRateId tax = await _spaces.AddAsync<TaxRateId>("TaxRates_Create", new
        {
            name = "Quebec",
            components = new[] { new { name = "GST", percent = 5m }, new { name = "QST", percent = 9.975m } },
        });
        await SetRateAsync("12.00", tax);
        await GiveAsync(60);

        Answer seen = await PreviewAsync(Spaces.As(_spaces.Member));
        Answer shown = await PreviewAsync();

        Assert.Equal((200, "6.00", 60, 0), (seen.Status, Amount(seen, "price"), (int)seen.Json["creditMinutes"]!, (int)seen.Json["remaining"]!["creditMinutes"]!));
        Assert.Equal(["0.30", "0.60"], seen.Json["taxes"]!.AsArray().Select(t => (string?)t!["amount"]!["amount"]));
        Assert.Equal("6.90", Amount(seen, "total"));
        Assert.Equal(("2025-01-10T10:00:00", true, false, false), (
            (string?)seen.Json["localStart"], (bool)seen.Json["available"]!, (bool)seen.Json["approvalRequired"]!, (bool)seen.Json["paymentRequired"]!));
        Assert.Equal("2025-01-01T00:10:00Z", (string?)seen.Json["quoteExpiresAt"]);
        Assert.Equal(seen.Body, shown.Body);
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_preview_changes_nothing_and_costs_three_storage_calls()
    {
        await GiveAsync(30);
        await PreviewAsync();
        IReadOnlyList<TableRow> bookings = _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location));
        IReadOnlyList<TableRow> wallet = _spaces.Tables.Snapshot(WalletStore.Table, _spaces.Member.Value);

        using StorageCallScope calls = StorageCalls.Measure();
        Answer answer = await PreviewAsync();

        Assert.Equal((200, 3), (answer.Status, calls.Count));
        Assert.Equal(bookings, _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location)));
        Assert.Equal(wallet, _spaces.Tables.Snapshot(WalletStore.Table, _spaces.Member.Value));
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_taken_slot_is_told_of_with_what_is_in_the_way()
    {
        Answer booked = await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z");
        MemberId other = await _spaces.AddMemberAsync();

        Answer seen = await PreviewAsync(Spaces.As(other), other);
        Answer shown = await PreviewAsync();

        Assert.Equal((200, false), (seen.Status, (bool)seen.Json["available"]!));
        Assert.Equal(("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z"), ((string?)seen.Json["conflict"]!["start"], (string?)seen.Json["conflict"]!["end"]));
        Assert.DoesNotContain("bkg_", seen.Body, StringComparison.Ordinal);
        Assert.Equal((string?)booked.Json["id"], (string?)shown.Json["conflict"]!["bookingId"]);
    }

    [Fact]
    public async Task It_says_what_else_is_needed()
    {
        ResourceId room = await _spaces.AddRoomAsync("Hall", BookingTerms.None with { RequiresApproval = true });
        await _spaces.DowngradeAsync(await _spaces.StandingAsync());

        Answer seen = await PreviewAsync(Spaces.As(_spaces.Member), room: room);
        Answer shown = await PreviewAsync(room: room);

        Assert.Equal((true, true), ((bool)seen.Json["approvalRequired"]!, (bool)seen.Json["paymentRequired"]!));
        Assert.False((bool)shown.Json["approvalRequired"]!);
    }

    [Theory]
    [InlineData("2024-12-31T15:00:00Z", "2025-01-10T16:00:00Z", 422, ErrorCodes.InThePast)]
    [InlineData("2025-01-10T15:01:00Z", "2025-01-10T16:00:00Z", 422, ErrorCodes.TimeOffGrid)]
    [InlineData("2025-01-10T16:00:00Z", "2025-01-10T15:00:00Z", 422, ErrorCodes.EndBeforeStart)]
    [InlineData("2025-01-10T15:00:00Z", "2025-01-10T15:15:00Z", 422, ErrorCodes.BookingPolicy)]
    public async Task It_refuses_what_a_booking_would(string start, string end, int status, string code)
    {
        ResourceId room = await _spaces.AddRoomAsync("Hall", BookingTerms.None with { MinMinutes = 30 });

        Answer preview = await PreviewAsync(room: room, start: start, end: end);
        Answer booking = await _spaces.BookAsync(start, end, room: room);

        Assert.Equal((status, code), (preview.Status, preview.Code));
        Assert.Equal((status, code), (booking.Status, booking.Code));
    }

    [Fact, Trait("Rule", "BPS-7"), Trait("Rule", "BPS-10")]
    public async Task It_says_where_to_buy_passes_when_they_are_out()
    {
        ResourceId other = await _spaces.AddRoomAsync("Other");
        await SellPassesAsync();
        await GiveAsync(("passOffers", new[] { new { name = "Hour", hours = 1m, price = Spaces.Money("10.00"), resourceIds = new[] { _spaces.Room.Value } } }));

        Answer outOf = await PreviewAsync(Spaces.As(_spaces.Member));
        Answer blocked = await PreviewAsync(room: other);

        Assert.Equal((409, ErrorCodes.OutOfPasses), (outOf.Status, outOf.Code));
        Assert.Equal((0, 90), ((int)outOf.Json["minutesLeft"]!, (int)outOf.Json["minutesNeeded"]!));
        Assert.Equal(Wallet.PurchaseLink(_spaces.Member), (string?)outOf.Json["purchase"]);
        Assert.Equal((409, ErrorCodes.BookingRequiresPass), (blocked.Status, blocked.Code));
    }

    [Fact, Trait("Rule", "BPS-10")]
    public async Task Minutes_of_passes_are_shown_before_and_after()
    {
        await SellPassesAsync();
        await GiveAsync(("passOffers", new[] { new { name = "Hour", hours = 1m, price = Spaces.Money("10.00"), resourceIds = new[] { _spaces.Room.Value } } }));
        Answer assigned = await _spaces.SendAsync("BookingPasses_Assign", new { offer = "Hour", quantity = 2 }, id: _spaces.Member.Value);
        Assert.True(assigned.Status is 200 or 201, assigned.Body);

        Answer preview = await PreviewAsync();
        Answer booked = await BookAsync((string)preview.Json["quoteId"]!);

        Assert.Equal((90, 30, "0.00"), ((int)preview.Json["passMinutes"]!, (int)preview.Json["remaining"]!["passMinutes"]!, Amount(preview, "price")));
        Assert.Equal((201, 90), (booked.Status, (int)booked.Json["passMinutes"]!));
    }

    [Fact]
    public async Task Members_preview_for_themselves_only()
    {
        MemberId other = await _spaces.AddMemberAsync();

        Answer answer = await PreviewAsync(Spaces.As(other));

        Assert.Equal((404, ErrorCodes.NotFound), (answer.Status, answer.Code));
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_quote_books_at_its_price_until_ten_minutes_have_passed()
    {
        string quote = await QuoteAsync();
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(10));
        Answer inTime = await BookAsync(quote);
        string second = await QuoteAsync("2025-01-11T15:00:00Z", "2025-01-11T16:30:00Z");
        _spaces.App.Time.Advance(TimeSpan.FromSeconds(601));
        Answer late = await BookAsync(second, "2025-01-11T15:00:00Z", "2025-01-11T16:30:00Z");

        Assert.Equal(201, inTime.Status);
        Assert.Equal((409, ErrorCodes.QuoteStale), (late.Status, late.Code));
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_quote_is_stale_once_the_rate_has_changed()
    {
        string quote = await QuoteAsync();
        await SetRateAsync("12.01");

        Assert.Equal(ErrorCodes.QuoteStale, (await BookAsync(quote)).Code);
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_quote_is_stale_once_the_wallet_has_changed()
    {
        await GiveAsync(60);
        string quote = await QuoteAsync();
        await _spaces.BookAsync("2025-01-12T15:00:00Z", "2025-01-12T15:05:00Z");

        Assert.Equal(ErrorCodes.QuoteStale, (await BookAsync(quote)).Code);
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_quote_is_for_one_member_one_resource_and_one_time()
    {
        string quote = await QuoteAsync();
        MemberId other = await _spaces.AddMemberAsync();
        ResourceId room = await _spaces.AddRoomAsync("Other");

        Assert.Equal(ErrorCodes.QuoteStale, (await BookAsync(quote, member: other)).Code);
        Assert.Equal(ErrorCodes.QuoteStale, (await BookAsync(quote, "2025-01-10T16:00:00Z", "2025-01-10T17:30:00Z")).Code);
        Assert.Equal(ErrorCodes.QuoteStale, (await BookAsync(quote, room: room)).Code);
        Assert.Equal(201, (await BookAsync(quote)).Status);
    }

    [Theory, Trait("Rule", "BKG-8")]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("99999999999.AAAA")]
    [InlineData("-1.AAAA")]
    [InlineData("1.2.3")]
    public async Task A_quote_that_is_not_ours_is_stale(string quote) => Assert.Equal(ErrorCodes.QuoteStale, (await BookAsync(quote)).Code);

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_quote_with_another_time_to_live_is_stale()
    {
        string[] parts = (await QuoteAsync()).Split('.');
        string longer = $"{long.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture) + 1}.{parts[1]}";

        Assert.Equal(ErrorCodes.QuoteStale, (await BookAsync(longer)).Code);
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task While_the_key_is_rolled_quotes_of_either_key_are_taken_and_afterwards_only_of_the_new_one()
    {
        const string Old = "old key of at least thirty-two characters";
        const string New = "new key of at least thirty-two characters";
        Instant now = _spaces.Now;
        PricedWish priced = await PricedAsync();
        BookingQuotes before = new(new QuoteSettings { SigningKey = Old });
        BookingQuotes announced = new(new QuoteSettings { SigningKey = Old, SigningKeyNext = New });
        BookingQuotes during = new(new QuoteSettings { SigningKey = New, SigningKeyNext = Old });
        BookingQuotes after = new(new QuoteSettings { SigningKey = New });

        // Each step is made while instances of the step before still run, so neighbours take each other's quotes.
        Assert.Null(announced.Refuse(before.Issue(priced, now), priced, now));
        Assert.Null(before.Refuse(announced.Issue(priced, now), priced, now));
        Assert.Null(announced.Refuse(during.Issue(priced, now), priced, now));
        Assert.Null(during.Refuse(announced.Issue(priced, now), priced, now));
        Assert.Null(during.Refuse(before.Issue(priced, now), priced, now));
        Assert.Null(during.Refuse(after.Issue(priced, now), priced, now));
        Assert.Null(after.Refuse(during.Issue(priced, now), priced, now));
        Assert.NotNull(after.Refuse(before.Issue(priced, now), priced, now));
        Assert.NotNull(new BookingQuotes(new QuoteSettings()).Refuse(after.Issue(priced, now), priced, now));
    }

    /// <summary>Any rate, credits and time: what the preview says is what the booking costs and takes, and what is left afterwards.</summary>
    [Fact, Trait("Rule", "BKG-8")]
    public Task Preview_is_commit() =>
        Gen.Select(Gen.Long[0, 9999], Gen.OneOf(Gen.Const(0L), Gen.Long[1, 20000]), Gen.Int[0, 30], Gen.Int[0, 500], Gen.Int[0, 4000], Gen.Int[1, 200]).SampleAsync(
            async (hourly, daily, credits, amount, from, length) =>
            {
                using Spaces spaces = await Spaces.CreateAsync();
                await spaces.SendAsync(
                    "Rates_Edit",
                    new
                    {
                        name = "Rooms",
                        hourlyPrice = Price(hourly),
                        dailyPrice = daily == 0 ? null : Price(daily),
                        taxRateId = (string?)null,
                        locationIds = Array.Empty<string>(),
                    },
                    id: spaces.Rate.Value,
                    headers: ("If-Match", "*"));
                var given = new List<object>();
                if (credits > 0)
                {
                    given.Add(new { name = "Time", resourceIds = new[] { spaces.Room.Value }, minutes = credits * 7 });
                }

                if (amount > 0)
                {
                    given.Add(new { name = "Money", resourceIds = new[] { spaces.Room.Value }, amount = Price(amount) });
                }

                PlanId plan = await spaces.AddPlanAsync(("credits", given));
                await spaces.SetStandingAsync(spaces.Member, (await spaces.StandingAsync()) with { PlanId = plan, Version = 9 });
                Instant start = spaces.Now + Duration.FromMinutes(5 * from);
                var request = new CreateBookingRequest(spaces.Room, start, start + Duration.FromMinutes(5 * length), spaces.Member);

                BookingPreviewView preview = (await spaces.Get<PreviewBookingHandler>().HandleAsync(request, Staff, Spaces.Cancellation)).Value!;
                BookingView booked = (await spaces.Get<CreateBookingHandler>().HandleAsync(
                    request with { QuoteId = preview.QuoteId }, Staff, Spaces.Cancellation)).Value!;
                BookingPreviewView next = (await spaces.Get<PreviewBookingHandler>().HandleAsync(
                    request with { Start = request.Start, End = request.Start + Duration.FromMinutes(5) }, Staff, Spaces.Cancellation)).Value!;

                Assert.Equal(
                    (preview.Price, preview.RegularPrice, preview.Discount, preview.MoneyCredit, preview.CreditMinutes, preview.PassMinutes),
                    (booked.Price, booked.RegularPrice, booked.Discount, booked.MoneyCredit, booked.CreditMinutes, booked.PassMinutes));
                Assert.True(preview.Available);
                Assert.False(next.Available);
                bool sameCycle = hourly > 0 || daily > 0;
                Assert.Equal(sameCycle ? preview.Remaining.CreditMinutes : 0, next.Remaining.CreditMinutes + next.CreditMinutes);
                Assert.Equal(sameCycle ? preview.Remaining.MoneyCredit : next.MoneyCredit, next.Remaining.MoneyCredit + next.MoneyCredit);
            },
            iter: 60,
            threads: 1);

    private static object Price(long minor) => Spaces.Money(new Money(minor, Currency.Parse("usd")).ToDecimalString());

    private async Task<PricedWish> PricedAsync()
    {
        BookingWishes wishes = _spaces.Get<BookingWishes>();
        Instant start = Instant.FromUtc(2025, 1, 10, 15, 0);
        BookingWish wish = (await wishes.PrepareAsync(
            _spaces.Room, start, start + Duration.FromHours(1), _spaces.Member, Staff.Caller, Spaces.Cancellation)).Value;
        return (await wishes.PriceAsync(wish, Spaces.Cancellation)).Value;
    }

    private Task<Answer> PreviewAsync(
        string caller = "staff", MemberId? member = null, ResourceId? room = null, string start = Start, string end = End) =>
        _spaces.SendAsync("Bookings_Preview", _spaces.Wish(start, end, member, room), caller);

    private async Task<string> QuoteAsync(string start = Start, string end = End) => (string)(await PreviewAsync(start: start, end: end)).Json["quoteId"]!;

    private Task<Answer> BookAsync(string quoteId, string start = Start, string end = End, MemberId? member = null, ResourceId? room = null) =>
        _spaces.SendAsync("Bookings_Create", new
        {
            resourceId = (room ?? _spaces.Room).Value,
            start,
            end,
            memberId = (member ?? _spaces.Member).Value,
            quoteId,
        });

    private async Task SellPassesAsync()
    {
        JsonNode settings = (await _spaces.SendAsync("Operator_Get")).Json;
        settings["bookingPassesEnabled"] = true;
        settings.AsObject().Remove("version");
        settings.AsObject().Remove("accountStatus");
        Assert.Equal(200, (await _spaces.SendAsync("Operator_Edit", settings.ToJsonString(), headers: ("If-Match", "*"))).Status);
    }

    private Task GiveAsync(int minutes) =>
        GiveAsync(("credits", new[] { new { name = "Rooms", resourceIds = new[] { _spaces.Room.Value }, minutes } }));

    private async Task GiveAsync((string, object) terms)
    {
        PlanId plan = await _spaces.AddPlanAsync(terms);
        MembershipStanding standing = await _spaces.StandingAsync();
        await _spaces.SetStandingAsync(_spaces.Member, standing with { PlanId = plan, Version = standing.Version + 1 });
    }

    private Task<Answer> SetRateAsync(string hourly, TaxRateId? tax = null) => _spaces.SendAsync(
        "Rates_Edit",
        new { name = "Rooms", hourlyPrice = Spaces.Money(hourly), taxRateId = tax?.Value, locationIds = Array.Empty<string>() },
        id: _spaces.Rate.Value,
        headers: ("If-Match", "*"));

    private static string? Amount(Answer answer, string member) => (string?)answer.Json[member]!["amount"];
}
