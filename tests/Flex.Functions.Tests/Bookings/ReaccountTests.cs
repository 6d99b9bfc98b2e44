using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

[Trait("Rule", "CRD-7")]
public sealed class ReaccountTests : IAsyncLifetime
{
    private Spaces _spaces = null!;
    private Answer _first = null!;
    private Answer _second = null!;

    /// <summary>A member with two bookings of an hour at 12.00, who is given 90 minutes afterwards.</summary>
    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        _second = await _spaces.BookAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z");
        _first = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
        await GrantAsync(90);
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_preview_shows_each_booking_in_the_order_of_start_and_changes_nothing()
    {
        IReadOnlyList<TableRow> bookings = _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location));
        IReadOnlyList<TableRow> wallet = _spaces.Tables.Snapshot(WalletStore.Table, _spaces.Member.Value);

        Answer preview = await SendAsync("Bookings_PreviewReaccount");

        Assert.Equal(200, preview.Status);
        Assert.Equal(
            [(_first.Json["id"]!.ToString(), "changed", "12.00", "0.00", 60), (_second.Json["id"]!.ToString(), "changed", "12.00", "6.00", 30)],
            Rows(preview));
        Assert.Equal(bookings, _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location)));
        Assert.Equal(wallet, _spaces.Tables.Snapshot(WalletStore.Table, _spaces.Member.Value));
    }

    [Fact]
    public async Task Bookings_get_the_new_price_and_charge_and_the_wallet_what_they_take()
    {
        Answer preview = await SendAsync("Bookings_PreviewReaccount");
        Answer done = await SendAsync("Bookings_Reaccount", "k");

        Assert.Equal((200, preview.Body), (done.Status, done.Body));
        Booking first = await _spaces.FindAsync(_first);
        Booking second = await _spaces.FindAsync(_second);
        Assert.Equal((0, 600), (first.Owed.Minor, second.Owed.Minor));
        Assert.Equal((60, 30), (first.Price.CreditMinutes, second.Price.CreditMinutes));
        Assert.Equal((BookingState.Confirmed, BookingAccounting.Accounted), (first.State, first.Accounting));
        Assert.Equal(2, _spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject).Count);
        ChargeCreated created = _spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject)[^1];
        Assert.Equal((second.Id.Value, 600), (created.Source, created.Net.Minor));
        Assert.Equal(0, await MinutesLeftAsync());
        Assert.Equal(2, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
        Assert.Empty((await _spaces.SendAsync("Bookings_Get", id: first.Id.Value)).Json["moves"]!.AsArray());
    }

    [Fact]
    public async Task The_same_key_answers_the_same_and_another_finds_nothing_to_change()
    {
        Answer done = await SendAsync("Bookings_Reaccount", "k");
        Answer again = await SendAsync("Bookings_Reaccount", "k");
        Answer other = await SendAsync("Bookings_Reaccount", "other");

        Assert.Equal((200, done.Body), (again.Status, again.Body));
        Assert.Equal(["unchanged", "unchanged"], Rows(other).Select(r => r.Outcome));
    }

    [Fact]
    public async Task Only_what_is_accounted_and_not_invoiced_in_the_days_asked_for_is_open_to_it()
    {
        Booking first = await _spaces.FindAsync(_first);
        await _spaces.DeliverAsync(Queues.Bookings, new Envelope(
            "i",
            ChargesInvoiced.Subject,
            Flex.Platform.StorageJson.Write(new ChargesInvoiced(
                EntityId.Derive<InvoiceId>("i"), [new InvoicedCharge(first.Charges[0].Id, first.Id.Value, first.Price.Fee, first.Price.Fee)])),
            null));
        Answer third = await _spaces.BookAsync("2025-01-13T15:00:00Z", "2025-01-13T16:00:00Z");
        await _spaces.Get<BookingCanceller>().CancelAsync(
            EntityId.Parse<BookingId>((string)third.Json["id"]!), BookingCancelReason.ByStaff, Spaces.Cancellation);
        await _spaces.DrainAsync(Queues.Bookings);

        Assert.Equal([_second.Json["id"]!.ToString()], Rows(await SendAsync("Bookings_PreviewReaccount")).Select(r => r.Id));
        Assert.Empty(Rows(await SendAsync("Bookings_PreviewReaccount", body: new { to = "2025-01-10" })));
        Assert.Empty(Rows(await SendAsync("Bookings_Reaccount", "k", new { from = "2025-01-12" })));
    }

    [Fact]
    public async Task What_a_booking_had_taken_counts_for_it_and_for_those_after_it()
    {
        await SendAsync("Bookings_Reaccount", "k");
        await _spaces.SendAsync(
            "Rates_Edit",
            new { name = "Rooms", hourlyPrice = Spaces.Money("20.00"), taxRateId = (string?)null, locationIds = Array.Empty<string>() },
            id: _spaces.Rate.Value,
            headers: ("If-Match", "*"));

        Answer done = await SendAsync("Bookings_Reaccount", "again");

        Assert.Equal([("unchanged", "0.00", 60), ("changed", "10.00", 30)], Rows(done).Select(r => (r.Outcome, r.After, r.Minutes)));
        Assert.Equal(1000, (await _spaces.FindAsync(_second)).Owed.Minor);
    }

    /// <summary>Whatever write is the first to fail, the same request or the change's own message does the rest, and nothing is taken twice.</summary>
    [Fact]
    public async Task A_crash_anywhere_is_gone_on_with()
    {
        for (int crash = 0; ; crash++)
        {
            using Spaces spaces = await Spaces.CreateAsync();
            Answer booked = await spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
            await spaces.DrainAsync(Queues.Bookings);
            await GrantAsync(spaces, 30);
            int commits = 0;
            spaces.Tables.BeforeCommit = _ => commits++ == crash ? throw new TransientFaultException("away") : Task.CompletedTask;
            Answer first = await SendAsync(spaces, "Bookings_Reaccount", "k");
            spaces.Tables.BeforeCommit = null;
            if (crash % 2 == 1)
            {
                await spaces.DrainAsync(Queues.Bookings);
            }

            Assert.Equal(200, (await SendAsync(spaces, "Bookings_Reaccount", "k")).Status);

            Booking booking = await spaces.FindAsync(booked);
            Assert.Equal((600, 30, (BookingChange?)null), (booking.Owed.Minor, booking.Price.CreditMinutes, booking.Change));
            Assert.Equal(30, (await spaces.Get<WalletStore>().ReadAsync(spaces.Member, Spaces.Cancellation)).Wallet.Grants.Sum(g => g.UsedMinutes));
            if (first.Status == 200)
            {
                Assert.Equal(4, crash);
                return;
            }
        }
    }

    /// <summary>The invoice is made between the look at the booking and the change: the booking stays as it was invoiced.</summary>
    [Fact]
    public async Task A_booking_that_is_invoiced_meanwhile_is_refused()
    {
        Booking first = await _spaces.FindAsync(_first);
        bool invoiced = false;
        _spaces.Tables.BeforeCommit = async batch =>
        {
            if (batch.Table == BookingStore.Table && !invoiced)
            {
                invoiced = true;
                await _spaces.DeliverAsync(Queues.Bookings, new Envelope(
                    "i",
                    ChargesInvoiced.Subject,
                    Flex.Platform.StorageJson.Write(new ChargesInvoiced(
                        EntityId.Derive<InvoiceId>("i"), [new InvoicedCharge(first.Charges[0].Id, first.Id.Value, first.Price.Fee, first.Price.Fee)])),
                    null));
            }
        };

        Answer done = await SendAsync("Bookings_Reaccount", "k");

        Assert.Equal([("refused", "12.00", 0), ("changed", "0.00", 60)], Rows(done).Select(r => (r.Outcome, r.After, r.Minutes)));
        Assert.Equal(ErrorCodes.InvalidTransition, (string?)done.Json["results"]![0]!["code"]);
    }

    [Fact]
    public async Task Bad_requests_are_refused()
    {
        Assert.Equal((400, ErrorCodes.IdempotencyKeyRequired), Codes(await SendAsync("Bookings_Reaccount")));
        Assert.Equal((422, ErrorCodes.EndBeforeStart), Codes(await SendAsync("Bookings_PreviewReaccount", body: new { from = "2025-01-02", to = "2025-01-01" })));
        Assert.Equal(403, (await _spaces.SendAsync("Bookings_PreviewReaccount", new { }, Spaces.As(_spaces.Member), _spaces.Member.Value)).Status);
        Assert.Equal(404, (await _spaces.SendAsync("Bookings_PreviewReaccount", new { }, id: EntityId.Derive<MemberId>("nobody").Value)).Status);
    }

    private static IReadOnlyList<(string Id, string Outcome, string Before, string After, int Minutes)> Rows(Answer answer) =>
    [
        .. answer.Json["results"]!.AsArray().Select(r => (
            (string)r!["bookingId"]!,
            (string)r["outcome"]!,
            (string)r["before"]!["price"]!["amount"]!,
            (string)r["after"]!["price"]!["amount"]!,
            (int)r["after"]!["creditMinutes"]!)),
    ];

    private static (int Status, string? Code) Codes(Answer answer) => (answer.Status, answer.Code);

    private Task<Answer> SendAsync(string function, string? key = null, object? body = null) => SendAsync(_spaces, function, key, body);

    private static Task<Answer> SendAsync(Spaces spaces, string function, string? key = null, object? body = null) =>
        spaces.SendAsync(function, body ?? new { }, id: spaces.Member.Value, headers: key is null ? [] : [("Idempotency-Key", key)]);

    private Task GrantAsync(int minutes) => GrantAsync(_spaces, minutes);

    private static async Task GrantAsync(Spaces spaces, int minutes)
    {
        Answer granted = await spaces.SendAsync(
            "CreditGrants_Create",
            new { name = "Sorry", resourceIds = new[] { spaces.Room.Value }, minutes, from = "2025-01-01" },
            id: spaces.Member.Value);
        Assert.True(granted.Status == 201, granted.Body);
    }

    private async Task<int> MinutesLeftAsync() =>
        (await _spaces.Get<WalletStore>().ReadAsync(_spaces.Member, Spaces.Cancellation)).Wallet.Grants.Sum(g => g.MinutesLeft ?? 0);
}
