using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>One hour at 12.00 on 10 January, 15:00Z, in a room with a day's notice.</summary>
public sealed class ChangeBookingTests : IAsyncLifetime
{
    private static readonly BookingTerms OneDay = BookingTerms.None with { CancellationNoticeMinutes = 24 * 60 };
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 10, 15, 0);
    private static readonly object Longer = new { end = "2025-01-10T17:00:00Z" };
    private static readonly object Shorter = new { end = "2025-01-10T15:30:00Z" };
    private static readonly object Later = new { start = "2025-01-11T15:00:00Z" };
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

    [Fact, Trait("Rule", "BKG-7")]
    public async Task A_booking_that_is_not_invoiced_is_charged_anew_at_the_new_price()
    {
        BookingId id = await BookAsync();

        Answer answer = await _spaces.ChangeAsync(id, Longer, _member);

        AssertSummary(answer, charged: "12.00", invoiced: "0.00", paid: "0.00", newPrice: "24.00", delta: "12.00", "extraCharge");
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal(2400, booking.Owed.Minor);
        Assert.Equal(2, booking.Charges.Count);
        ChargeCreated charge = _spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject)[^1];
        Assert.Equal("Red room, 2025-01-10 10:00 to 12:00", charge.Description);
        await _spaces.SettleAsync();
    }

    /// <summary>Found by a world in which the booking was cancelled between the two.</summary>
    [Fact, Trait("Rule", "API-2")]
    public async Task A_change_that_changes_nothing_is_answered_the_same_again_and_needs_no_key()
    {
        BookingId id = await BookAsync();
        object same = new { start = "2025-01-10T15:00:00Z" };

        Answer first = await _spaces.ChangeAsync(id, same, _member, key: "k");
        Answer keyless = await _spaces.ChangeAsync(id, same, _member);
        await _spaces.CancelAsync(id);
        Answer repeat = await _spaces.ChangeAsync(id, same, _member, key: "k");

        Assert.Equal((200, 200), (first.Status, keyless.Status));
        Assert.Equal((200, first.Body), (repeat.Status, repeat.Body));
    }

    [Fact, Trait("Rule", "BKG-7")]
    public async Task A_shorter_booking_that_is_not_invoiced_is_charged_less()
    {
        BookingId id = await BookAsync();

        Answer answer = await _spaces.ChangeAsync(id, Shorter, _member);

        AssertSummary(answer, charged: "12.00", invoiced: "0.00", paid: "0.00", newPrice: "6.00", delta: "-6.00", "reducedCharge");
        Assert.Equal(600, (await _spaces.ReadAsync(id)).Owed.Minor);
        await _spaces.SettleAsync();
    }

    /// <summary>The bug this rule is for: the summary of a paid booking must not show its new price as if that were still to be paid.</summary>
    [Theory, Trait("Rule", "BKG-7")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_an_invoiced_booking_costs_more_is_a_charge_of_the_difference(bool isPaid)
    {
        BookingId id = await BookAsync();
        await _spaces.InvoiceAsync(id, isPaid);
        await _spaces.SetRateAsync("15.00");

        Answer preview = await _spaces.SendAsync("Bookings_PreviewChange", Longer, _member, id.Value);
        Answer answer = await _spaces.ChangeAsync(id, Longer, _member);

        AssertSummary(preview, charged: "12.00", invoiced: "12.00", paid: isPaid ? "12.00" : "0.00", newPrice: "30.00", delta: "18.00", "extraCharge");
        Assert.Equal(preview.Json["summary"]!.ToJsonString(), answer.Json["summary"]!.ToJsonString());
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal([1200, 1800], booking.Charges.Select(c => c.Owed.Minor));
        Assert.Equal(BookingAccounting.Accounted, booking.Accounting);
        Assert.Empty(_spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject));
        await _spaces.SettleAsync();
    }

    [Theory, Trait("Rule", "BKG-7")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_an_invoiced_booking_costs_less_is_credited(bool isPaid)
    {
        BookingId id = await BookAsync();
        await _spaces.InvoiceAsync(id, isPaid);

        Answer answer = await _spaces.ChangeAsync(id, Shorter, _member);

        AssertSummary(answer, charged: "12.00", invoiced: "12.00", paid: isPaid ? "12.00" : "0.00", newPrice: "6.00", delta: "-6.00", "creditNote");
        Booking booking = await _spaces.ReadAsync(id);
        ChargeReduced reduced = Assert.Single(_spaces.Queue.On<ChargeReduced>(Queues.Billing, ChargeReduced.Subject));
        Assert.Equal((booking.Charges.Single().Id, 600), (reduced.ChargeId, reduced.By.Minor));
        Assert.Equal(isPaid ? BookingAccounting.Paid : BookingAccounting.Invoiced, booking.Accounting);
        await _spaces.SettleAsync();
    }

    [Theory, Trait("Rule", "BKG-7")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_of_the_rate_alone_costs_nothing(bool isInvoiced)
    {
        BookingId id = await BookAsync();
        if (isInvoiced)
        {
            await _spaces.InvoiceAsync(id, isPaid: true);
        }

        await _spaces.SetRateAsync("20.00");
        Booking before = await _spaces.ReadAsync(id);

        Answer preview = await _spaces.SendAsync("Bookings_PreviewChange", new { }, _member, id.Value);
        Answer answer = await _spaces.ChangeAsync(id, new { resourceId = _spaces.Room.Value, start = "2025-01-10T15:00:00Z" }, _member);

        string paid = isInvoiced ? "12.00" : "0.00";
        AssertSummary(preview, charged: "12.00", invoiced: paid, paid, newPrice: "12.00", delta: "0.00", "none");
        AssertSummary(answer, charged: "12.00", invoiced: paid, paid, newPrice: "12.00", delta: "0.00", "none");
        Assert.Equal(before.Version, (await _spaces.ReadAsync(id)).Version);
    }

    [Fact, Trait("Rule", "BKG-7")]
    public async Task A_move_at_the_same_price_after_the_invoice_moves_no_money()
    {
        BookingId id = await BookAsync();
        await _spaces.InvoiceAsync(id, isPaid: true);

        Answer answer = await _spaces.ChangeAsync(id, Later, _member);

        AssertSummary(answer, charged: "12.00", invoiced: "12.00", paid: "12.00", newPrice: "12.00", delta: "0.00", "none");
        Assert.Equal(BookingAccounting.Paid, (await _spaces.ReadAsync(id)).Accounting);
        Assert.Single(_spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject));
        await _spaces.SettleAsync();
    }

    /// <summary>12.00 on an invoice and 12.00 that waits for one: the waiting charge goes first, the invoiced one is credited for the rest.</summary>
    [Theory, Trait("Rule", "BKG-7")]
    [InlineData("2025-01-10T16:30:00Z", "18.00", "reducedCharge", new[] { 1200L, 0, 600 })]
    [InlineData("2025-01-10T16:00:00Z", "12.00", "reducedCharge", new[] { 1200L, 0 })]
    [InlineData("2025-01-10T15:15:00Z", "3.00", "creditNote", new[] { 300L, 0 })]
    public async Task Charges_that_wait_are_replaced_before_invoiced_ones_are_credited(string end, string newPrice, string settlement, long[] owed)
    {
        BookingId id = await BookAsync();
        await _spaces.InvoiceAsync(id, isPaid: true);
        await _spaces.ChangeAsync(id, Longer);

        Answer answer = await _spaces.ChangeAsync(id, new { end });

        Assert.Equal(newPrice, (string?)answer.Json["summary"]!["newPrice"]!["amount"]);
        Assert.Equal(settlement, (string?)answer.Json["summary"]!["settlement"]);
        Assert.Equal(owed, (await _spaces.ReadAsync(id)).Charges.Select(c => c.Owed.Minor));
        await _spaces.SettleAsync();
    }

    [Fact, Trait("Rule", "BKG-7")]
    public async Task Down_to_nothing_and_up_again_the_bills_follow()
    {
        ResourceId free = await _spaces.AddRoomAsync(OneDay, await _spaces.AddRateAsync("0.00"));
        BookingId id = await BookAsync();
        await _spaces.InvoiceAsync(id, isPaid: true);

        await _spaces.ChangeAsync(id, Shorter);
        await _spaces.ChangeAsync(id, new { resourceId = free.Value });
        Booking nothing = await _spaces.ReadAsync(id);
        Answer again = await _spaces.ChangeAsync(id, new { resourceId = _spaces.Room.Value, end = "2025-01-10T16:00:00Z" });

        Assert.Equal((0, BookingAccounting.NotAccounted), (nothing.Owed.Minor, nothing.Accounting));
        AssertSummary(again, charged: "0.00", invoiced: "0.00", paid: "0.00", newPrice: "12.00", delta: "12.00", "extraCharge");
        await _spaces.SettleAsync(free);
    }

    [Fact]
    public async Task To_another_room_the_old_slot_is_freed_and_the_new_one_taken_in_one_commit()
    {
        ResourceId other = await _spaces.AddRoomAsync(OneDay with { BufferAfterMinutes = 30 }, await _spaces.AddRateAsync("20.00"));
        BookingId id = await BookAsync();

        Answer answer = await _spaces.ChangeAsync(id, new { resourceId = other.Value }, _member);

        Assert.Equal("20.00", (string?)answer.Json["booking"]!["price"]!["amount"]);
        Assert.Equal(_spaces.Room.Value, (string?)answer.Json["booking"]!["moves"]![0]!["from"]!["resourceId"]);
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((other, 30, _member), (booking.ResourceId, booking.Buffers.After, booking.Changes[^1].By));
        Assert.Equal(ErrorCodes.BookingConflict, (await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T16:30:00Z", room: other)).Code);
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z")).Status);
        await _spaces.SettleAsync(other);
    }

    [Theory]
    [InlineData("2025-01-10T15:30:00Z")]
    [InlineData("2025-01-31T23:30:00Z")]
    [InlineData("2025-02-10T15:00:00Z")]
    public async Task A_move_into_its_own_time_another_month_or_over_its_end_leaves_one_slot(string start)
    {
        BookingId id = await BookAsync();

        Assert.Equal(200, (await _spaces.ChangeAsync(id, new { start })).Status);

        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal(Duration.FromHours(1), booking.End - booking.Start);
        await _spaces.SettleAsync();
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task A_slot_that_is_taken_is_refused_and_nothing_changes()
    {
        BookingId id = await BookAsync();
        await _spaces.BookAsync("2025-01-11T15:30:00Z", "2025-01-11T16:30:00Z");
        IReadOnlyList<TableRow> before = Rows();

        Answer preview = await _spaces.SendAsync("Bookings_PreviewChange", Later, _member, id.Value);
        Answer answer = await _spaces.ChangeAsync(id, Later, _member);

        Assert.Equal((409, ErrorCodes.BookingConflict), (preview.Status, preview.Code));
        Assert.Equal((409, ErrorCodes.BookingConflict), (answer.Status, answer.Code));
        Assert.Equal("2025-01-11T15:30:00Z", (string?)answer.Json["conflict"]!["start"]);
        Assert.Equal(before, Rows());
    }

    [Theory, Trait("Rule", "BKG-5")]
    [InlineData(24 * 60, 200, null)]
    [InlineData((23 * 60) + 59, 409, ErrorCodes.CancellationNotice)]
    public async Task Members_change_until_the_notice_staff_until_the_start(int minutesBefore, int status, string? code)
    {
        BookingId id = await BookAsync();
        _spaces.SetTime(Start - Duration.FromMinutes(minutesBefore));

        Answer answer = await _spaces.ChangeAsync(id, Later, _member);

        Assert.Equal((status, code), (answer.Status, code is null ? null : answer.Code));
        Assert.Equal(200, (await _spaces.ChangeAsync(id, new { start = "2025-01-12T15:00:00Z" })).Status);
    }

    [Fact]
    public async Task What_has_begun_or_ended_stays_as_it_is()
    {
        BookingId begun = await BookAsync();
        BookingId cancelled = await _spaces.BookedAsync("2025-01-12T15:00:00Z", "2025-01-12T16:00:00Z");
        await _spaces.CancelAsync(cancelled);
        _spaces.SetTime(Start);

        Answer first = await _spaces.ChangeAsync(begun, Later);
        Answer second = await _spaces.ChangeAsync(cancelled, Later);

        Assert.Equal((409, ErrorCodes.InvalidTransition), (first.Status, first.Code));
        Assert.Equal((409, ErrorCodes.InvalidTransition), (second.Status, second.Code));
    }

    [Theory]
    [InlineData("""{"start":"2025-01-10T15:03:00Z"}""", 422, ErrorCodes.TimeOffGrid, "/start")]
    [InlineData("""{"end":"2025-01-10T15:00:00Z"}""", 422, ErrorCodes.EndBeforeStart, "/end")]
    [InlineData("""{"end":"2025-01-10T14:00:00Z"}""", 422, ErrorCodes.EndBeforeStart, "/end")]
    [InlineData("""{"start":"2024-12-30T15:00:00Z"}""", 422, ErrorCodes.InThePast, "/start")]
    [InlineData("""{"resourceId":"res_00000000000000000000000000"}""", 422, ErrorCodes.UnknownReference, "/resourceId")]
    [InlineData("""{"end":"2025-01-10T16:00:00Z","price":1}""", 400, ErrorCodes.MalformedRequest, "/price")]
    public async Task Bad_changes_have_their_codes_and_change_nothing(string body, int status, string code, string pointer)
    {
        BookingId id = await BookAsync();
        IReadOnlyList<TableRow> before = Rows();

        Answer answer = await _spaces.ChangeAsync(id, body);

        Assert.Equal((status, code, pointer), (answer.Status, answer.Code, answer.Pointer));
        Assert.Equal(before, Rows());
    }

    [Fact]
    public async Task Another_location_is_422_and_somebody_elses_booking_404()
    {
        BookingId id = await BookAsync();
        LocationId elsewhere = await _spaces.AddAsync<LocationId>("Locations_Create", new { name = "Far", timeZone = "America/New_York", currency = "usd" });
        ResourceId far = await _spaces.AddAsync<ResourceId>(
            "Resources_Create", new { locationId = elsewhere.Value, name = "Far", kind = "meetingRoom", capacity = 4, rateId = _spaces.Rate.Value });

        Answer moved = await _spaces.ChangeAsync(id, new { resourceId = far.Value });
        Answer others = await _spaces.ChangeAsync(id, Later, Spaces.As(await _spaces.AddMemberAsync()));

        Assert.Equal((422, ErrorCodes.InvalidValue, "/resourceId"), (moved.Status, moved.Code, moved.Pointer));
        Assert.Equal((404, ErrorCodes.NotFound), (others.Status, others.Code));
    }

    [Fact, Trait("Rule", "BKG-4")]
    public async Task The_policy_of_the_new_slot_counts_and_staff_may_set_it_aside_for_the_record()
    {
        ResourceId strict = await _spaces.AddRoomAsync(BookingTerms.None with { MinMinutes = 120 });
        BookingId id = await BookAsync();

        Answer member = await _spaces.ChangeAsync(id, new { resourceId = strict.Value }, _member);
        Answer presumptuous = await _spaces.ChangeAsync(id, new { resourceId = strict.Value, overridePolicy = true }, _member);
        Answer staff = await _spaces.ChangeAsync(id, new { resourceId = strict.Value, overridePolicy = true });

        Assert.Equal((422, ErrorCodes.BookingPolicy, "minMinutes"), (member.Status, member.Code, (string?)member.Json["rule"]));
        Assert.Equal((403, 200), (presumptuous.Status, staff.Status));
        Assert.Equal("minMinutes", (string?)staff.Json["booking"]!["overrides"]![0]!["rule"]);
        await _spaces.SettleAsync(strict);
    }

    [Fact, Trait("Rule", "BKG-10")]
    public async Task Members_do_not_get_around_an_approval_by_moving_a_booking_there()
    {
        ResourceId guarded = await _spaces.AddRoomAsync(BookingTerms.None with { RequiresApproval = true });
        BookingId id = await BookAsync();

        Answer member = await _spaces.ChangeAsync(id, new { resourceId = guarded.Value }, _member);

        Assert.Equal((422, "requiresApproval"), (member.Status, (string?)member.Json["rule"]));
        Assert.Equal(200, (await _spaces.ChangeAsync(id, new { resourceId = guarded.Value })).Status);
    }

    [Theory, Trait("Rule", "MEM-14"), Trait("Rule", "MEM-12")]
    [InlineData(MembershipStatus.Delinquent, false, ErrorCodes.PaymentRequired)]
    [InlineData(MembershipStatus.Delinquent, true, null)]
    [InlineData(MembershipStatus.PendingCancellation, true, ErrorCodes.MembershipEndsBefore)]
    public async Task Standing_counts_for_what_is_added(MembershipStatus status, bool isSameLength, string? code)
    {
        BookingId id = await BookAsync();
        MembershipStanding standing = await _spaces.StandingAsync();
        await _spaces.SetStandingAsync(
            _spaces.Member, standing with { Status = status, EndsAt = Instant.FromUtc(2025, 1, 11, 0, 0), Version = 2 });
        if (status == MembershipStatus.Delinquent)
        {
            await _spaces.SetStandingAsync(_spaces.Member, standing with { Status = status, Version = 3 });
        }

        Answer answer = await _spaces.ChangeAsync(id, isSameLength ? Later : Longer);

        Assert.Equal(code is null ? 200 : 409, answer.Status);
        Assert.Equal(code, code is null ? null : answer.Code);
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_change_with_a_quote_is_made_at_its_price_or_not_at_all()
    {
        BookingId id = await BookAsync();
        Answer preview = await _spaces.SendAsync("Bookings_PreviewChange", Longer, _member, id.Value);
        string quote = (string)preview.Json["quoteId"]!;
        await _spaces.SetRateAsync("15.00");
        object body = new { end = "2025-01-10T17:00:00Z", quoteId = quote };

        Answer dearer = await _spaces.ChangeAsync(id, body, _member);
        await _spaces.SetRateAsync("12.00");
        Answer honoured = await _spaces.ChangeAsync(id, body, _member);

        Assert.Equal((409, ErrorCodes.QuoteStale, 200), (dearer.Status, dearer.Code, honoured.Status));
        Assert.Equal("2025-01-01T00:10:00Z", (string?)preview.Json["quoteExpiresAt"]);
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_preview_changes_nothing_and_says_what_the_wallet_will_give()
    {
        await _spaces.GiveCreditAsync(90);
        BookingId id = await BookAsync();
        IReadOnlyList<TableRow> before = Rows();
        IReadOnlyList<TableRow> wallet = _spaces.Tables.Snapshot(WalletStore.Table, _spaces.Member.Value);

        Answer preview = await _spaces.SendAsync("Bookings_PreviewChange", Longer, _member, id.Value);

        Assert.Equal(90, (int)preview.Json["creditMinutes"]!);
        AssertSummary(preview, charged: "0.00", invoiced: "0.00", paid: "0.00", newPrice: "6.00", delta: "6.00", "extraCharge");
        Assert.Equal(before, Rows());
        Assert.Equal(wallet, _spaces.Tables.Snapshot(WalletStore.Table, _spaces.Member.Value));
    }

    [Theory, Trait("Rule", "BKG-7"), Trait("Rule", "BKG-8")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_the_old_slot_took_pays_for_the_new_one(bool isQuoted)
    {
        await _spaces.GiveCreditAsync(90);
        BookingId id = await BookAsync();
        string? quote = isQuoted ? (string?)(await _spaces.SendAsync("Bookings_PreviewChange", Longer, _member, id.Value)).Json["quoteId"] : null;

        Answer answer = await _spaces.ChangeAsync(id, new { end = "2025-01-10T17:00:00Z", quoteId = quote }, _member);

        AssertSummary(answer, charged: "0.00", invoiced: "0.00", paid: "0.00", newPrice: "6.00", delta: "6.00", "extraCharge");
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((90, 600, null), (booking.Price.CreditMinutes, booking.Owed.Minor, booking.Change));
        await _spaces.SettleAsync();
    }

    [Fact, Trait("Rule", "CRD-6")]
    public async Task Where_the_new_slot_takes_nothing_everything_comes_back()
    {
        ResourceId other = await _spaces.AddRoomAsync(OneDay);
        await _spaces.GiveCreditAsync(90);
        BookingId id = await BookAsync();

        Answer answer = await _spaces.ChangeAsync(id, new { resourceId = other.Value }, _member);

        AssertSummary(answer, charged: "0.00", invoiced: "0.00", paid: "0.00", newPrice: "12.00", delta: "12.00", "extraCharge");
        await _spaces.SettleAsync(other);
    }

    /// <summary>Anchor on the 31st: the cycle ends with 27 February. What the later slot takes comes from the next one, in one commit of the wallet.</summary>
    [Fact, Trait("Rule", "CRD-5"), Trait("Rule", "CRD-6")]
    public async Task Across_the_boundary_of_a_cycle_it_returns_to_one_and_takes_from_the_other()
    {
        await _spaces.GiveCreditAsync(600, new LocalDate(2025, 1, 31));
        BookingId id = await _spaces.BookedAsync("2025-02-27T23:00:00-05:00", "2025-02-28T02:00:00-05:00");
        Assert.EndsWith("|20250131", Assert.Single((await _spaces.ReadAsync(id)).Price.Takings).Source, StringComparison.Ordinal);
        int commits = 0;
        _spaces.Tables.BeforeCommit = batch =>
        {
            commits += batch.Table == WalletStore.Table ? 1 : 0;
            return Task.CompletedTask;
        };

        await _spaces.ChangeAsync(id, new { start = "2025-02-28T10:00:00-05:00" }, _member);

        Assert.Equal(1, commits);
        Taking taking = Assert.Single((await _spaces.ReadAsync(id)).Price.Takings);
        Assert.EndsWith("|20250228", taking.Source, StringComparison.Ordinal);
        Assert.Equal(180, taking.Minutes);
        await _spaces.SettleAsync();
    }

    [Fact]
    public async Task Its_member_finds_it_where_it_is_and_only_there()
    {
        BookingId id = await BookAsync();
        await _spaces.BookAsync("2025-01-10T17:00:00Z", "2025-01-10T18:00:00Z");
        await _spaces.ChangeAsync(id, new { start = "2025-01-20T15:00:00Z" });
        await _spaces.DrainAsync(Queues.Bookings);

        Answer first = await _spaces.SendAsync("Bookings_List", query: $"?memberId={_spaces.Member}&limit=1");
        Answer second = await _spaces.SendAsync(
            "Bookings_List", query: $"?memberId={_spaces.Member}&limit=1&cursor={(string?)first.Json["cursorNext"]}");

        Assert.Equal("2025-01-10T17:00:00Z", (string?)Assert.Single(first.Json["results"]!.AsArray())!["start"]);
        Assert.Equal("2025-01-20T15:00:00Z", (string?)Assert.Single(second.Json["results"]!.AsArray())!["start"]);
        Assert.False((bool)second.Json["hasMore"]!);
    }

    /// <summary>The entry it left behind would have it cancelled for a membership lost before it starts.</summary>
    [Fact, Trait("Rule", "MEM-13")]
    public async Task A_loss_of_the_membership_is_measured_by_where_it_is_now()
    {
        BookingId id = await _spaces.BookedAsync("2025-01-20T15:00:00Z", "2025-01-20T16:00:00Z");
        await _spaces.ChangeAsync(id, new { start = "2025-01-05T15:00:00Z" });
        await _spaces.DrainAsync(Queues.Bookings);

        await _spaces.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(_spaces.Member, Instant.FromUtc(2025, 1, 6, 0, 0)));
        Assert.Equal(BookingState.Confirmed, (await _spaces.ReadAsync(id)).State);
        await _spaces.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(_spaces.Member, Instant.FromUtc(2025, 1, 5, 0, 0)));
        Assert.Equal(BookingState.Cancelled, (await _spaces.ReadAsync(id)).State);
    }

    [Fact, Trait("Rule", "BKG-10")]
    public async Task A_tentative_booking_is_moved_without_a_charge_and_its_deadline_moves_with_it()
    {
        ResourceId guarded = await _spaces.AddRoomAsync(BookingTerms.None with { RequiresApproval = true, ApprovalDeadlineMinutes = 60 });
        BookingId id = await _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", guarded, _member);

        Answer answer = await _spaces.ChangeAsync(id, new { end = "2025-01-10T18:00:00Z", start = "2025-01-10T16:00:00Z" }, _member);

        AssertSummary(answer, charged: "0.00", invoiced: "0.00", paid: "0.00", newPrice: "24.00", delta: "0.00", "none");
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((BookingState.Tentative, Instant.FromUtc(2025, 1, 10, 15, 0), 0), (booking.State, booking.ActBy, booking.Charges.Count));
        await _spaces.SettleAsync(guarded);
    }

    [Fact, Trait("Rule", "BKG-13")]
    public async Task The_deadline_for_checking_in_moves_with_the_booking()
    {
        await _spaces.SetTermsAsync(_spaces.Room, BookingTerms.None with { CheckInGraceMinutes = 10 });
        BookingId id = await BookAsync();

        await _spaces.ChangeAsync(id, Later);

        _spaces.SetTime(Start + Duration.FromMinutes(30));
        await _spaces.DrainAsync(Queues.Bookings);
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((BookingState.Confirmed, Start + Duration.FromMinutes(24 * 60 + 10)), (booking.State, booking.ActBy));
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task A_repetition_with_its_key_is_answered_alike_and_another_body_refused()
    {
        BookingId id = await BookAsync();
        Answer first = await _spaces.ChangeAsync(id, Longer, key: "k");
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(3));

        Answer repeat = await _spaces.ChangeAsync(id, Longer, key: "k");
        Answer reuse = await _spaces.ChangeAsync(id, Later, key: "k");

        Assert.Equal((200, first.Body), (repeat.Status, repeat.Body));
        Assert.Equal((422, ErrorCodes.IdempotencyKeyReuse), (reuse.Status, reuse.Code));
    }

    [Theory, Trait("Rule", "API-2")]
    [InlineData(0)]
    [InlineData(600)]
    public async Task A_key_that_an_earlier_change_has_used_is_refused_for_another_one(int credit)
    {
        if (credit > 0)
        {
            await _spaces.GiveCreditAsync(credit);
        }

        BookingId id = await BookAsync();
        Answer first = await _spaces.ChangeAsync(id, Longer, key: "k");
        await _spaces.ChangeAsync(id, Shorter);
        Booking before = await _spaces.ReadAsync(id);

        Answer reuse = await _spaces.ChangeAsync(id, Later, key: "k");
        Answer repeat = await _spaces.ChangeAsync(id, Longer, key: "k");

        Assert.Equal((422, ErrorCodes.IdempotencyKeyReuse), (reuse.Status, reuse.Code));
        Assert.Equal((200, first.Body), (repeat.Status, repeat.Body));
        Assert.Equal(before.Version, (await _spaces.ReadAsync(id)).Version);
    }

    [Fact]
    public async Task A_booking_that_has_changed_since_it_was_read_is_412()
    {
        BookingId id = await BookAsync();

        Answer stale = await _spaces.SendAsync("Bookings_Change", Later, id: id.Value, headers: ("If-Match", "\"9\""));

        Assert.Equal((412, ErrorCodes.Stale), (stale.Status, stale.Code));
    }

    [Fact]
    public async Task It_costs_four_storage_calls_and_nine_where_the_wallet_is_drawn_on()
    {
        BookingId plain = await BookAsync();
        await _spaces.ChangeAsync(plain, Longer);
        using (StorageCallScope calls = StorageCalls.Measure())
        {
            await _spaces.ChangeAsync(plain, Later);
            Assert.Equal(4, calls.Count);
        }

        await _spaces.GiveCreditAsync(120);
        BookingId drawn = await _spaces.BookedAsync("2025-01-13T15:00:00Z", "2025-01-13T16:00:00Z");
        using (StorageCallScope calls = StorageCalls.Measure())
        {
            await _spaces.ChangeAsync(drawn, new { end = "2025-01-13T17:00:00Z" });
            Assert.Equal(9, calls.Count);
        }
    }

    private Task<BookingId> BookAsync() => _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");

    private IReadOnlyList<TableRow> Rows() => _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location));

    private static void AssertSummary(Answer answer, string charged, string invoiced, string paid, string newPrice, string delta, string settlement)
    {
        Assert.True(answer.Status == 200, answer.Body);
        var summary = answer.Json["summary"]!;
        Assert.Equal(
            (charged, invoiced, paid, newPrice, delta, settlement),
            ((string?)summary["alreadyCharged"]!["amount"], (string?)summary["alreadyInvoiced"]!["amount"], (string?)summary["alreadyPaid"]!["amount"],
                (string?)summary["newPrice"]!["amount"], (string?)summary["delta"]!["amount"], (string?)summary["settlement"]));
    }
}
