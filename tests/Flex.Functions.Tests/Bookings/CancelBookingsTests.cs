using Flex.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class CancelBookingsTests : IAsyncLifetime
{
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "MEM-13")]
    public async Task Future_bookings_are_cancelled_their_slots_freed_and_their_charges_withdrawn()
    {
        Answer past = await _spaces.BookAsync("2025-01-01T00:00:00Z", "2025-01-01T01:00:00Z");
        Answer future = await _spaces.BookAsync("2025-01-10T23:00:00Z", "2025-01-11T01:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
        _spaces.App.Time.Advance(TimeSpan.FromHours(1));

        await _spaces.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(_spaces.Member, _spaces.Now));

        Booking cancelled = await _spaces.FindAsync(future);
        Assert.Equal(BookingState.Confirmed, (await _spaces.FindAsync(past)).State);
        Assert.Equal(
            (BookingState.Cancelled, BookingAccounting.NotAccounted, BookingCancelReason.Downgraded, _spaces.Now),
            (cancelled.State, cancelled.Accounting, cancelled.CancelReason, cancelled.CancelledAt));
        ChargeCancelled withdrawn = Assert.Single(_spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject));
        Assert.Equal((cancelled.Charges.Single().Id, _spaces.Customer), (withdrawn.ChargeId, withdrawn.CustomerId));
        Assert.Equal(1, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
        MemberId other = await _spaces.AddMemberAsync();
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T23:00:00Z", "2025-01-11T01:00:00Z", member: other)).Status);
    }

    [Fact]
    public async Task Other_members_bookings_stay()
    {
        MemberId other = await _spaces.AddMemberAsync();
        Answer theirs = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", member: other);
        await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);

        await _spaces.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(_spaces.Member, _spaces.Now));

        Assert.Equal(BookingState.Confirmed, (await _spaces.FindAsync(theirs)).State);
        Assert.Equal(1, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
    }

    [Fact]
    public async Task A_repeated_command_changes_nothing()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
        Envelope command = Envelopes.CancelFuture(_spaces.Member, _spaces.Now);
        await _spaces.DeliverAsync(Queues.Bookings, command);
        IReadOnlyList<TableRow> before = _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location));

        await _spaces.DeliverAsync(Queues.Bookings, command);

        Assert.Equal(before, _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location)));
    }

    [Fact]
    public async Task A_command_delivered_again_after_a_new_sign_up_leaves_new_bookings_alone()
    {
        MembershipStanding lost = await _spaces.StandingAsync();
        await _spaces.DowngradeAsync(lost);
        Envelope command = Envelopes.CancelFuture(_spaces.Member, _spaces.Now);
        await _spaces.DrainAsync(Queues.Bookings);
        _spaces.App.Time.Advance(TimeSpan.FromDays(1));
        await _spaces.SetStandingAsync(_spaces.Member, _spaces.NewStanding(MembershipStatus.Active));
        Answer fresh = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);

        await _spaces.DeliverAsync(Queues.Bookings, command);

        Assert.Equal(BookingState.Confirmed, (await _spaces.FindAsync(fresh)).State);
    }

    [Fact]
    public async Task A_booking_not_yet_indexed_when_the_member_was_downgraded_is_cancelled_when_it_is()
    {
        Answer booked = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        Envelope confirmed = _spaces.Queue.Take(Queues.Bookings)!;
        await _spaces.DowngradeAsync(await _spaces.StandingAsync());
        await _spaces.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(_spaces.Member, _spaces.Now));
        await _spaces.DrainAsync(Queues.Bookings);
        Assert.Equal(BookingState.Confirmed, (await _spaces.FindAsync(booked)).State);

        await _spaces.DeliverAsync(Queues.Bookings, confirmed);

        Assert.Equal(BookingState.Cancelled, (await _spaces.FindAsync(booked)).State);
    }

    [Fact]
    public async Task A_booking_made_after_the_command_but_before_the_members_record_changed_is_cancelled_with_the_record()
    {
        await _spaces.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(_spaces.Member, _spaces.Now));
        _spaces.App.Time.Advance(TimeSpan.FromSeconds(1));
        Answer booked = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
        _spaces.App.Time.Advance(TimeSpan.FromSeconds(1));

        await _spaces.DowngradeAsync(await _spaces.StandingAsync());
        await _spaces.DrainAsync(Queues.Bookings);

        Assert.Equal(BookingState.Cancelled, (await _spaces.FindAsync(booked)).State);
    }

    [Fact]
    public async Task Losing_one_of_two_paid_memberships_cancels_nothing()
    {
        await _spaces.SetStandingAsync(_spaces.Member, _spaces.NewStanding(MembershipStatus.Active, version: 0));
        Answer booked = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");

        await _spaces.DowngradeAsync(await _spaces.StandingAsync());
        await _spaces.DrainAsync(Queues.Bookings);

        Assert.Equal(BookingState.Confirmed, (await _spaces.FindAsync(booked)).State);
    }

    [Fact]
    public async Task A_booking_that_someone_else_changes_meanwhile_is_cancelled_all_the_same()
    {
        Answer booked = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
        int rivals = 0;
        _spaces.Tables.BeforeCommit = async batch =>
        {
            if (rivals++ == 0)
            {
                // Another process, which this process's gate does not hold back, changes the same agenda.
                TableRow agenda = (await _spaces.Tables.FindAsync(
                    batch.Table, batch.Partition, $"A|202501|{_spaces.Room}", Spaces.Cancellation))!;
                TableBatch rival = new TableBatch(batch.Table, batch.Partition).Replace(agenda.Key, agenda.As<Agenda>(), agenda.ETag);
                (await _spaces.Tables.CommitAsync(rival, Spaces.Cancellation)).Require();
            }
        };

        await _spaces.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(_spaces.Member, _spaces.Now));

        Assert.Equal(BookingState.Cancelled, (await _spaces.FindAsync(booked)).State);
        Assert.Equal(0, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
    }

    [Fact]
    public async Task Indexing_costs_two_storage_calls_and_repeats_do_no_harm()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        Envelope confirmed = _spaces.Queue.Take(Queues.Bookings)!;
        using StorageCallScope calls = StorageCalls.Measure();
        await _spaces.DeliverAsync(Queues.Bookings, confirmed);
        Assert.Equal(2, calls.Count);

        await _spaces.DeliverAsync(Queues.Bookings, confirmed);

        Assert.Single(_spaces.Tables.Snapshot(BookingStore.Table, _spaces.Member.Value));
    }
}
