using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Members;
using Flex.Memberships;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>Bookings that draw on credits and booking passes, through the triggers.</summary>
public sealed class WalletBookingTests : IAsyncLifetime
{
    private Spaces _spaces = null!;
    private string _self = null!;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        _self = Spaces.As(_spaces.Member);
        JsonNode settings = (await _spaces.SendAsync("Operator_Get")).Json;
        settings["bookingPassesEnabled"] = true;
        settings.AsObject().Remove("version");
        settings.AsObject().Remove("accountStatus");
        Assert.Equal(200, (await _spaces.SendAsync("Operator_Edit", settings.ToJsonString(), headers: ("If-Match", "*"))).Status);
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "CRD-1"), Trait("Rule", "CRD-6")]
    public async Task Ninety_minutes_with_sixty_of_credit_at_12_an_hour_cost_6_and_leave_none()
    {
        await GiveAsync(Credit(60));

        Answer booked = await BookAsync("10:00", "11:30");

        Assert.Equal((201, "6.00", 60, 0), Cost(booked));
        Assert.Equal((0, 0), await LeftAsync());
    }

    [Fact, Trait("Rule", "BPS-5")]
    public async Task Without_a_price_on_the_credit_it_pays_first_and_a_pass_the_rest()
    {
        await GiveAsync(Credit(60), passes: 1);

        Answer booked = await BookAsync("10:00", "12:00");

        Assert.Equal((201, "0.00", 60, 60), Cost(booked));
        Assert.Equal((0, 0), await LeftAsync());
    }

    [Fact, Trait("Rule", "BPS-6")]
    public async Task With_a_price_on_the_credit_only_passes_count_and_a_refusal_leaves_everything_as_it_was()
    {
        await GiveAsync(Credit(60, "5.00"), passes: 1);

        Answer refused = await BookAsync("10:00", "12:00");

        Assert.Equal((409, ErrorCodes.OutOfPasses), (refused.Status, refused.Code));
        Assert.Equal((60, 60), await LeftAsync());
        Assert.Equal((201, "0.00", 0, 60), Cost(await BookAsync("10:00", "11:00")));
    }

    [Fact, Trait("Rule", "BPS-7"), Trait("Rule", "CRD-8")]
    public async Task A_plan_with_passes_blocks_a_room_with_neither_unless_it_costs_nothing()
    {
        ResourceId paid = await _spaces.AddRoomAsync(BookingTerms.None, await _spaces.AddRateAsync("10.00"));
        ResourceId free = await _spaces.AddRoomAsync(BookingTerms.None, await _spaces.AddRateAsync("0.00"));
        await GiveAsync(passes: 1);

        Answer refused = await BookAsync("10:00", "11:00", paid);

        Assert.Equal((409, ErrorCodes.BookingRequiresPass), (refused.Status, refused.Code));
        Assert.Equal((201, "0.00", 0, 0), Cost(await BookAsync("10:00", "11:00", free)));
    }

    [Fact, Trait("Rule", "BPS-4"), Trait("Rule", "BKG-3")]
    public async Task A_pass_of_an_hour_is_six_times_ten_minutes_and_seven_minutes_are_off_the_grid()
    {
        await GiveAsync(passes: 1);
        var answers = new List<(int, string?)>();

        for (int hour = 10; hour < 17; hour++)
        {
            Answer answer = await BookAsync($"{hour}:00", $"{hour}:10");
            answers.Add((answer.Status, answer.Status == 201 ? null : answer.Code));
        }

        Assert.Equal([.. Enumerable.Repeat((201, (string?)null), 6), (409, ErrorCodes.OutOfPasses)], answers);
        Answer odd = await BookAsync("18:00", "18:07");
        Assert.Equal((422, ErrorCodes.TimeOffGrid), (odd.Status, odd.Code));
    }

    [Fact, Trait("Rule", "CRD-4"), Trait("Rule", "CRD-5")]
    public async Task From_an_anchor_of_the_31st_the_27th_of_February_ends_a_cycle_and_the_28th_begins_one()
    {
        await GiveAsync(Credit(600), anchor: new LocalDate(2025, 1, 31));

        Answer across = await _spaces.BookAsync("2025-02-28T04:00:00Z", "2025-02-28T07:00:00Z", _self);
        Answer rest = await _spaces.BookAsync("2025-02-27T14:00:00Z", "2025-02-27T22:00:00Z", _self);
        Answer next = await _spaces.BookAsync("2025-02-28T14:00:00Z", "2025-02-28T15:00:00Z", _self);

        Assert.Equal((201, "0.00", 180, 0), Cost(across));
        Assert.Equal((201, "12.00", 420, 0), Cost(rest));
        Assert.Equal((201, "0.00", 60, 0), Cost(next));
    }

    [Fact, Trait("Rule", "CRD-4"), Trait("Rule", "CRD-5")]
    public async Task What_a_booking_of_February_returns_in_March_is_of_no_use_in_March()
    {
        await GiveAsync(Credit(600), anchor: new LocalDate(2025, 1, 31));
        Answer february = await _spaces.BookAsync("2025-02-27T14:00:00Z", "2025-02-28T00:00:00Z", _self);
        _spaces.SetTime(Instant.FromUtc(2025, 3, 1, 12, 0));

        await _spaces.CancelAsync(IdOf(february), new { bySpace = true });

        Assert.Equal((201, "12.00", 600, 0), Cost(await _spaces.BookAsync("2025-03-10T13:00:00Z", "2025-03-11T00:00:00Z", _self)));
    }

    [Fact, Trait("Rule", "BPS-11"), Trait("Rule", "BKG-5")]
    public async Task Inside_the_notice_a_booking_on_a_pass_cannot_be_cancelled_and_the_pass_is_not_returned()
    {
        await _spaces.SetTermsAsync(_spaces.Room, BookingTerms.None with { CancellationNoticeMinutes = 24 * 60 });
        await GiveAsync(passes: 1);
        BookingId id = IdOf(await BookAsync("10:00", "11:00"));
        _spaces.SetTime(Instant.FromUtc(2025, 1, 9, 10, 1));

        Answer byMember = await _spaces.CancelAsync(id, caller: _self);
        Answer byStaff = await _spaces.CancelAsync(id, new { waive = false });

        Assert.Equal((409, ErrorCodes.CancellationNotice), (byMember.Status, byMember.Code));
        Assert.Equal("lateCancelled", (string?)byStaff.Json["state"]);
        Assert.Equal((0, 0), await LeftAsync());
    }

    [Fact, Trait("Rule", "BPS-8"), Trait("Rule", "MEM-13")]
    public async Task Passes_outlive_a_downgrade_and_credits_do_not()
    {
        await GiveAsync(Credit(60), passes: 1);
        await _spaces.DowngradeAsync(await _spaces.StandingAsync());

        Answer covered = await BookAsync("10:00", "11:00");
        Answer more = await BookAsync("12:00", "13:00");

        Assert.Equal((201, "0.00", 0, 60), Cost(covered));
        Assert.Equal((409, ErrorCodes.PaymentRequired), (more.Status, more.Code));
    }

    [Fact]
    public async Task It_costs_at_most_seven_storage_calls()
    {
        await GiveAsync(Credit(60));
        await BookAsync("08:00", "08:30");

        using StorageCallScope calls = StorageCalls.Measure();
        Answer booked = await _spaces.BookAsync("2025-01-10T09:00:00Z", "2025-01-10T10:00:00Z", _self, key: "k");

        Assert.Equal((201, "6.00", 30, 0), Cost(booked));
        Assert.InRange(calls.Count, 1, 7);
    }

    private object Credit(int minutes, string? pricePerHour = null) => new
    {
        name = "Rooms",
        resourceIds = new[] { _spaces.Room.Value },
        minutes,
        pricePerHour = pricePerHour is null ? null : Spaces.Money(pricePerHour),
    };

    /// <summary>The member's plan has this credit from today and, with passes, offers passes of an hour; staff give some of them.</summary>
    private async Task GiveAsync(object? credit = null, int passes = 0, LocalDate? anchor = null)
    {
        var terms = new List<(string, object)> { ("credits", credit is null ? Array.Empty<object>() : [credit]) };
        if (passes > 0)
        {
            terms.Add(("passOffers", new[] { new { name = "Hour", hours = 1, price = Spaces.Money("10.00"), resourceIds = new[] { _spaces.Room.Value } } }));
        }

        MembershipStanding standing = await _spaces.StandingAsync();
        await _spaces.SetStandingAsync(_spaces.Member, standing with
        {
            PlanId = await _spaces.AddPlanAsync([.. terms]),
            AnchorDate = anchor ?? new LocalDate(2024, 12, 31),
            Version = standing.Version + 1,
        });
        if (passes > 0)
        {
            Answer given = await _spaces.SendAsync("BookingPasses_Assign", new { offer = "Hour", quantity = passes }, id: _spaces.Member.Value);
            Assert.True(given.Status == 201, given.Body);
        }
    }

    /// <summary>On 10 January 2025, times in UTC.</summary>
    private Task<Answer> BookAsync(string start, string end, ResourceId? room = null) =>
        _spaces.BookAsync($"2025-01-10T{start}:00Z", $"2025-01-10T{end}:00Z", _self, room: room);

    private async Task<(int Credit, int Passes)> LeftAsync()
    {
        JsonNode wallet = (await _spaces.SendAsync("Wallet_Get", caller: _self, id: _spaces.Member.Value)).Json;
        return ((int?)wallet["credits"]!.AsArray().FirstOrDefault()?["leftMinutes"] ?? 0, (int)wallet["passMinutesLeft"]!);
    }

    private static (int Status, string? Price, int Credit, int Passes) Cost(Answer booked)
    {
        Assert.True(booked.Status == 201, booked.Body);
        JsonNode b = booked.Json;
        return (booked.Status, (string?)b["price"]!["amount"], (int)b["creditMinutes"]!, (int)b["passMinutes"]!);
    }

    private static BookingId IdOf(Answer answer) => EntityId.Parse<BookingId>((string)answer.Json["id"]!);
}
