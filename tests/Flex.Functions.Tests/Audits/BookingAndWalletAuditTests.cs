using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Audit;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Audits;

/// <summary>
/// A sound store, in which one thing is made wrong: an hour of which 45 minutes are paid from the plan's credit and the rest is charged,
/// and another hour that is charged whole.
/// </summary>
public sealed class BookingAndWalletAuditTests : IAsyncLifetime
{
    private Spaces _spaces = null!;
    private Booking _drawn = null!;
    private Booking _plain = null!;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        await _spaces.SetTermsAsync(_spaces.Room, BookingTerms.None with { BufferBeforeMinutes = 15, BufferAfterMinutes = 15 });
        await _spaces.GiveCreditAsync(45);
        _drawn = await _spaces.ReadAsync(await _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z"));
        _plain = await _spaces.ReadAsync(await _spaces.BookedAsync("2025-01-10T17:00:00Z", "2025-01-10T18:00:00Z"));
        await SettleAsync();
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Nothing_is_wrong_with_what_the_handlers_leave_also_when_everything_is_cancelled()
    {
        Assert.Empty(await FindingsAsync());

        await _spaces.CancelAsync(_drawn.Id);
        await _spaces.CancelAsync(_plain.Id);
        await SettleAsync();

        Assert.Empty(await FindingsAsync());
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task A_booking_in_the_buffer_of_another()
    {
        Booking close = _plain with { Id = NewId(), Start = _drawn.End + Duration.FromMinutes(20), End = _drawn.End + Duration.FromMinutes(30), Charges = [] };
        await AddAsync(BookingKey(close.Id), close with { Price = BookingPrice.Free(_plain.Price.Fee.Currency) });

        Assert.Contains("overlap", await RulesAsync());
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task A_slot_that_no_booking_holds()
    {
        await ChangeAsync<Booking>(BookingKey(_drawn.Id), b => b with { State = BookingState.LateCancelled });

        Assert.Equal("agenda", Assert.Single(await RulesAsync()));
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task A_booking_that_is_in_no_agenda()
    {
        await ChangeAsync<Agenda>($"A|202501|{_spaces.Room}", a => a.Without(_drawn.Id));

        Assert.Equal("agenda", Assert.Single(await RulesAsync()));
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task An_agenda_that_has_other_times_than_the_booking()
    {
        await ChangeAsync<Agenda>($"A|202501|{_spaces.Room}", a => a.Without(_drawn.Id).With(AgendaSlot.Of(_drawn) with { After = 0 }));

        Assert.Equal(["agenda", "agenda"], await RulesAsync());
    }

    [Fact, Trait("Rule", "BKG-1")]
    public async Task A_booking_that_is_charged_less_than_it_costs()
    {
        await ChangeAsync<Booking>(BookingKey(_plain.Id), b => b with { Charges = [b.Charges[0] with { Reduced = new Money(100, b.Price.Fee.Currency) }] });

        Assert.Equal("charge", Assert.Single(await RulesAsync()));
    }

    [Fact, Trait("Rule", "BKG-5")]
    public async Task A_cancelled_booking_that_is_still_owed()
    {
        await _spaces.CancelAsync(_plain.Id);
        await SettleAsync();
        await ChangeAsync<Booking>(BookingKey(_plain.Id), b => b with { Charges = [b.Charges[0] with { CancelledAt = null }] });

        Assert.Contains("charge", await RulesAsync());
    }

    [Fact, Trait("Rule", "BKG-1")]
    public async Task One_charge_for_two_bookings()
    {
        await ChangeAsync<Booking>(BookingKey(_plain.Id), b => b with { Charges = [b.Charges[0] with { Id = _drawn.Charges[0].Id }] });

        Assert.Equal("charge", Assert.Single(await RulesAsync(atRest: false)));
    }

    [Fact, Trait("Rule", "BKG-1")]
    public async Task A_charge_that_billing_does_not_know()
    {
        await ChangeAsync<Booking>(BookingKey(_plain.Id), b => b with { Charges = [b.Charges[0] with { Id = EntityId.Derive<ChargeId>("lost", "000000") }] });

        Assert.Equal("charge", Assert.Single(await RulesAsync()));
        Assert.Empty(await RulesAsync(atRest: false));
    }

    [Fact, Trait("Rule", "BKG-5")]
    public async Task A_charge_that_waits_for_an_invoice_although_its_booking_is_cancelled()
    {
        await _spaces.CancelAsync(_plain.Id);

        Assert.Equal("charge", Assert.Single(await RulesAsync()));
        await SettleAsync();
        Assert.Empty(await RulesAsync());
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_hold_that_has_run_out()
    {
        await _spaces.SendAsync(
            "Bookings_Create", new { resourceId = _spaces.Room.Value, start = "2025-01-11T15:00:00Z", end = "2025-01-11T16:00:00Z", memberId = _spaces.Member.Value, hold = true });
        Assert.Empty(await RulesAsync());
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(11));

        Assert.Equal("overdue", Assert.Single(await RulesAsync()));
        Assert.Empty(await RulesAsync(atRest: false));
        await SettleAsync();
        Assert.Empty(await RulesAsync());
    }

    [Fact, Trait("Rule", "BKG-7")]
    public async Task A_change_that_is_neither_made_nor_given_up()
    {
        var change = new BookingChange(
            _spaces.Room, _plain.Start, _plain.End, _plain.Buffers, _plain.Rate, [], null, "staff-1", _spaces.Now, _plain.Version + 1, null);
        await ChangeAsync<Booking>(BookingKey(_plain.Id), b => b with { Change = change });
        Assert.Equal("unfinished", Assert.Single(await RulesAsync()));
        Assert.Empty(await RulesAsync(atRest: false));

        await ChangeAsync<Booking>(BookingKey(_plain.Id), b => b with { Change = change with { End = change.End + Duration.FromHours(1) } });
        Assert.Equal("agenda", Assert.Single(await RulesAsync(atRest: false)));
    }

    [Fact, Trait("Rule", "CRD-1")]
    public async Task A_wallet_that_has_forgotten_what_was_taken_from_it()
    {
        await ChangeWalletAsync<Wallet>("W", w => w with { Used = [] });

        Assert.Equal("wallet", Assert.Single(await RulesAsync(atRest: false)));
    }

    [Fact, Trait("Rule", "CRD-1")]
    public async Task More_that_is_used_of_a_credit_than_the_plan_gives()
    {
        await ChangeWalletAsync<Wallet>("W", w => w with { Used = [w.Used[0] with { Minutes = 50 }] });
        await ChangeWalletAsync<Draw>("V|" + _drawn.Id, d => d with { Price = d.Price! with { Takings = [d.Price.Takings[0] with { Minutes = 50 }] } });

        Assert.Equal("wallet", Assert.Single(await RulesAsync(atRest: false)));
    }

    [Fact, Trait("Rule", "BPS-4")]
    public async Task A_pass_that_is_used_by_nobody()
    {
        var pass = new BookingPass(EntityId.Derive<BookingPassId>("pass"), "Hour", 60, 30, [_spaces.Room], null, null, _spaces.Now, null, null);
        await ChangeWalletAsync<Wallet>("W", w => w with { Passes = [pass] });

        Assert.Equal("wallet", Assert.Single(await RulesAsync(atRest: false)));
    }

    [Fact, Trait("Rule", "BPS-4")]
    public async Task Minutes_that_were_taken_from_nothing()
    {
        await ChangeWalletAsync<Draw>("V|" + _drawn.Id, d => d with { Price = d.Price! with { Takings = [.. d.Price.Takings, new Taking("bps_none", 30, null)] } });

        Assert.Equal("wallet", Assert.Single(await RulesAsync(atRest: false)));
    }

    [Fact, Trait("Rule", "CRD-6")]
    public async Task A_draw_of_a_booking_that_is_cancelled()
    {
        await _spaces.CancelAsync(_drawn.Id);
        await SettleAsync();
        await ChangeWalletAsync<Draw>("V|" + _drawn.Id, d => d with { Price = _drawn.Price });
        await ChangeWalletAsync<Wallet>("W", w => w.Take(_drawn.Price.Takings, _drawn.Start));

        Assert.Equal("draw", Assert.Single(await RulesAsync()));
        Assert.Empty(await RulesAsync(atRest: false));
    }

    [Fact, Trait("Rule", "CRD-6")]
    public async Task A_booking_that_stands_although_what_it_took_was_returned()
    {
        await _spaces.Get<WalletLedger>().ReleaseAsync(_spaces.Member, [_drawn.Id], Spaces.Cancellation);

        Assert.Equal("draw", Assert.Single(await RulesAsync()));
    }

    [Fact]
    public async Task A_draw_of_a_booking_that_does_not_exist()
    {
        await _spaces.Tables.CommitAsync(
            new TableBatch(WalletStore.Table, _spaces.Member.Value).Insert("V|" + NewId(), new Draw(NewId(), 1, _plain.Price)), Spaces.Cancellation);

        Assert.Equal("draw", Assert.Single(await RulesAsync(atRest: false)));
    }

    private static string BookingKey(BookingId id) => "B|" + id;

    private BookingId NewId() => EntityId.Derive<BookingId>("another", EntityId.Home(_spaces.Location));

    private async Task<IReadOnlyList<Finding>> FindingsAsync(bool atRest = true) =>
        (await new StoreAudit(_spaces.Tables, null, null).RunAsync(_spaces.Now, atRest, Spaces.Cancellation)).Findings;

    private async Task<string[]> RulesAsync(bool atRest = true) => [.. (await FindingsAsync(atRest)).Select(f => f.Rule)];

    private async Task SettleAsync()
    {
        await _spaces.DrainAsync(Queues.Bookings);
        await _spaces.DrainAsync(Queues.Billing);
        await _spaces.DrainAsync(Queues.Bookings);
    }

    private Task ChangeAsync<T>(string key, Func<T, T> change) => ChangeAsync(BookingStore.Table, EntityId.Home(_spaces.Location), key, change);

    private Task ChangeWalletAsync<T>(string key, Func<T, T> change) => ChangeAsync(WalletStore.Table, _spaces.Member.Value, key, change);

    private async Task AddAsync<T>(string key, T document) =>
        (await _spaces.Tables.CommitAsync(new TableBatch(BookingStore.Table, EntityId.Home(_spaces.Location)).Insert(key, document), Spaces.Cancellation)).Require();

    private async Task ChangeAsync<T>(string table, string partition, string key, Func<T, T> change)
    {
        TableRow row = (await _spaces.Tables.FindAsync(table, partition, key, Spaces.Cancellation))!;
        (await _spaces.Tables.CommitAsync(new TableBatch(table, partition).Replace(key, change(row.As<T>()), row.ETag), Spaces.Cancellation)).Require();
    }
}
