using Flex.Bookings;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Mail;
using Flex.Platform.Messaging;
using Flex.RecurringBookings;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

/// <summary>The rolling accounting, day by day on simulated time.</summary>
public sealed class AccountSeriesTests : IAsyncLifetime
{
    private static readonly SiteCalendar NewYork = new("America/New_York");
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "REC-3"), Trait("Rule", "REC-2")]
    public async Task Every_occurrence_is_accounted_on_the_day_it_enters_the_horizon_and_once()
    {
        await _spaces.MakeAsync("FREQ=DAILY;COUNT=100", "2025-01-25T10:00:00", "2025-01-25T11:00:00");
        Dictionary<LocalDate, LocalDate> accountedOn = [];
        foreach (Booking booking in _spaces.Bookings().Where(b => b.State == BookingState.Confirmed))
        {
            accountedOn.Add(booking.Series!.Date, Today);
        }

        for (int hour = 0; hour < 24 * 80; hour++)
        {
            await AdvanceAsync(Duration.FromHours(1), copies: hour % 5 == 0 ? 2 : 1);
            foreach (Booking booking in _spaces.Bookings().Where(b => b.State == BookingState.Confirmed && !accountedOn.ContainsKey(b.Series!.Date)))
            {
                accountedOn.Add(booking.Series!.Date, Today);
            }
        }

        LocalDate first = SeriesWorld.Day("2024-12-31");
        Assert.All(accountedOn, a => Assert.Equal(LocalDate.Max(first, AccountingHorizon.EntryOf(a.Key)), a.Value));
        Assert.All(_spaces.Bookings(), b => Assert.Equal(LocalDate.Max(first, AccountingHorizon.EntryOf(b.Series!.Date)), b.Series!.AccountOn));
        Assert.Equal(100, accountedOn.Count);
        Assert.Equal(100, _spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject).Select(c => c.ChargeId).Distinct().Count());
        Assert.Equal(100, _spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject).Count);
        Assert.Empty(Due());
    }

    [Fact, Trait("Rule", "REC-3")]
    public async Task Days_on_which_nothing_ran_are_made_up_for()
    {
        SeriesId id = await _spaces.MakeAsync("FREQ=WEEKLY;COUNT=30");
        _spaces.App.Time.Advance(TimeSpan.FromDays(30));

        await RunAsync();

        Assert.All(_spaces.Bookings(), b => Assert.Equal(b.Series!.Date <= AccountingHorizon.Of(Today), b.State == BookingState.Confirmed));
        Assert.Equal(Today, (await _spaces.SeriesAsync(id)).AccountedThrough);
    }

    [Fact, Trait("Rule", "REC-3"), Trait("Rule", "CRD-5")]
    public async Task What_enters_draws_on_its_own_cycle()
    {
        MemberId member = await _spaces.AddMemberWithCreditAsync(90);
        await _spaces.RepeatAsync(_spaces.Recurring("FREQ=WEEKLY;COUNT=14", member: member));

        for (int day = 0; day < 40; day++)
        {
            await AdvanceAsync(Duration.FromDays(1), copies: 2);
        }

        Assert.Equal(
            [90, 90, 90, 60],
            (await _spaces.WalletAsync(member)).Used.OrderBy(u => u.CycleStart).Select(u => u.Minutes));
        Assert.Equal(14, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
    }

    [Fact, Trait("Rule", "REC-3")]
    public async Task What_cannot_be_accounted_is_kept_for_72_hours_and_then_released_and_the_member_is_told_once()
    {
        await _spaces.MakeAsync("FREQ=WEEKLY;COUNT=12");
        MembershipStanding standing = await _spaces.StandingAsync();
        await _spaces.SetStandingAsync(_spaces.Member, standing with { Status = MembershipStatus.Delinquent, Version = 2 });

        // 3 March enters on 3 January, in New York.
        await AdvanceAsync(Duration.FromDays(2) + Duration.FromHours(6));
        Instant failedAt = _spaces.Now;

        Booking failed = BookingOf("2025-03-03");
        Assert.Equal((BookingState.Tentative, BookingAccounting.NeedsAttention, failedAt + Duration.FromHours(72)), (failed.State, failed.Accounting, failed.ActBy));
        OutgoingMail mail = Assert.Single(_spaces.Queue.On<OutgoingMail>(Queues.Mail, OutgoingMail.MessageSubject));
        Assert.Contains("2025-03-03 10:00, kept until 2025-01-06 01:00", mail.Text, StringComparison.Ordinal);
        await AdvanceAsync(Duration.FromHours(71));
        await LookAsync(failed.Id);
        Assert.True(BookingOf("2025-03-03").HoldsSlot());
        Assert.Single(_spaces.Queue.On<OutgoingMail>(Queues.Mail, OutgoingMail.MessageSubject));

        await AdvanceAsync(Duration.FromHours(1));
        await LookAsync(failed.Id);

        Assert.Equal((BookingState.Cancelled, BookingCancelReason.NotAccounted), (BookingOf("2025-03-03").State, BookingOf("2025-03-03").CancelReason));
        Assert.Equal(201, (await _spaces.BookAsync("2025-03-03T15:00:00Z", "2025-03-03T16:00:00Z", member: await _spaces.AddMemberAsync())).Status);
    }

    [Fact, Trait("Rule", "REC-3")]
    public async Task What_needs_attention_is_accounted_by_itself_when_the_member_is_in_good_standing_again()
    {
        SeriesId id = await _spaces.MakeAsync("FREQ=WEEKLY;COUNT=12");
        MembershipStanding standing = await _spaces.StandingAsync();
        await _spaces.SetStandingAsync(_spaces.Member, standing with { Status = MembershipStatus.Delinquent, Version = 2 });
        await AdvanceAsync(Duration.FromDays(3));
        Assert.Equal([SeriesWorld.Day("2025-03-03")], (await _spaces.SeriesAsync(id)).Attention);
        await _spaces.SetStandingAsync(_spaces.Member, standing with { Version = 3 });

        await AdvanceAsync(Duration.FromDays(1));

        Assert.Equal((BookingState.Confirmed, BookingAccounting.Accounted), (BookingOf("2025-03-03").State, BookingOf("2025-03-03").Accounting));
        Assert.Null(BookingOf("2025-03-03").ActBy);
        Assert.Empty((await _spaces.SeriesAsync(id)).Attention);
    }

    [Fact, Trait("Rule", "REC-3")]
    public async Task Staff_account_by_hand_what_needs_attention_and_nothing_else()
    {
        await _spaces.MakeAsync("FREQ=WEEKLY;COUNT=14");
        MembershipStanding standing = await _spaces.StandingAsync();
        await _spaces.SetStandingAsync(_spaces.Member, standing with { Status = MembershipStatus.Delinquent, Version = 2 });
        await AdvanceAsync(Duration.FromDays(3));
        string failed = BookingOf("2025-03-03").Id.Value;

        Answer still = await _spaces.SendAsync("Bookings_Account", id: failed);
        Answer early = await _spaces.SendAsync("Bookings_Account", id: BookingOf("2025-04-07").Id.Value);
        await _spaces.SetStandingAsync(_spaces.Member, standing with { Version = 3 });
        Answer done = await _spaces.SendAsync("Bookings_Account", id: failed, headers: ("Idempotency-Key", "k"));
        Answer again = await _spaces.SendAsync("Bookings_Account", id: failed, headers: ("Idempotency-Key", "k"));
        Answer twice = await _spaces.SendAsync("Bookings_Account", id: failed);

        Assert.Equal((409, ErrorCodes.PaymentRequired), (still.Status, still.Code));
        Assert.Equal((409, ErrorCodes.InvalidTransition), (early.Status, early.Code));
        Assert.Equal((200, "confirmed"), (done.Status, (string?)done.Json["state"]));
        Assert.Equal((200, done.Body), (again.Status, again.Body));
        Assert.Equal((409, ErrorCodes.InvalidTransition), (twice.Status, twice.Code));
    }

    [Fact, Trait("Rule", "REC-3"), Trait("Rule", "MEM-12")]
    public async Task A_membership_that_has_come_to_an_end_before_the_occurrence_needs_attention()
    {
        await _spaces.MakeAsync("FREQ=WEEKLY;COUNT=12");
        MembershipStanding standing = await _spaces.StandingAsync();
        await _spaces.SetStandingAsync(
            _spaces.Member, standing with { Status = MembershipStatus.PendingCancellation, EndsAt = Instant.FromUtc(2025, 3, 1, 5, 0), Version = 2 });

        await AdvanceAsync(Duration.FromDays(3));

        Assert.Equal(BookingAccounting.NeedsAttention, BookingOf("2025-03-03").Accounting);
        Assert.Equal(BookingState.Confirmed, BookingOf("2025-02-24").State);
    }

    [Fact, Trait("Rule", "REC-3")]
    public async Task An_occurrence_that_was_moved_or_cancelled_by_itself_is_accounted_where_it_is_or_not_at_all()
    {
        await _spaces.MakeAsync("FREQ=WEEKLY;COUNT=12");
        Answer moved = await _spaces.SendAsync(
            "Bookings_Change", new { start = "2025-03-03T20:00:00Z", end = "2025-03-03T22:00:00Z" }, id: BookingOf("2025-03-03").Id.Value);
        Assert.True(moved.Status == 200, moved.Body);
        await _spaces.SendAsync("Bookings_Cancel", new { }, id: BookingOf("2025-03-10").Id.Value);

        for (int day = 0; day < 20; day++)
        {
            await AdvanceAsync(Duration.FromDays(1));
        }

        Assert.Equal((BookingState.Confirmed, "24.00"), (BookingOf("2025-03-03").State, BookingOf("2025-03-03").Price.Fee.ToDecimalString()));
        Assert.Equal((BookingState.Cancelled, 0), (BookingOf("2025-03-10").State, BookingOf("2025-03-10").Charges.Count));
        Assert.Equal(BookingState.Confirmed, BookingOf("2025-03-17").State);
    }

    [Fact, Trait("Rule", "REC-3")]
    public async Task Killed_at_any_commit_the_accounting_is_once_each_in_the_end()
    {
        MemberId member = await _spaces.AddMemberWithCreditAsync(45);
        await _spaces.RepeatAsync(_spaces.Recurring("FREQ=DAILY;COUNT=75", member: member));
        for (int dying = 0; dying < 12; dying++)
        {
            _spaces.App.Time.Advance(TimeSpan.FromDays(1));
            await _spaces.Get<DueSeriesRun>().RunAsync(Spaces.Cancellation);
            Envelope? message = TakeAccounting();
            if (message is null)
            {
                continue;
            }

            int commits = 0;
            _spaces.Tables.AfterCommit = _ => ++commits == 1 + (dying % 4) ? throw SeriesWorld.Death() : Task.CompletedTask;
            await DieAsync(() => _spaces.DeliverAsync(Queues.Bookings, message));
            _spaces.Tables.AfterCommit = null;
            await _spaces.DeliverAsync(Queues.Bookings, message);
        }

        Booking[] confirmed = [.. _spaces.Bookings().Where(b => b.State == BookingState.Confirmed)];
        Assert.Equal(_spaces.Bookings().Count(b => b.Series!.AccountOn <= Today), confirmed.Length);
        Assert.All(confirmed, b => Assert.True(b.Charges.Count <= 1));
        int drawn = (await _spaces.WalletAsync(member)).Used.Sum(u => u.Minutes);
        Assert.Equal(drawn, confirmed.Sum(b => b.Price.CreditMinutes));
        BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room);
    }

    private LocalDate Today => NewYork.DateOf(_spaces.Now);

    private Booking BookingOf(string date) => _spaces.Bookings().Single(b => b.Series?.Date == SeriesWorld.Day(date));

    private IReadOnlyList<string> Due() => [.. _spaces.Tables.Snapshot(BookingStore.Table, "series-due").Select(r => r.Key)];

    private Task LookAsync(BookingId id) => _spaces.DeliverAsync(
        Queues.Bookings, new Envelope("look", LookAtBooking.Subject, Flex.Platform.StorageJson.Write(new LookAtBooking(id)), null));

    /// <summary>The timer, and its messages, each delivered so many times.</summary>
    private async Task RunAsync(int copies = 1)
    {
        await _spaces.Get<DueSeriesRun>().RunAsync(Spaces.Cancellation);
        while (TakeAccounting() is { } message)
        {
            for (int copy = 0; copy < copies; copy++)
            {
                await _spaces.DeliverAsync(Queues.Bookings, message);
            }
        }
    }

    private async Task AdvanceAsync(Duration time, int copies = 1)
    {
        _spaces.App.Time.Advance(time.ToTimeSpan());
        await RunAsync(copies);
    }

    private Envelope? TakeAccounting()
    {
        while (_spaces.Queue.Take(Queues.Bookings) is { } message)
        {
            if (message.Subject == AccountSeries.Subject)
            {
                return message;
            }
        }

        return null;
    }

    private static async Task DieAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (TransientFaultException)
        {
            // That was the idea.
        }
    }
}
