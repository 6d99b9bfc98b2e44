using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class PayBookingTests : IAsyncLifetime
{
    private const string Start = "2025-01-10T15:00:00Z";
    private const string End = "2025-01-10T16:00:00Z";

    private readonly FakeBilling _billing = new();
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync(replace: s => s.AddSingleton<IImmediateBilling>(_billing));
        await _spaces.DowngradeAsync(await _spaces.StandingAsync());
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "BKG-14")]
    public async Task Whoever_must_pay_at_once_is_told_how_and_books_by_hold_and_payment()
    {
        Answer refused = await _spaces.BookAsync(Start, End, Spaces.As(_spaces.Member));
        Answer held = await HoldAsync();
        Answer paid = await PayAsync(held, caller: Spaces.As(_spaces.Member));

        Assert.Equal((409, ErrorCodes.PaymentRequired, true), (refused.Status, refused.Code, (bool)refused.Json["hold"]!));
        Assert.Equal((201, "held", "2025-01-01T00:10:00Z"), (held.Status, (string?)held.Json["state"], (string?)held.Json["actBy"]));
        Assert.Equal((200, "confirmed", "paid"), (paid.Status, (string?)paid.Json["state"], (string?)paid.Json["accounting"]));
        ImmediateCharge charge = Assert.Single(_billing.Charges);
        Booking booking = await _spaces.FindAsync(held);
        BookingCharge stored = Assert.Single(booking.Charges);
        Assert.Equal((booking.Id.Value, ImmediatePurpose.Booking, booking.Price.Fee), (charge.Source, charge.Purpose, charge.UnitPrice));
        Assert.Equal((charge.ChargeId!.Value, (InvoiceId?)charge.InvoiceId, true), (stored.Id, stored.InvoiceId, stored.IsPaid));
        Assert.Equal(("Blue room, 2025-01-10 10:00 to 11:00", new LocalDate(2025, 1, 10)), (charge.Description, charge.ServiceDate));
    }

    [Fact, Trait("Rule", "BKG-14")]
    public async Task What_is_paid_at_once_is_not_charged_again_on_the_next_invoice()
    {
        Answer held = await HoldAsync();
        await PayAsync(held);
        await _spaces.DeliverAsync(Queues.Bookings, FakeBilling.News(_billing.Charges[0], ChargeState.Succeeded));

        Assert.Empty(_spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject));
        Assert.Equal((2, BookingState.Confirmed), ((int)(await _spaces.FindAsync(held)).Version - 1, (await _spaces.FindAsync(held)).State));
    }

    [Fact]
    public async Task The_same_key_pays_once_and_another_finds_it_paid()
    {
        Answer held = await HoldAsync();
        Answer first = await PayAsync(held, "k");
        Answer again = await PayAsync(held, "k");
        Answer other = await PayAsync(held, "other");

        Assert.Equal((200, first.Body), (again.Status, again.Body));
        Assert.Equal((409, ErrorCodes.InvalidTransition), (other.Status, other.Code));
        Assert.Single(_billing.Charges);
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_declined_payment_keeps_the_hold_for_another_try_with_another_invoice()
    {
        _billing.Script.Enqueue(ChargeState.Failed);
        Answer held = await HoldAsync();

        Answer declined = await PayAsync(held, "first");
        Answer repeated = await PayAsync(held, "first");
        Answer waiting = await _spaces.SendAsync("Bookings_Get", id: (string)held.Json["id"]!);
        Answer paid = await PayAsync(held, "second");

        Assert.Equal((402, ErrorCodes.PaymentFailed, "card_declined"), (declined.Status, declined.Code, (string?)declined.Json["declineCode"]));
        Assert.Equal(402, repeated.Status);
        Assert.Equal(("held", "failed", "2025-01-01T00:10:00Z"), (State(waiting), PaymentOf(waiting), (string?)waiting.Json["actBy"]));
        Assert.Equal("confirmed", State(paid));
        Assert.Equal(2, _billing.Charges.Select(c => c.InvoiceId).Distinct().Count());
    }

    [Fact]
    public async Task Five_declined_payments_end_the_hold()
    {
        for (int i = 0; i < BookingPayments.MaxFailures; i++)
        {
            _billing.Script.Enqueue(ChargeState.Failed);
        }

        Answer held = await HoldAsync();
        for (int i = 0; i < BookingPayments.MaxFailures; i++)
        {
            Assert.Equal("held", State(await _spaces.SendAsync("Bookings_Get", id: (string)held.Json["id"]!)));
            Assert.Equal(402, (await PayAsync(held, $"try-{i}")).Status);
        }

        Answer more = await PayAsync(held, "one-more");

        Assert.Equal((409, ErrorCodes.HoldExpired), (more.Status, more.Code));
        Assert.Equal(BookingPayments.MaxFailures, _billing.Charges.Count);
        Assert.Equal(0, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
    }

    [Fact]
    public async Task Without_a_payment_method_nothing_is_tried()
    {
        _billing.Refusal = Error.Refused(ErrorCodes.PaymentMethodRequired, "None.");
        Answer held = await HoldAsync();

        Answer answer = await PayAsync(held);

        Assert.Equal((409, ErrorCodes.PaymentMethodRequired), (answer.Status, answer.Code));
        Assert.Empty(_billing.Charges);
        Assert.Empty((await _spaces.FindAsync(held)).Payments);
    }

    [Theory, Trait("Rule", "BKG-11")]
    [InlineData(ChargeState.Processing)]
    [InlineData(ChargeState.Unknown)]
    public async Task The_slot_is_kept_while_the_bank_owes_the_outcome_but_not_past_a_week_or_the_start(ChargeState outcome)
    {
        _billing.Script.Enqueue(outcome);
        _billing.Script.Enqueue(outcome);
        Answer soon = await HoldAsync("2025-01-03T15:00:00Z", "2025-01-03T16:00:00Z");
        Answer late = await HoldAsync("2025-01-20T15:00:00Z", "2025-01-20T16:00:00Z");

        Answer soonPaid = await PayAsync(soon, "soon");
        Answer latePaid = await PayAsync(late, "late");
        Answer other = await PayAsync(late, "other");

        Assert.Equal((200, "held", "processing"), (soonPaid.Status, State(soonPaid), PaymentOf(soonPaid)));
        Assert.Equal("2025-01-03T15:00:00Z", (string?)soonPaid.Json["actBy"]);
        Assert.Equal("2025-01-08T00:00:00Z", (string?)latePaid.Json["actBy"]);
        Assert.Equal((409, ErrorCodes.PaymentInProgress), (other.Status, other.Code));
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_bank_that_says_yes_later_confirms_the_booking_and_one_that_says_no_ends_the_hold()
    {
        _billing.Script.Enqueue(ChargeState.Processing);
        _billing.Script.Enqueue(ChargeState.Processing);
        Answer good = await HoldAsync();
        Answer bad = await HoldAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z");
        await PayAsync(good, "good");
        await PayAsync(bad, "bad");
        _spaces.App.Time.Advance(TimeSpan.FromDays(3));

        await _spaces.DeliverAsync(Queues.Bookings, FakeBilling.News(_billing.Charges[0], ChargeState.Succeeded));
        await _spaces.DeliverAsync(Queues.Bookings, FakeBilling.News(_billing.Charges[1], ChargeState.Failed, "account_closed"));
        await _spaces.DrainAsync(Queues.Bookings);

        Assert.Equal(BookingState.Confirmed, (await _spaces.FindAsync(good)).State);
        Booking ended = await _spaces.FindAsync(bad);
        Assert.Equal((BookingState.Expired, BookingPaymentState.Failed), (ended.State, ended.Payments[0].State));
        Assert.Equal(1, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task Success_after_the_hold_takes_the_slot_again_if_it_is_free()
    {
        Answer held = await UnknownUntilExpiredAsync();
        Assert.Equal(BookingState.Expired, (await _spaces.FindAsync(held)).State);

        await HearAsync(ChargeState.Succeeded);
        await HearAsync(ChargeState.Succeeded);

        Booking booking = await _spaces.FindAsync(held);
        Assert.Equal((BookingState.Confirmed, BookingAccounting.Paid, (BookingCancelReason?)null), (booking.State, booking.Accounting, booking.CancelReason));
        Assert.Empty(_billing.Refunds);
        Assert.Equal(1, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task Success_after_the_hold_goes_back_if_the_slot_is_taken()
    {
        Answer held = await UnknownUntilExpiredAsync();
        MemberId other = await _spaces.AddMemberAsync();
        Assert.Equal(201, (await _spaces.BookAsync(Start, End, member: other)).Status);

        await HearAsync(ChargeState.Succeeded);
        await HearAsync(ChargeState.Succeeded);

        Booking booking = await _spaces.FindAsync(held);
        Assert.Equal((BookingState.Expired, BookingPaymentState.Refunded), (booking.State, booking.Payments[0].State));
        Assert.Equal([_billing.Charges[0].InvoiceId], _billing.Refunds);
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task Success_after_the_start_goes_back()
    {
        Answer held = await UnknownUntilExpiredAsync();
        _spaces.App.Time.SetUtcNow(new DateTimeOffset(2025, 1, 10, 15, 0, 0, TimeSpan.Zero));

        await HearAsync(ChargeState.Succeeded);

        Assert.Single(_billing.Refunds);
        Assert.Equal(BookingState.Expired, (await _spaces.FindAsync(held)).State);
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_booking_cancelled_while_it_is_paid_gets_its_money_back()
    {
        Answer held = await HoldAsync();
        _billing.Meanwhile = () => _spaces.Get<BookingCanceller>().CancelAsync(
            EntityId.Parse<BookingId>((string)held.Json["id"]!), BookingCancelReason.ByMember, Spaces.Cancellation);

        Answer answer = await PayAsync(held);

        Assert.Equal((409, ErrorCodes.HoldExpired), (answer.Status, answer.Code));
        Assert.Single(_billing.Refunds);
        Assert.Equal(BookingState.Cancelled, (await _spaces.FindAsync(held)).State);
        Assert.Equal(0, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
    }

    [Fact]
    public async Task The_message_of_the_hold_does_not_end_a_payment_under_way()
    {
        Answer held = await HoldAsync();
        _billing.Meanwhile = async () =>
        {
            _spaces.App.Time.Advance(TimeSpan.FromMinutes(9.99));
            await _spaces.DrainAsync(Queues.Bookings);
        };
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(9));

        Answer paid = await PayAsync(held);

        Assert.Equal((200, "confirmed"), (paid.Status, State(paid)));
    }

    [Fact]
    public async Task A_payment_that_never_got_there_is_gone_on_with_by_the_same_key()
    {
        Answer held = await HoldAsync();
        _billing.Down = true;
        Answer away = await PayAsync(held, "k");
        Answer other = await PayAsync(held, "other");
        _billing.Down = false;

        Answer paid = await PayAsync(held, "k");

        Assert.Equal((503, 409, 200), (away.Status, other.Status, paid.Status));
        Assert.Single(_billing.Charges);
        Assert.Single((await _spaces.FindAsync(held)).Payments);
    }

    [Fact]
    public async Task An_expired_hold_cannot_be_paid()
    {
        Answer held = await HoldAsync();
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(10));

        Answer late = await PayAsync(held, "before");
        await _spaces.DrainAsync(Queues.Bookings);
        Answer later = await PayAsync(held, "after");

        Assert.Equal((ErrorCodes.HoldExpired, ErrorCodes.HoldExpired), (late.Code, later.Code));
        Assert.Empty(_billing.Charges);
    }

    [Fact]
    public async Task Others_do_not_see_it_and_what_is_not_held_cannot_be_paid()
    {
        Answer held = await HoldAsync();
        MemberId other = await _spaces.AddMemberAsync();
        Answer booked = await _spaces.BookAsync("2025-01-11T15:00:00Z", End.Replace("10T", "11T", StringComparison.Ordinal), member: other);

        Assert.Equal((404, ErrorCodes.NotFound), Codes(await PayAsync(held, caller: Spaces.As(other))));
        Assert.Equal((409, ErrorCodes.InvalidTransition), Codes(await PayAsync(booked)));
        Assert.Equal((400, ErrorCodes.IdempotencyKeyRequired), Codes(await _spaces.SendAsync("Bookings_Pay", id: (string)held.Json["id"]!)));
    }

    [Fact]
    public async Task A_price_that_has_changed_since_the_hold_is_shown_before_it_is_charged()
    {
        Answer held = await HoldAsync();
        await SetRateAsync("20.00");

        Answer stale = await PayAsync(held, "first");
        Answer paid = await PayAsync(held, "second");

        Assert.Equal((409, ErrorCodes.QuoteStale, "20.00"), (stale.Status, stale.Code, (string?)stale.Json["price"]!["amount"]));
        Assert.Equal((200, "20.00"), (paid.Status, (string?)paid.Json["price"]!["amount"]));
        Assert.Equal(2000, Assert.Single(_billing.Charges).UnitPrice.Minor);
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_bank_that_takes_the_money_back_before_the_start_takes_the_booking_with_it()
    {
        Answer held = await HoldAsync();
        await PayAsync(held);

        await HearAsync(ChargeState.Reversed);
        await HearAsync(ChargeState.Reversed);

        Booking booking = await _spaces.FindAsync(held);
        Assert.Equal((BookingState.Cancelled, BookingCancelReason.NotPaid), (booking.State, booking.CancelReason));
        Assert.Single(_spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject));
        await HearAsync(ChargeState.Succeeded);
        Assert.Equal(BookingState.Cancelled, (await _spaces.FindAsync(held)).State);
        Assert.Empty(_billing.Refunds);
    }

    [Fact]
    public async Task Money_taken_back_after_the_start_leaves_the_booking_unpaid()
    {
        Answer held = await HoldAsync();
        await PayAsync(held);
        _spaces.App.Time.SetUtcNow(new DateTimeOffset(2025, 1, 10, 15, 30, 0, TimeSpan.Zero));

        await HearAsync(ChargeState.Reversed);

        Booking booking = await _spaces.FindAsync(held);
        Assert.Equal((BookingState.Confirmed, BookingAccounting.Invoiced), (booking.State, booking.Accounting));
        Assert.Equal(booking.Price.Fee, booking.Owed);
        Assert.Empty(_spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject));
    }

    [Fact]
    public async Task Who_is_confirmed_after_the_start_has_the_whole_grace_to_check_in()
    {
        ResourceId room = await _spaces.AddRoomAsync("Red room", BookingTerms.None with { CheckInGraceMinutes = 15 });
        _billing.Script.Enqueue(ChargeState.Unknown);
        Answer held = await HoldAsync("2025-01-01T00:05:00Z", "2025-01-01T01:00:00Z", room);
        await PayAsync(held);
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(9));

        await HearAsync(ChargeState.Succeeded);

        Assert.Equal(Instant.FromUtc(2025, 1, 1, 0, 24), (await _spaces.FindAsync(held)).ActBy);
    }

    [Fact, Trait("Rule", "BKG-11"), Trait("Rule", "CRD-6")]
    public async Task A_member_behind_with_payment_uses_credits_and_pays_the_rest_at_once()
    {
        await GiveCreditAsync(30);
        Answer held = await HoldAsync();

        Answer paid = await PayAsync(held);

        Assert.Equal((200, "6.00", 30), (paid.Status, (string?)paid.Json["price"]!["amount"], (int)paid.Json["creditMinutes"]!));
        Assert.Equal(600, _billing.Charges[0].UnitPrice.Minor);
        Assert.Equal(30, await UsedMinutesAsync());
    }

    [Fact]
    public async Task What_is_covered_in_full_needs_no_payment()
    {
        await GiveCreditAsync(60);
        Answer held = await HoldAsync();

        Answer paid = await PayAsync(held, "k");
        Answer again = await PayAsync(held, "k");

        Assert.Equal((200, "confirmed", "accounted"), (paid.Status, State(paid), (string?)paid.Json["accounting"]));
        Assert.Equal(200, again.Status);
        Assert.Empty(_billing.Charges);
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_hold_that_runs_out_after_a_declined_payment_gives_the_minutes_back()
    {
        await GiveCreditAsync(30);
        _billing.Script.Enqueue(ChargeState.Failed);
        Answer held = await HoldAsync();
        await PayAsync(held);
        Assert.Equal(30, await UsedMinutesAsync());
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(10));

        await _spaces.DrainAsync(Queues.Bookings);

        Assert.Equal(0, await UsedMinutesAsync());
        Assert.Equal(BookingState.Expired, (await _spaces.FindAsync(held)).State);
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task Minutes_that_were_given_back_are_not_taken_again_the_money_goes_back()
    {
        await GiveCreditAsync(30);
        Answer held = await UnknownUntilExpiredAsync();
        Assert.Equal(0, await UsedMinutesAsync());

        await HearAsync(ChargeState.Succeeded);

        Assert.Equal([_billing.Charges[0].InvoiceId], _billing.Refunds);
        Assert.Equal((0, BookingState.Expired), (await UsedMinutesAsync(), (await _spaces.FindAsync(held)).State));
    }

    /// <summary>The wallet is drawn from, then the hold ends before the try is on record: nothing is charged and everything comes back.</summary>
    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_hold_that_ends_between_draw_and_payment_takes_nothing()
    {
        await GiveCreditAsync(30);
        Answer held = await HoldAsync();
        bool ended = false;
        _spaces.Tables.BeforeCommit = async batch =>
        {
            if (batch.Table == BookingStore.Table && !ended)
            {
                ended = true;
                _spaces.App.Time.Advance(TimeSpan.FromMinutes(10));
                await _spaces.DrainAsync(Queues.Bookings);
            }
        };

        Answer answer = await PayAsync(held);

        Assert.Equal((409, ErrorCodes.HoldExpired), Codes(answer));
        Assert.Empty(_billing.Charges);
        Assert.Equal(0, await UsedMinutesAsync());
    }

    /// <summary>The end of a hold is cut off between the slot and the wallet: its message finishes it.</summary>
    [Fact]
    public async Task A_hold_that_ends_halfway_still_gives_the_minutes_back()
    {
        await GiveCreditAsync(30);
        _billing.Script.Enqueue(ChargeState.Failed);
        Answer held = await HoldAsync();
        await PayAsync(held);
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(10));
        _spaces.Tables.BeforeCommit = batch =>
            batch.Table == WalletStore.Table ? throw new TransientFaultException("away") : Task.CompletedTask;
        await Assert.ThrowsAsync<TransientFaultException>(() => _spaces.Get<BookingCanceller>().GiveUpAsync(
            EntityId.Parse<BookingId>((string)held.Json["id"]!), Spaces.Cancellation));
        _spaces.Tables.BeforeCommit = null;
        Assert.Equal(30, await UsedMinutesAsync());

        await _spaces.DrainAsync(Queues.Bookings);

        Assert.Equal(0, await UsedMinutesAsync());
    }

    [Fact, Trait("Rule", "MEM-12")]
    public async Task Nothing_is_held_or_paid_beyond_the_end_of_the_membership()
    {
        MemberId leaving = await _spaces.AddMemberAsync(MembershipStatus.PendingCancellation, endsAt: Instant.FromUtc(2025, 1, 5, 0, 0));

        Answer answer = await _spaces.SendAsync(
            "Bookings_Create", new { resourceId = _spaces.Room.Value, start = Start, end = End, memberId = leaving.Value, hold = true });

        Assert.Equal((409, ErrorCodes.MembershipEndsBefore), Codes(answer));
    }

    [Fact]
    public async Task The_payment_of_a_booking_pass_goes_to_the_wallet()
    {
        InvoiceId invoice = EntityId.Derive<InvoiceId>("passes");
        var news = new Envelope(
            "m",
            ImmediatePaymentSettled.Subject,
            Flex.Platform.StorageJson.Write(new ImmediatePaymentSettled(
                invoice, ImmediatePurpose.BookingPass, "bps", _spaces.Member, ChargeState.Succeeded, null, _spaces.Now)),
            null);

        DefectException unknown = await Assert.ThrowsAsync<DefectException>(() => _spaces.DeliverAsync(Queues.Bookings, news));

        Assert.Contains("passes", unknown.Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever write is the first to fail, the same request in the end pays once and stands once.</summary>
    [Fact]
    public async Task A_crash_anywhere_is_gone_on_with_by_the_same_request()
    {
        for (int crash = 0; ; crash++)
        {
            var billing = new FakeBilling();
            using Spaces spaces = await Spaces.CreateAsync(replace: s => s.AddSingleton<IImmediateBilling>(billing));
            await spaces.DowngradeAsync(await spaces.StandingAsync());
            Answer held = await spaces.SendAsync("Bookings_Create", Hold(spaces));
            int commits = 0;
            spaces.Tables.BeforeCommit = _ => commits++ == crash ? throw new TransientFaultException("away") : Task.CompletedTask;

            Answer first = await spaces.SendAsync("Bookings_Pay", id: (string)held.Json["id"]!, headers: ("Idempotency-Key", "k"));
            spaces.Tables.BeforeCommit = null;
            Answer paid = await spaces.SendAsync("Bookings_Pay", id: (string)held.Json["id"]!, headers: ("Idempotency-Key", "k"));

            Assert.Equal((200, "confirmed"), (paid.Status, State(paid)));
            Assert.Single(billing.Charges);
            Assert.Equal(1, BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room));
            if (first.Status == 200)
            {
                Assert.Equal(2, crash);
                return;
            }
        }
    }

    /// <summary>Any outcome, any order of messages, the clock anywhere: money is kept exactly where a booking stands for it.</summary>
    [Fact, Trait("Rule", "BKG-11")]
    public async Task However_news_and_time_come_in_money_is_kept_only_for_a_booking_that_stands()
    {
        for (int seed = 0; seed < 80; seed++)
        {
            var random = new Random(seed);
            var billing = new FakeBilling();
            using Spaces spaces = await Spaces.CreateAsync(replace: s => s.AddSingleton<IImmediateBilling>(billing));
            Answer held = await spaces.SendAsync("Bookings_Create", Hold(spaces));
            ChargeState first = (ChargeState)random.Next(4);
            ChargeState final = first is ChargeState.Succeeded or ChargeState.Failed ? first
                : random.Next(2) == 0 ? ChargeState.Succeeded : ChargeState.Failed;
            billing.Script.Enqueue(first);
            if (random.Next(3) == 0)
            {
                billing.Meanwhile = () =>
                {
                    spaces.App.Time.Advance(TimeSpan.FromMinutes(random.Next(30)));
                    return spaces.DrainAsync(Queues.Bookings);
                };
            }

            await spaces.SendAsync("Bookings_Pay", id: (string)held.Json["id"]!, headers: ("Idempotency-Key", "k"));
            for (int i = random.Next(4); i > 0; i--)
            {
                spaces.App.Time.Advance(TimeSpan.FromHours(random.Next(200)));
                await spaces.DrainAsync(Queues.Bookings);
                if (random.Next(4) == 0)
                {
                    await spaces.BookAsync(Start, End, member: await spaces.AddMemberAsync());
                }
            }

            await spaces.DeliverAsync(Queues.Bookings, FakeBilling.News(billing.Charges[0], final));
            await spaces.DeliverAsync(Queues.Bookings, FakeBilling.News(billing.Charges[0], final));
            spaces.App.Time.Advance(TimeSpan.FromDays(10));
            await spaces.DrainAsync(Queues.Bookings);

            Booking booking = await spaces.FindAsync(held);
            bool isPaid = final == ChargeState.Succeeded && billing.Refunds.Count == 0;
            Assert.True(isPaid == (booking.State == BookingState.Confirmed), $"{seed}: {first}, {final}, {booking.State}, {billing.Refunds.Count}");
            Assert.True(final == ChargeState.Succeeded || billing.Refunds.Count == 0, $"{seed}");
            BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room);
        }
    }

    /// <summary>The member is behind with a membership that has so many minutes.</summary>
    private async Task GiveCreditAsync(int minutes)
    {
        PlanId plan = await _spaces.AddPlanAsync(
            ("credits", new[] { new { name = "Rooms", resourceIds = new[] { _spaces.Room.Value }, minutes } }));
        await _spaces.SetStandingAsync(_spaces.Member, _spaces.NewStanding(MembershipStatus.Delinquent) with { PlanId = plan });
    }

    private async Task<int> UsedMinutesAsync() =>
        (await _spaces.Get<WalletStore>().ReadAsync(_spaces.Member, Spaces.Cancellation)).Wallet.Used.Sum(u => u.Minutes);

    private static object Hold(Spaces spaces, string start = Start, string end = End, ResourceId? room = null) =>
        new { resourceId = (room ?? spaces.Room).Value, start, end, memberId = spaces.Member.Value, hold = true };

    private Task<Answer> HoldAsync(string start = Start, string end = End, ResourceId? room = null) =>
        _spaces.SendAsync("Bookings_Create", Hold(_spaces, start, end, room));

    private Task<Answer> PayAsync(Answer booking, string key = "pay", string caller = "staff") =>
        _spaces.SendAsync("Bookings_Pay", caller: caller, id: (string)booking.Json["id"]!, headers: ("Idempotency-Key", key));

    private Task HearAsync(ChargeState state) => _spaces.DeliverAsync(Queues.Bookings, FakeBilling.News(_billing.Charges[0], state));

    private async Task<Answer> UnknownUntilExpiredAsync()
    {
        _billing.Script.Enqueue(ChargeState.Unknown);
        Answer held = await HoldAsync();
        await PayAsync(held);
        _spaces.App.Time.Advance(TimeSpan.FromDays(7));
        await _spaces.DrainAsync(Queues.Bookings);
        return held;
    }

    private Task<Answer> SetRateAsync(string hourly) => _spaces.SendAsync(
        "Rates_Edit",
        new { name = "Rooms", hourlyPrice = Spaces.Money(hourly), taxRateId = (string?)null, locationIds = Array.Empty<string>() },
        id: _spaces.Rate.Value,
        headers: ("If-Match", "*"));

    private static string? State(Answer answer) => (string?)answer.Json["state"];

    private static string? PaymentOf(Answer answer) => (string?)answer.Json["payment"]!["state"];

    private static (int Status, string? Code) Codes(Answer answer) => (answer.Status, answer.Code);
}
