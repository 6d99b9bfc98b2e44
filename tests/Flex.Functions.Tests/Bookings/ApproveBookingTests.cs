using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>A room whose bookings staff approve until an hour before their start. It is 1 January; the booking is on the 10th, 15:00Z.</summary>
public sealed class ApproveBookingTests : IAsyncLifetime
{
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 10, 15, 0);
    private static readonly BookingTerms Guarded = BookingTerms.None with
    {
        RequiresApproval = true,
        ApprovalDeadlineMinutes = 60,
        CheckInGraceMinutes = 10,
        CancellationNoticeMinutes = 24 * 60,
    };

    private Spaces _spaces = null!;
    private string _member = string.Empty;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        _member = Spaces.As(_spaces.Member);
        await _spaces.SetTermsAsync(_spaces.Room, Guarded);
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "BKG-10")]
    public async Task A_members_booking_holds_its_slot_and_is_charged_when_it_is_approved()
    {
        BookingId id = await AskAsync();
        Assert.Equal(ErrorCodes.BookingConflict, (await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z")).Code);
        Assert.Empty(_spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject));

        Answer answer = await ApproveAsync(id);

        Assert.Equal(200, answer.Status);
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal(
            (BookingState.Confirmed, BookingAccounting.Accounted, 1200, Start + Duration.FromMinutes(10)),
            (booking.State, booking.Accounting, booking.Owed.Minor, booking.ActBy));
        Assert.Equal(new BookingApproval("staff-1", _spaces.Now), booking.Approval);
        await _spaces.SettleAsync();
    }

    [Fact, Trait("Rule", "BKG-10")]
    public async Task It_draws_on_the_wallet_when_it_is_approved_and_not_before()
    {
        await _spaces.GiveCreditAsync(45);
        BookingId id = await AskAsync();
        BookingId sooner = await _spaces.BookedAsync("2025-01-11T15:00:00Z", "2025-01-11T15:30:00Z");
        Assert.Equal(30, (await _spaces.ReadAsync(sooner)).Price.CreditMinutes);

        await ApproveAsync(id);

        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((15, 900), (booking.Price.CreditMinutes, booking.Owed.Minor));
        await _spaces.SettleAsync();
    }

    [Fact, Trait("Rule", "BKG-10")]
    public async Task A_rejection_frees_the_slot_and_says_who_rejected()
    {
        BookingId id = await AskAsync();

        Answer answer = await _spaces.SendAsync("Bookings_Reject", id: id.Value);

        Assert.Equal((200, "rejected"), (answer.Status, (string?)answer.Json["cancelReason"]));
        Assert.Equal("staff-1", (await _spaces.ReadAsync(id)).CancelledBy);
        Assert.Equal<(int, string?)>((409, ErrorCodes.InvalidTransition), Refused(await ApproveAsync(id)));
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z")).Status);
        await _spaces.SettleAsync();
    }

    [Theory, Trait("Rule", "BKG-10")]
    [InlineData(-1, BookingState.Tentative)]
    [InlineData(0, BookingState.Cancelled)]
    public async Task Not_approved_an_hour_before_its_start_it_is_cancelled(int seconds, BookingState state)
    {
        BookingId id = await AskAsync();
        Envelope look = _spaces.Queue.Take(Queues.Bookings)!;
        while (look.Subject != LookAtBooking.Subject)
        {
            look = _spaces.Queue.Take(Queues.Bookings)!;
        }

        _spaces.SetTime(Start - Duration.FromHours(1) + Duration.FromSeconds(seconds));

        await _spaces.DeliverAsync(Queues.Bookings, look);

        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((state, state == BookingState.Cancelled ? BookingCancelReason.NotApproved : null), (booking.State, booking.CancelReason));
        await _spaces.SettleAsync();
    }

    /// <summary>The deadline counts, not when its message comes.</summary>
    [Fact, Trait("Rule", "BKG-10")]
    public async Task At_the_deadline_it_can_neither_be_approved_nor_rejected_any_more()
    {
        BookingId id = await AskAsync();
        _spaces.SetTime(Start - Duration.FromHours(1));

        Assert.Equal<(int, string?)>((409, ErrorCodes.InvalidTransition), Refused(await ApproveAsync(id)));
        Assert.Equal<(int, string?)>((409, ErrorCodes.InvalidTransition), Refused(await _spaces.SendAsync("Bookings_Reject", id: id.Value)));
    }

    [Theory, Trait("Rule", "BKG-10")]
    [InlineData(60, 422)]
    [InlineData(65, 201)]
    public async Task What_cannot_be_approved_in_time_cannot_be_asked_for(int minutesBefore, int status)
    {
        _spaces.SetTime(Start - Duration.FromMinutes(minutesBefore));

        Answer answer = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", _member);

        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 422 ? "approvalDeadlineMinutes" : null, (string?)answer.Json["rule"]);
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z")).Status);
    }

    [Fact, Trait("Rule", "BKG-10")]
    public async Task The_members_standing_is_looked_at_again_and_a_refusal_changes_nothing()
    {
        await _spaces.GiveCreditAsync(30);
        BookingId id = await AskAsync();
        MembershipStanding standing = await _spaces.StandingAsync();
        await _spaces.SetStandingAsync(_spaces.Member, standing with { Status = MembershipStatus.Delinquent, Version = 9 });

        Answer answer = await ApproveAsync(id);

        Assert.Equal<(int, string?)>((409, ErrorCodes.PaymentRequired), Refused(answer));
        Assert.Equal(BookingState.Tentative, (await _spaces.ReadAsync(id)).State);
        await _spaces.SettleAsync();
    }

    [Fact]
    public async Task Only_what_waits_for_it_is_approved_and_only_staff_do()
    {
        BookingId confirmed = await _spaces.BookedAsync("2025-01-12T15:00:00Z", "2025-01-12T16:00:00Z");
        BookingId tentative = await AskAsync();

        Assert.Equal<(int, string?)>((409, ErrorCodes.InvalidTransition), Refused(await ApproveAsync(confirmed)));
        Assert.Equal(403, (await _spaces.SendAsync("Bookings_Approve", caller: _member, id: tentative.Value)).Status);
        Assert.Equal(403, (await _spaces.SendAsync("Bookings_Reject", caller: _member, id: tentative.Value)).Status);
        Assert.Equal(404, (await ApproveAsync(EntityId.Derive<BookingId>("none", EntityId.Home(_spaces.Location)))).Status);
        Assert.Equal(412, (await _spaces.SendAsync("Bookings_Approve", id: tentative.Value, headers: ("If-Match", "\"7\""))).Status);
    }

    [Fact, Trait("Rule", "BKG-10")]
    public async Task Before_it_is_approved_its_member_cancels_it_whatever_the_notice()
    {
        BookingId id = await AskAsync();
        _spaces.SetTime(Start - Duration.FromHours(2));

        Assert.Equal(200, (await _spaces.CancelAsync(id, caller: _member)).Status);
        await _spaces.SettleAsync();
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task A_repetition_with_its_key_is_answered_alike()
    {
        BookingId id = await AskAsync();
        Answer first = await _spaces.SendAsync("Bookings_Approve", id: id.Value, headers: ("Idempotency-Key", "k"));

        Answer repeat = await _spaces.SendAsync("Bookings_Approve", id: id.Value, headers: ("Idempotency-Key", "k"));

        Assert.Equal((200, first.Body), (repeat.Status, repeat.Body));
    }

    [Fact, Trait("Rule", "BKG-10")]
    public async Task Two_approvals_at_once_confirm_and_charge_once()
    {
        await _spaces.GiveCreditAsync(30);
        BookingId id = await AskAsync();

        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => ApproveAsync(id))));

        Assert.Equal(1, answers.Count(a => a.Status == 200));
        Assert.Single(_spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject));
        await _spaces.SettleAsync();
    }

    /// <summary>Something else happens in another process before the draw (1) or between the draw and the confirmation (2).</summary>
    [Theory, Trait("Rule", "BKG-10")]
    [InlineData("approve", 1)]
    [InlineData("approve", 2)]
    [InlineData("cancel", 1)]
    [InlineData("cancel", 2)]
    [InlineData("reject", 1)]
    [InlineData("reject", 2)]
    [InlineData("expire", 1)]
    [InlineData("expire", 2)]
    [InlineData("move", 1)]
    [InlineData("move", 2)]
    [InlineData("downgrade", 2)]
    public async Task Whatever_happens_during_an_approval_nothing_is_lost_and_nothing_doubled(string what, int at)
    {
        await _spaces.GiveCreditAsync(30);
        BookingId id = await AskAsync();
        using Spaces other = _spaces.OtherProcess();
        int commits = 0;
        _spaces.Tables.BeforeCommit = async _ =>
        {
            if (++commits == at)
            {
                _spaces.Tables.BeforeCommit = null;
                await DoAsync(other, id, what);
            }
        };

        Answer answer = await ApproveAsync(id);

        Assert.Equal(what == "move" ? 200 : 409, answer.Status);
        await _spaces.SettleAsync();
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal(what is "approve" or "move" ? BookingState.Confirmed : BookingState.Cancelled, booking.State);
        Assert.Equal(what == "move" ? 1800 : what == "approve" ? 600 : 0, booking.Owed.Minor);
    }

    [Theory, Trait("Rule", "BKG-10")]
    [InlineData(1, "approve")]
    [InlineData(2, "approve")]
    [InlineData(2, "move")]
    [InlineData(2, "cancel")]
    [InlineData(2, "reject")]
    [InlineData(2, "expire")]
    public async Task An_approval_that_was_cut_off_is_finished_or_undone_by_what_comes_next(int killedAt, string next)
    {
        BookingId id = await AskAsync();

        // What it draws, its estimate knew nothing of.
        await _spaces.GiveCreditAsync(30);
        int commits = 0;
        _spaces.Tables.BeforeCommit = _ => ++commits == killedAt ? throw new TransientFaultException("killed") : Task.CompletedTask;
        Assert.Equal(503, (await ApproveAsync(id)).Status);
        _spaces.Tables.BeforeCommit = null;

        await DoAsync(_spaces, id, next);
        if (next == "move")
        {
            Assert.Equal(200, (await ApproveAsync(id)).Status);
        }

        await _spaces.SettleAsync();
    }

    [Fact]
    public async Task It_costs_four_storage_calls_and_two_more_with_a_wallet()
    {
        BookingId warm = await _spaces.BookedAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z", caller: _member);
        await ApproveAsync(warm);
        BookingId plain = await AskAsync();
        using (StorageCallScope calls = StorageCalls.Measure())
        {
            await ApproveAsync(plain);
            Assert.Equal(4, calls.Count);
        }

        await _spaces.GiveCreditAsync(30);
        BookingId drawn = await _spaces.BookedAsync("2025-01-13T15:00:00Z", "2025-01-13T16:00:00Z", caller: _member);
        using (StorageCallScope calls = StorageCalls.Measure())
        {
            await ApproveAsync(drawn);
            Assert.Equal(6, calls.Count);
        }
    }

    private Task<BookingId> AskAsync() => _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", caller: _member);

    private Task<Answer> ApproveAsync(BookingId id) => _spaces.SendAsync("Bookings_Approve", id: id.Value);

    private static (int, string?) Refused(Answer answer) => (answer.Status, answer.Code);

    private static async Task DoAsync(Spaces process, BookingId id, string what)
    {
        switch (what)
        {
            case "approve":
                Assert.Equal(200, (await process.SendAsync("Bookings_Approve", id: id.Value)).Status);
                break;
            case "cancel":
                Assert.Equal(200, (await process.CancelAsync(id, caller: Spaces.As(process.Member))).Status);
                break;
            case "reject":
                Assert.Equal(200, (await process.SendAsync("Bookings_Reject", id: id.Value)).Status);
                break;
            case "expire":
                process.SetTime(Start - Duration.FromHours(1));
                await process.DeliverAsync(
                    Queues.Bookings, new Envelope("look", LookAtBooking.Subject, StorageJson.Write(new LookAtBooking(id)), null));
                break;
            case "move":
                Assert.Equal(200, (await process.ChangeAsync(id, new { end = "2025-01-10T17:00:00Z" }, Spaces.As(process.Member))).Status);
                break;
            case "downgrade":
                await process.DowngradeAsync(await process.StandingAsync());
                await process.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(process.Member, process.Now - Duration.FromDays(1)));
                await process.DrainAsync(Queues.Bookings);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
    }
}
