using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>A room where one checks in within ten minutes; an hour on 10 January, 15:00Z, half of it paid by credit.</summary>
public sealed class CheckInBookingTests : IAsyncLifetime
{
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 10, 15, 0);
    private Spaces _spaces = null!;
    private BookingId _id;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        await _spaces.SetTermsAsync(_spaces.Room, BookingTerms.None with { CheckInGraceMinutes = 10 });
        await _spaces.GiveCreditAsync(30);
        _id = await _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory, Trait("Rule", "BKG-13")]
    [InlineData(-16, 409)]
    [InlineData(-15, 200)]
    [InlineData(9, 200)]
    [InlineData(10, 409)]
    public async Task One_checks_in_from_15_minutes_before_the_start_to_the_end_of_the_grace(int minutes, int status)
    {
        _spaces.SetTime(Start + Duration.FromMinutes(minutes));

        Answer answer = await CheckInAsync();

        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? _spaces.Now : null, (await _spaces.ReadAsync(_id)).CheckedInAt);
    }

    [Theory, Trait("Rule", "BKG-13")]
    [InlineData(59, 200)]
    [InlineData(60, 409)]
    public async Task Without_a_grace_one_checks_in_until_the_end(int minutes, int status)
    {
        ResourceId open = await _spaces.AddRoomAsync(BookingTerms.None);
        _id = await _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", open);
        _spaces.SetTime(Start + Duration.FromMinutes(minutes));

        Assert.Equal(status, (await CheckInAsync()).Status);
    }

    [Fact, Trait("Rule", "BKG-13")]
    public async Task Who_has_checked_in_keeps_the_slot_and_is_completed_at_the_end()
    {
        _spaces.SetTime(Start);
        await CheckInAsync(Spaces.As(_spaces.Member));
        _spaces.SetTime(Start + Duration.FromMinutes(20));

        await _spaces.SettleAsync();
        Assert.Equal("checkedIn", await StateAsync());
        Assert.Equal(ErrorCodes.BookingConflict, (await _spaces.BookAsync("2025-01-10T15:30:00Z", "2025-01-10T16:30:00Z")).Code);

        _spaces.SetTime(Start + Duration.FromHours(1));
        Assert.Equal("completed", await StateAsync());
        Assert.Equal(200, (await CheckInAsync()).Status);
    }

    [Fact, Trait("Rule", "BKG-13")]
    public async Task Who_has_not_is_a_no_show_whose_slot_is_free_and_whose_price_stays()
    {
        _spaces.SetTime(Start + Duration.FromMinutes(10));

        await _spaces.SettleAsync();

        Booking booking = await _spaces.ReadAsync(_id);
        Assert.Equal((BookingState.NoShow, 600, 30), (booking.State, booking.Owed.Minor, booking.Price.CreditMinutes));
        Assert.Empty(_spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject));
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T15:30:00Z", "2025-01-10T16:00:00Z")).Status);
        Answer late = await CheckInAsync();
        Assert.Equal((409, ErrorCodes.InvalidTransition, "NoShow"), (late.Status, late.Code, (string?)late.Json["state"]));
    }

    [Fact]
    public async Task Others_bookings_do_not_exist_and_repeats_change_nothing()
    {
        _spaces.SetTime(Start);
        string other = Spaces.As(await _spaces.AddMemberAsync());

        Assert.Equal(404, (await CheckInAsync(other)).Status);
        Answer first = await CheckInAsync();
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(1));
        Answer again = await CheckInAsync();
        Assert.Equal((200, first.Body), (again.Status, again.Body));
    }

    /// <summary>The no-show is committed by another process just before, or the check-in is.</summary>
    [Theory, Trait("Rule", "BKG-13")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Check_in_and_no_show_at_the_same_moment_leave_one_of_them(bool isCheckInFirst)
    {
        using Spaces other = _spaces.OtherProcess();
        Instant grace = Start + Duration.FromMinutes(10);
        _spaces.SetTime(isCheckInFirst ? grace : grace - Duration.FromSeconds(1));
        other.SetTime(isCheckInFirst ? grace - Duration.FromSeconds(1) : grace);
        await _spaces.DrainAsync(Queues.Memberships);
        Envelope look = new("look", LookAtBooking.Subject, Flex.Platform.StorageJson.Write(new LookAtBooking(_id)), null);
        _spaces.Tables.BeforeCommit = async _ =>
        {
            _spaces.Tables.BeforeCommit = null;
            await (isCheckInFirst ? other.SendAsync("Bookings_CheckIn", id: _id.Value) : other.DeliverAsync(Queues.Bookings, look));
        };

        await (isCheckInFirst ? _spaces.DeliverAsync(Queues.Bookings, look) : CheckInAsync());

        Assert.Equal(isCheckInFirst ? BookingState.CheckedIn : BookingState.NoShow, (await _spaces.ReadAsync(_id)).State);
        await _spaces.SettleAsync();
    }

    [Fact]
    public async Task It_costs_two_storage_calls()
    {
        _spaces.SetTime(Start);
        using StorageCallScope calls = StorageCalls.Measure();

        await CheckInAsync();

        Assert.Equal(2, calls.Count);
    }

    private Task<Answer> CheckInAsync(string caller = "staff") => _spaces.SendAsync("Bookings_CheckIn", caller: caller, id: _id.Value);

    private async Task<string?> StateAsync() => (string?)(await _spaces.SendAsync("Bookings_Get", id: _id.Value)).Json["state"];
}
