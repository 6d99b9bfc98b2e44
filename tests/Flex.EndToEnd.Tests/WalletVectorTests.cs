using System.Net;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Xunit;

namespace Flex.EndToEnd.Tests;

/// <summary>Credits and booking passes, over HTTP: what a booking takes of them and what is left to pay.</summary>
public sealed class WalletVectorTests(Space space) : IClassFixture<Space>, IAsyncLifetime
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await space.Client.EditAsync(
        "staff",
        "/api/v1/settings/operator",
        settings =>
        {
            settings.Remove("accountStatus");
            settings["bookingPassesEnabled"] = true;
        },
        Cancel);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact, Trait("Rule", "CRD-1"), Trait("Rule", "CRD-6")]
    public async Task Ninety_minutes_with_sixty_of_credit_at_12_an_hour_cost_6_and_leave_none()
    {
        string room = await space.RoomAsync("12.00");
        Resident ann = await space.MemberAsync(Vectors.CreditOf(60, null, room));

        BookingAnswer booked = await space.BookAsync(ann.Member, room, "2025-01-20T10:00:00Z", "2025-01-20T11:30:00Z");

        Assert.Equal((HttpStatusCode.Created, ("6.00", 60, 0)), (booked.Status, booked.Cost));
        Assert.Equal((0, 0), await LeftAsync(ann));
    }

    [Fact, Trait("Rule", "BPS-5")]
    public async Task Without_a_price_on_the_credit_it_pays_first_and_a_pass_the_rest()
    {
        string room = await space.RoomAsync();
        Resident ann = await space.MemberAsync(Vectors.CreditOf(60, null, room), Vectors.OfferOf(space, room), passes: 1);

        BookingAnswer booked = await space.BookAsync(ann.Member, room, "2025-01-20T10:00:00Z", "2025-01-20T12:00:00Z");

        Assert.Equal((HttpStatusCode.Created, ("0.00", 60, 60)), (booked.Status, booked.Cost));
        Assert.Equal((0, 0), await LeftAsync(ann));
    }

    [Fact, Trait("Rule", "BPS-6"), Trait("Rule", "BPS-10")]
    public async Task With_a_price_on_the_credit_only_passes_count_and_too_few_of_them_are_409_with_the_credit_untouched()
    {
        string room = await space.RoomAsync();
        Resident ann = await space.MemberAsync(Vectors.CreditOf(60, "5.00", room), Vectors.OfferOf(space, room), passes: 1);

        BookingAnswer refused = await space.BookAsync(ann.Member, room, "2025-01-20T10:00:00Z", "2025-01-20T12:00:00Z");

        Assert.Equal((HttpStatusCode.Conflict, "out_of_passes"), (refused.Status, refused.Code));
        Assert.Equal((60, 120), ((int)refused.Json["minutesLeft"]!, (int)refused.Json["minutesNeeded"]!));
        Assert.Equal((60, 60), await LeftAsync(ann));
        Assert.Equal(HttpStatusCode.Created, (await space.BookAsync(ann.Member, room, "2025-01-20T10:00:00Z", "2025-01-20T11:00:00Z")).Status);
    }

    [Fact, Trait("Rule", "BPS-7"), Trait("Rule", "CRD-8")]
    public async Task A_plan_with_passes_blocks_a_room_with_neither_unless_it_costs_nothing()
    {
        (string paid, string free) = (await space.RoomAsync("10.00"), await space.RoomAsync("0.00"));
        Resident ann = await space.MemberAsync(offer: Vectors.OfferOf(space, await space.RoomAsync()));

        BookingAnswer refused = await space.BookAsync(ann.Member, paid, "2025-01-20T10:00:00Z", "2025-01-20T11:00:00Z");
        BookingAnswer booked = await space.BookAsync(ann.Member, free, "2025-01-20T10:00:00Z", "2025-01-20T11:00:00Z");

        Assert.Equal((HttpStatusCode.Conflict, "booking_requires_pass"), (refused.Status, refused.Code));
        Assert.Equal((HttpStatusCode.Created, ("0.00", 0, 0)), (booked.Status, booked.Cost));
    }

    [Fact, Trait("Rule", "BPS-4"), Trait("Rule", "BKG-3")]
    public async Task A_pass_of_an_hour_is_six_times_ten_minutes_and_seven_minutes_are_off_the_grid()
    {
        string room = await space.RoomAsync();
        Resident ann = await space.MemberAsync(offer: Vectors.OfferOf(space, room), passes: 1);
        var answers = new List<(HttpStatusCode, string?)>();

        for (int i = 0; i < 7; i++)
        {
            BookingAnswer answer = await space.BookAsync(ann.Member, room, $"2025-01-20T1{i}:00:00Z", $"2025-01-20T1{i}:10:00Z");
            answers.Add((answer.Status, answer.Code));
        }

        BookingAnswer odd = await space.BookAsync(ann.Member, room, "2025-01-20T18:00:00Z", "2025-01-20T18:07:00Z");
        Assert.Equal([.. Enumerable.Repeat((HttpStatusCode.Created, (string?)null), 6), (HttpStatusCode.Conflict, "out_of_passes")], answers);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "time_off_grid"), (odd.Status, odd.Code));
    }

    [Fact, Trait("Rule", "CRD-1"), Trait("Rule", "CRD-6")]
    public async Task Twenty_bookings_at_once_spend_five_hours_of_credit_once()
    {
        string[] rooms = [await space.RoomAsync(), await space.RoomAsync(), await space.RoomAsync(), await space.RoomAsync()];
        Resident ann = await space.MemberAsync(Vectors.CreditOf(300, null, rooms));

        BookingAnswer[] booked = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            space.BookAsync(ann.Member, rooms[i % 4], $"2025-01-20T1{i / 4}:00:00Z", $"2025-01-20T1{(i / 4) + 1}:00:00Z")));

        Assert.All(booked, b => Assert.Equal(HttpStatusCode.Created, b.Status));
        Assert.Equal(300, booked.Sum(b => b.Cost.Credit));
        Assert.Equal((5, 15), (booked.Count(b => b.Cost.Price == "0.00"), booked.Count(b => b.Cost.Price == "12.00")));
        Assert.Equal((0, 0), await LeftAsync(ann));
    }

    [Fact, Trait("Rule", "CRD-4"), Trait("Rule", "CRD-5")]
    public async Task From_an_anchor_of_the_31st_the_27th_of_February_ends_a_cycle_and_the_28th_begins_one()
    {
        string room = await space.RoomAsync();
        Resident ann = await space.MemberAsync(Vectors.CreditOf(600, null, room), renewalOn: "2025-01-31");

        BookingAnswer across = await space.BookAsync(ann.Member, room, "2025-02-27T22:00:00Z", "2025-02-28T01:00:00Z");
        BookingAnswer rest = await space.BookAsync(ann.Member, room, "2025-02-27T08:00:00Z", "2025-02-27T16:00:00Z");
        BookingAnswer next = await space.BookAsync(ann.Member, room, "2025-02-28T08:00:00Z", "2025-02-28T09:00:00Z");

        Assert.Equal(("0.00", 180, 0), across.Cost);
        Assert.Equal(("12.00", 420, 0), rest.Cost);
        Assert.Equal(("0.00", 60, 0), next.Cost);
    }

    [Fact, Trait("Rule", "BPS-2"), Trait("Rule", "BPS-3")]
    public async Task Bought_passes_are_on_an_invoice_that_is_already_paid_and_shows_no_payment()
    {
        string room = await space.RoomAsync();
        Resident ann = await space.MemberAsync(offer: Vectors.OfferOf(space, room));

        JsonObject bought = await space.PostAsync(ann.Member, $"members/{ann.Member}/booking-passes/purchases", Bodies.Passes(2));

        JsonObject invoice = await space.GetAsync(ann.Member, $"invoices/{bought["invoiceId"]}");
        Assert.Equal(("paid", true, "23.80"), ((string?)invoice["settlement"], (bool)invoice["alreadyPaid"]!, (string?)invoice["total"]!["amount"]));
        Assert.Empty(invoice["payments"]!.AsArray());
        Assert.Equal(120, (await LeftAsync(ann)).Passes);
    }

    /// <summary>Minutes left of this cycle's credits and of the passes.</summary>
    private async Task<(int Credit, int Passes)> LeftAsync(Resident who)
    {
        JsonObject wallet = await space.GetAsync(who.Member, $"members/{who.Member}/wallet");
        return ((int?)wallet["credits"]!.AsArray().FirstOrDefault()?["leftMinutes"] ?? 0, (int)wallet["passMinutesLeft"]!);
    }
}
