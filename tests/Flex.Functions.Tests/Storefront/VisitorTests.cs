using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Payments;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Storefront;

[Trait("Rule", "BKG-15")]
public sealed class VisitorTests : IAsyncLifetime
{
    private const string Start = "2025-01-10T15:00:00Z";
    private const string End = "2025-01-10T16:00:00Z";

    private readonly FakeBilling _billing = new();
    private readonly FakeGateway _gateway = new();
    private Spaces _spaces = null!;
    private ResourceId _hall;

    public async ValueTask InitializeAsync()
    {
        _spaces = await NewSpacesAsync(_billing, _gateway);
        _hall = await _spaces.AddRoomAsync("Hall", BookingTerms.None with { Audience = BookingAudience.Everyone });
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_visitor_books_pays_and_becomes_a_contact()
    {
        Answer answer = await BookAsync();

        Assert.Equal((201, "confirmed", "12.00", "12.00"), (
            answer.Status, (string?)answer.Json["state"], (string?)answer.Json["price"]!["amount"], (string?)answer.Json["total"]!["amount"]));
        Booking booking = await _spaces.FindAsync(answer);
        Member visitor = (await _spaces.Get<MemberStore>().FindAsync(booking.MemberId, Spaces.Cancellation))!;
        Customer payer = (await _spaces.Get<CustomerStore>().FindAsync(booking.CustomerId, Spaces.Cancellation))!;
        Assert.Equal((MemberStatus.Contact, _spaces.Location, "zoe@example.test"), (MemberStanding.StatusOf(visitor.Standing), visitor.LocationId, visitor.Email));
        Assert.Equal(("Zoe Doe", "pm_card_visa", visitor.CustomerId), (payer.Name, payer.PaymentMethod!.Id, payer.Id));
        Assert.Equal((BookingAccounting.Paid, false), (booking.Accounting, booking.OnMembership));
        Assert.Equal(payer.Id, Assert.Single(_billing.Charges).CustomerId);
        Assert.DoesNotContain("mbr_", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("cus_", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_gets_at_an_existing_account_with_its_address()
    {
        Member ann = (await _spaces.Get<MemberStore>().FindAsync(_spaces.Member, Spaces.Cancellation))!;

        Answer answer = await BookAsync(email: ann.Email);

        Booking booking = await _spaces.FindAsync(answer);
        Assert.NotEqual(ann.Id, booking.MemberId);
        Assert.NotEqual(ann.CustomerId, booking.CustomerId);
        Assert.Equal(ann, (await _spaces.Get<MemberStore>().FindAsync(ann.Id, Spaces.Cancellation))! with { Standing = ann.Standing });
    }

    [Fact]
    public async Task The_same_key_books_once_and_with_another_body_not_at_all()
    {
        Answer first = await BookAsync();
        Answer again = await BookAsync();
        Answer other = await BookAsync(email: "yan@example.test");

        Assert.Equal((201, first.Body), (again.Status, again.Body));
        Assert.Equal((422, ErrorCodes.IdempotencyKeyReuse), Codes(other));
        Assert.Single(_billing.Charges);
        Assert.Equal(2, (await _spaces.Get<MemberStore>().PageAsync(null, 10, Spaces.Cancellation)).Count);
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_declined_card_gives_the_slot_up_at_once()
    {
        _billing.Script.Enqueue(ChargeState.Failed);

        Answer declined = await BookAsync();
        Answer again = await BookAsync();
        Answer next = await BookAsync("another");

        Assert.Equal((402, ErrorCodes.PaymentFailed, "card_declined"), (declined.Status, declined.Code, (string?)declined.Json["declineCode"]));
        Assert.Equal(402, again.Status);
        Assert.Equal(201, next.Status);
        Assert.Equal(1, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _hall));
    }

    [Fact]
    public async Task A_card_that_cannot_be_kept_holds_nothing()
    {
        _gateway.Attach = _ => new Error(ErrorKind.PaymentFailed, ErrorCodes.PaymentFailed, "Declined.");

        Answer answer = await BookAsync();

        Assert.Equal((402, ErrorCodes.PaymentFailed), Codes(answer));
        Assert.Empty(_spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location)));
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_bank_that_takes_its_time_keeps_the_slot()
    {
        _billing.Script.Enqueue(ChargeState.Processing);

        Answer held = await BookAsync();
        Answer again = await BookAsync();
        await _spaces.DeliverAsync(Queues.Bookings, FakeBilling.News(_billing.Charges[0], ChargeState.Succeeded));
        Answer later = await BookAsync();

        Assert.Equal((201, "held"), (held.Status, (string?)held.Json["state"]));
        Assert.Equal((201, "held"), (again.Status, (string?)again.Json["state"]));
        Assert.Equal((201, "confirmed"), (later.Status, (string?)later.Json["state"]));
    }

    [Fact]
    public async Task Only_what_is_for_everyone_and_needs_no_approval_is_offered()
    {
        ResourceId approved = await _spaces.AddRoomAsync("Stage", BookingTerms.None with { Audience = BookingAudience.Everyone, RequiresApproval = true });
        ResourceId some = await _spaces.AddRoomAsync(
            "Club", BookingTerms.None with { Audience = BookingAudience.Everyone, AllowedMemberIds = [_spaces.Member] });

        foreach (ResourceId room in new[] { _spaces.Room, approved, some })
        {
            Assert.Equal((409, ErrorCodes.ResourceNotAllowed), Codes(await BookAsync(room: room)));
            Assert.Equal((409, ErrorCodes.ResourceNotAllowed), Codes(await PreviewAsync(room)));
        }

        Assert.Equal((422, ErrorCodes.UnknownReference), Codes(await BookAsync(room: EntityId.Derive<ResourceId>("none"))));
        Assert.Single(await _spaces.Get<MemberStore>().PageAsync(null, 10, Spaces.Cancellation));
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task A_taken_slot_is_a_conflict_and_leaves_no_trace()
    {
        await _spaces.BookAsync(Start, End, room: _hall);

        Answer answer = await BookAsync();

        Assert.Equal((409, ErrorCodes.BookingConflict), Codes(answer));
        Assert.Null(answer.Json["conflict"]!["bookingId"]);
        Assert.Single(await _spaces.Get<MemberStore>().PageAsync(null, 10, Spaces.Cancellation));
    }

    [Fact]
    public async Task Without_a_gateway_nothing_is_sold()
    {
        _gateway.IsConnected = false;

        Assert.Equal((409, ErrorCodes.GatewayNotConnected), Codes(await BookAsync()));
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task The_price_of_a_preview_is_kept_or_refused()
    {
        Answer preview = await PreviewAsync(_hall);
        string quote = (string)preview.Json["quoteId"]!;
        await SetRateAsync("13.00");
        Answer stale = await BookAsync("first", quote: quote);
        await SetRateAsync("12.00");
        Answer booked = await BookAsync("second", quote: quote);

        Assert.Equal((200, true, "12.00", "12.00"), (
            preview.Status, (bool)preview.Json["available"]!, (string?)preview.Json["price"]!["amount"], (string?)preview.Json["total"]!["amount"]));
        Assert.Equal((409, ErrorCodes.QuoteStale), Codes(stale));
        Assert.Equal(201, booked.Status);
        Assert.False((bool)(await PreviewAsync(_hall)).Json["available"]!);
    }

    [Theory]
    [InlineData("firstName", "")]
    [InlineData("lastName", "a\nb")]
    [InlineData("email", "zoe")]
    [InlineData("paymentMethodId", "card_1")]
    public async Task Bad_values_are_refused(string member, string value)
    {
        JsonObject body = Body();
        body[member] = value;

        Answer answer = await SendAsync("k", body);

        Assert.Equal((422, ErrorCodes.InvalidValue, "/" + member), (answer.Status, answer.Code, answer.Pointer));
    }

    [Fact]
    public async Task Long_names_and_a_missing_key_are_refused()
    {
        JsonObject body = Body();
        body["firstName"] = new string('n', 101);

        Assert.Equal((422, ErrorCodes.InvalidValue), Codes(await SendAsync("k", body)));
        Assert.Equal((400, ErrorCodes.IdempotencyKeyRequired), Codes(await _spaces.SendAsync("Storefront_Book", Body().ToJsonString(), "none")));
    }

    /// <summary>Whatever write is the first to fail, the same request in the end makes one visitor, one booking and one charge.</summary>
    [Fact]
    public async Task A_crash_anywhere_is_gone_on_with_by_the_same_request()
    {
        for (int crash = 0; ; crash++)
        {
            var billing = new FakeBilling();
            using Spaces spaces = await NewSpacesAsync(billing, new FakeGateway());
            ResourceId hall = await spaces.AddRoomAsync("Hall", BookingTerms.None with { Audience = BookingAudience.Everyone });
            string body = Body(hall).ToJsonString();
            int commits = 0;
            spaces.Tables.BeforeCommit = _ => commits++ == crash ? throw new TransientFaultException("away") : Task.CompletedTask;
            Answer first = await spaces.SendAsync("Storefront_Book", body, "none", headers: ("Idempotency-Key", "k"));
            spaces.Tables.BeforeCommit = null;

            Answer booked = await spaces.SendAsync("Storefront_Book", body, "none", headers: ("Idempotency-Key", "k"));

            Assert.True(booked.Status == 201, $"{crash}: {booked.Body}");
            Assert.Single(billing.Charges);
            Assert.Equal(1, BookingInvariants.Check(spaces.Tables, spaces.Location, hall));
            Assert.Equal(2, (await spaces.Get<MemberStore>().PageAsync(null, 10, Spaces.Cancellation)).Count);
            if (first.Status == 201)
            {
                Assert.Equal(6, crash);
                return;
            }
        }
    }

    /// <summary>The same request twice at a time, and two visitors for one slot.</summary>
    [Fact]
    public async Task Requests_at_the_same_time_book_once()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => BookAsync($"key-{i / 2}"))));

        Assert.InRange(answers.Count(a => a.Status == 201), 1, 2);
        Assert.All(answers, a => Assert.True(a.Status is 201 or 409 or 503, a.Body));
        Assert.Single(_billing.Charges);
        Assert.Equal(1, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _hall));
    }

    private static Task<Spaces> NewSpacesAsync(FakeBilling billing, FakeGateway gateway) => Spaces.CreateAsync(
        replace: s => s.AddSingleton<IImmediateBilling>(billing).AddSingleton<IPaymentGateway>(gateway));

    private JsonObject Body(string email = "zoe@example.test", ResourceId? room = null, string? quote = null)
    {
        JsonObject body = Body(room ?? _hall);
        body["email"] = email;
        if (quote is not null)
        {
            body["quoteId"] = quote;
        }

        return body;
    }

    private static JsonObject Body(ResourceId room) => new()
    {
        ["resourceId"] = room.Value,
        ["start"] = Start,
        ["end"] = End,
        ["firstName"] = "Zoe",
        ["lastName"] = "Doe",
        ["email"] = "zoe@example.test",
        ["paymentMethodId"] = "pm_card_visa",
    };

    private Task<Answer> BookAsync(string key = "k", string email = "zoe@example.test", ResourceId? room = null, string? quote = null) =>
        SendAsync(key, Body(email, room, quote));

    private Task<Answer> SendAsync(string key, JsonObject body) =>
        _spaces.SendAsync("Storefront_Book", body.ToJsonString(), "none", headers: ("Idempotency-Key", key));

    private Task<Answer> PreviewAsync(ResourceId room) =>
        _spaces.SendAsync("Storefront_Preview", new { resourceId = room.Value, start = Start, end = End }, "none");

    private Task<Answer> SetRateAsync(string hourly) => _spaces.SendAsync(
        "Rates_Edit",
        new { name = "Rooms", hourlyPrice = Spaces.Money(hourly), taxRateId = (string?)null, locationIds = Array.Empty<string>() },
        id: _spaces.Rate.Value,
        headers: ("If-Match", "*"));

    private static (int Status, string? Code) Codes(Answer answer) => (answer.Status, answer.Code);
}
