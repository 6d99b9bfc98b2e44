using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class CancelBookingTests : IAsyncLifetime
{
    private static readonly BookingTerms OneDay = BookingTerms.None with { CancellationNoticeMinutes = 24 * 60 };
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 10, 15, 0);
    private Spaces _spaces = null!;
    private string _member = string.Empty;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        _member = Spaces.As(_spaces.Member);
        await _spaces.SetTermsAsync(_spaces.Room, OneDay);
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "BKG-5")]
    public async Task Exactly_24_hours_before_the_start_a_member_can_cancel_and_owes_nothing()
    {
        BookingId id = await BookAsync();
        _spaces.SetTime(Start - Duration.FromHours(24));

        Answer answer = await _spaces.CancelAsync(id, caller: _member);

        Assert.Equal(200, answer.Status);
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal(
            (BookingState.Cancelled, BookingAccounting.NotAccounted, BookingCancelReason.ByMember, _spaces.Now, _member),
            (booking.State, booking.Accounting, booking.CancelReason, booking.CancelledAt, booking.CancelledBy));
        Assert.Equal(booking.Charges.Single().Id, _spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject).Single().ChargeId);
        await _spaces.SettleAsync();
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z")).Status);
    }

    [Theory, Trait("Rule", "BKG-5")]
    [InlineData(23 * 60 + 59)]
    [InlineData(5)]
    [InlineData(-5)]
    public async Task A_minute_later_and_after_the_start_a_member_cannot_and_learns_until_when_it_was_possible(int minutesBefore)
    {
        BookingId id = await BookAsync();
        IReadOnlyList<TableRow> before = Rows();
        _spaces.SetTime(Start - Duration.FromMinutes(minutesBefore));

        Answer answer = await _spaces.CancelAsync(id, caller: _member);

        Assert.Equal((409, ErrorCodes.CancellationNotice), (answer.Status, answer.Code));
        Assert.Equal("2025-01-09T15:00:00Z", (string?)answer.Json["until"]);
        Assert.Equal(before, Rows());
    }

    /// <summary>The notice is elapsed time: over the lost hour, 24 hours before noon is eleven o'clock.</summary>
    [Theory, Trait("Rule", "BKG-5")]
    [InlineData("2025-03-08T11:00:00-05:00", 200)]
    [InlineData("2025-03-08T11:01:00-05:00", 409)]
    [InlineData("2025-03-08T12:00:00-05:00", 409)]
    public async Task The_notice_is_counted_over_a_clock_change_in_elapsed_hours(string now, int status)
    {
        BookingId id = await _spaces.BookedAsync("2025-03-09T12:00:00-04:00", "2025-03-09T13:00:00-04:00");
        _spaces.SetTime(NodaTime.Text.OffsetDateTimePattern.Rfc3339.Parse(now).Value.ToInstant());

        Assert.Equal(status, (await _spaces.CancelAsync(id, caller: _member)).Status);
    }

    [Fact, Trait("Rule", "BKG-5")]
    public async Task The_notice_is_that_of_the_resource_as_it_is_now()
    {
        BookingId id = await BookAsync();
        _spaces.SetTime(Start - Duration.FromHours(2));
        Answer inside = await _spaces.CancelAsync(id, caller: _member);
        await _spaces.SetTermsAsync(_spaces.Room, OneDay with { CancellationNoticeMinutes = 60 });

        Answer outside = await _spaces.CancelAsync(id, caller: _member);

        Assert.Equal((409, 200), (inside.Status, outside.Status));
    }

    [Fact, Trait("Rule", "BKG-5")]
    public async Task Inside_the_notice_staff_must_say_whether_they_waive()
    {
        BookingId id = await BookAsync();
        _spaces.SetTime(Start - Duration.FromHours(1));

        Answer answer = await _spaces.CancelAsync(id);

        Assert.Equal((422, ErrorCodes.InvalidValue, "/waive"), (answer.Status, answer.Code, answer.Pointer));
        Assert.Equal(BookingState.Confirmed, (await _spaces.ReadAsync(id)).State);
    }

    [Theory, Trait("Rule", "BKG-5"), Trait("Rule", "BKG-6")]
    [InlineData(60)]
    [InlineData(-30)]
    public async Task Staff_who_waive_return_everything(int minutesBefore)
    {
        await _spaces.GiveCreditAsync(30);
        BookingId id = await BookAsync();
        _spaces.SetTime(Start - Duration.FromMinutes(minutesBefore));

        await _spaces.CancelAsync(id, new { waive = true });

        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((BookingState.Cancelled, BookingAccounting.Waived), (booking.State, booking.Accounting));
        Assert.True(booking.Owed.IsZero);
        await _spaces.SettleAsync();
    }

    [Theory, Trait("Rule", "BKG-5")]
    [InlineData(60)]
    [InlineData(-30)]
    public async Task Staff_who_do_not_waive_free_the_slot_and_nothing_else(int minutesBefore)
    {
        await _spaces.GiveCreditAsync(30);
        BookingId id = await BookAsync();
        _spaces.SetTime(Start - Duration.FromMinutes(minutesBefore));

        await _spaces.CancelAsync(id, new { waive = false });

        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((BookingState.LateCancelled, BookingAccounting.Accounted), (booking.State, booking.Accounting));
        Assert.Equal((30, 600), (booking.Price.CreditMinutes, booking.Owed.Minor));
        Assert.Empty(_spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject));
        await _spaces.SettleAsync();
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z")).Status);
    }

    [Theory, Trait("Rule", "BKG-6")]
    [InlineData(60)]
    [InlineData(-300)]
    public async Task The_space_always_returns_everything(int minutesBefore)
    {
        await _spaces.GiveCreditAsync(30);
        BookingId id = await BookAsync();
        await _spaces.InvoiceAsync(id, isPaid: true);
        _spaces.SetTime(Start - Duration.FromMinutes(minutesBefore));

        await _spaces.CancelAsync(id, new { bySpace = true });

        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((BookingState.Cancelled, BookingCancelReason.BySpace), (booking.State, booking.CancelReason));
        await _spaces.SettleAsync();
    }

    [Fact]
    public async Task What_is_over_can_be_given_back_but_not_late_cancelled()
    {
        BookingId id = await BookAsync();
        _spaces.SetTime(Start + Duration.FromHours(2));

        Answer late = await _spaces.CancelAsync(id, new { waive = false });
        Answer whole = await _spaces.CancelAsync(id, new { waive = true });

        Assert.Equal((409, ErrorCodes.InvalidTransition, 200), (late.Status, late.Code, whole.Status));
    }

    [Theory]
    [InlineData("""{"waive":true}""")]
    [InlineData("""{"waive":false}""")]
    [InlineData("""{"bySpace":true}""")]
    public async Task Only_staff_may_waive_or_cancel_for_the_space(string body)
    {
        BookingId id = await BookAsync();

        Answer answer = await _spaces.CancelAsync(id, body, _member);

        Assert.Equal((403, ErrorCodes.Forbidden), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Another_members_booking_answers_as_one_that_does_not_exist()
    {
        BookingId id = await BookAsync();
        string other = Spaces.As(await _spaces.AddMemberAsync());

        Assert.Equal(404, (await _spaces.CancelAsync(id, caller: other)).Status);
        Assert.Equal(404, (await _spaces.CancelAsync(EntityId.Derive<BookingId>("none", EntityId.Home(_spaces.Location)))).Status);
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task A_repetition_with_its_key_is_answered_alike_and_without_one_refused()
    {
        BookingId id = await BookAsync();
        Answer first = await _spaces.CancelAsync(id, key: "k");
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(3));

        Answer repeat = await _spaces.CancelAsync(id, key: "k");
        Answer again = await _spaces.CancelAsync(id);

        Assert.Equal((200, first.Body), (repeat.Status, repeat.Body));
        Assert.Equal((409, ErrorCodes.InvalidTransition), (again.Status, again.Code));
        Assert.Equal("cancelled", (string?)again.Json["state"]?.GetValue<string>().ToLowerInvariant());
    }

    [Fact]
    public async Task A_booking_that_has_changed_since_it_was_read_is_412()
    {
        BookingId id = await BookAsync();

        Answer stale = await _spaces.SendAsync("Bookings_Cancel", new { }, id: id.Value, headers: ("If-Match", "\"9\""));

        Assert.Equal((412, ErrorCodes.Stale), (stale.Status, stale.Code));
        Assert.Equal(BookingState.Confirmed, (await _spaces.ReadAsync(id)).State);
    }

    [Fact, Trait("Rule", "BKG-11")]
    public async Task A_hold_is_cancelled_at_any_time_but_not_while_it_is_being_paid()
    {
        Answer held = await _spaces.SendAsync(
            "Bookings_Create",
            new { resourceId = _spaces.Room.Value, start = "2025-01-01T01:00:00Z", end = "2025-01-01T02:00:00Z", memberId = _spaces.Member.Value, hold = true });
        Booking booking = await _spaces.FindAsync(held);
        Booking paying = booking.BeginPayment("K|", booking.Price, booking.Price.Fee, _spaces.Now);

        Result<Booking> refused = BookingCancellation.Decide(
            paying, OneDay, new CancelBookingRequest(), new Caller(Role.Member, _member, _spaces.Member), _spaces.Now);

        Assert.Equal(ErrorCodes.PaymentInProgress, refused.Error?.Code);
        Assert.Equal(200, (await _spaces.CancelAsync(booking.Id, caller: _member)).Status);
        await _spaces.SettleAsync();
    }

    [Fact, Trait("Rule", "BKG-6")]
    public async Task Credits_come_back_to_the_cycle_they_were_taken_from()
    {
        await _spaces.GiveCreditAsync(60);
        BookingId id = await BookAsync();
        Assert.Equal(60, (await _spaces.ReadAsync(id)).Price.CreditMinutes);

        await _spaces.CancelAsync(id, caller: _member);

        await _spaces.SettleAsync();
        Assert.Equal(60, (await _spaces.ReadAsync(await BookAsync())).Price.CreditMinutes);
    }

    [Fact]
    public async Task It_costs_three_storage_calls_and_two_more_with_a_wallet()
    {
        BookingId plain = await BookAsync();
        await _spaces.GiveCreditAsync(60);
        BookingId drawn = await _spaces.BookedAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z");

        using (StorageCallScope calls = StorageCalls.Measure())
        {
            await _spaces.CancelAsync(plain, key: "a");
            Assert.Equal(3, calls.Count);
        }

        using (StorageCallScope calls = StorageCalls.Measure())
        {
            await _spaces.CancelAsync(drawn, key: "b");
            Assert.Equal(5, calls.Count);
        }
    }

    /// <summary>Killed before each commit; then the request comes again, or only what was queued is delivered.</summary>
    [Theory, Trait("Rule", "BKG-6")]
    [InlineData(1, true)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    public async Task A_cancellation_that_is_cut_off_is_finished_or_never_was(int killedAt, bool isRepeated)
    {
        await _spaces.GiveCreditAsync(30);
        BookingId id = await BookAsync();
        await _spaces.DrainAsync(Queues.Bookings);
        int commits = 0;
        _spaces.Tables.BeforeCommit = _ => ++commits == killedAt ? throw new TransientFaultException("killed") : Task.CompletedTask;
        Assert.Equal(503, (await _spaces.CancelAsync(id, caller: _member, key: "k")).Status);
        _spaces.Tables.BeforeCommit = null;

        if (isRepeated)
        {
            Assert.Equal(200, (await _spaces.CancelAsync(id, caller: _member, key: "k")).Status);
        }

        await _spaces.SettleAsync();
        Assert.Equal(killedAt == 1 && !isRepeated ? BookingState.Confirmed : BookingState.Cancelled, (await _spaces.ReadAsync(id)).State);
    }

    [Fact]
    public async Task Twenty_cancellations_at_once_cancel_once()
    {
        await _spaces.GiveCreditAsync(30);
        BookingId id = await BookAsync();

        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => _spaces.CancelAsync(id))));

        Assert.Equal(1, answers.Count(a => a.Status == 200));
        Assert.Equal(19, answers.Count(a => a is { Status: 409, Code: ErrorCodes.InvalidTransition }));
        Assert.Single(_spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject));
        await _spaces.SettleAsync();
    }

    private Task<BookingId> BookAsync() => _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");

    private IReadOnlyList<TableRow> Rows() => _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location));
}
