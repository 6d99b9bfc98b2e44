using Flex.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Members;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class BookingIdempotencyTests : IAsyncLifetime
{
    private const string Start = "2025-01-10T15:00:00Z";
    private const string End = "2025-01-10T16:00:00Z";
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task A_repeat_is_answered_with_the_first_booking_although_the_slot_is_taken_now()
    {
        Answer first = await _spaces.BookAsync(Start, End, key: "k1");
        Answer repeat = await _spaces.BookAsync(Start, End, key: "k1");

        Assert.Equal((201, first.Body), (repeat.Status, repeat.Body));
        Assert.Equal("true", repeat.Headers["Idempotency-Replayed"]);
        Assert.Single(Rows("B|"));
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task A_repeat_is_answered_with_the_first_booking_although_its_time_has_passed()
    {
        Answer first = await _spaces.BookAsync(Start, End, key: "k1");
        _spaces.App.Time.Advance(TimeSpan.FromDays(30));

        Answer repeat = await _spaces.BookAsync(Start, End, key: "k1");

        Assert.Equal((201, first.Body), (repeat.Status, repeat.Body));
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task The_key_with_another_body_is_refused_and_books_nothing()
    {
        await _spaces.BookAsync(Start, End, key: "k1");

        Answer reuse = await _spaces.BookAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z", key: "k1");

        Assert.Equal((422, ErrorCodes.IdempotencyKeyReuse), (reuse.Status, reuse.Code));
        Assert.Single(Rows("B|"));
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task A_refused_request_does_not_use_its_key_up()
    {
        MemberId member = await _spaces.AddMemberAsync(MembershipStatus.Pending);
        Answer refused = await _spaces.BookAsync(Start, End, member: member, key: "k1");
        await _spaces.SetStandingAsync(member, (await _spaces.StandingAsync(member)) with { Status = MembershipStatus.Active, Version = 2 });

        Answer accepted = await _spaces.BookAsync(Start, End, member: member, key: "k1");

        Assert.Equal((409, 201), (refused.Status, accepted.Status));
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task Twenty_parallel_repeats_make_one_booking_and_all_get_it()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => _spaces.BookAsync(Start, End, key: "k1"))));

        Assert.All(answers, a => Assert.Equal(201, a.Status));
        Assert.Single(answers.Select(a => a.Body).Distinct());
        Assert.Single(Rows("B|"));
    }

    private IReadOnlyList<Flex.Platform.Tables.TableRow> Rows(string prefix) =>
        [.. _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location)).Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal))];
}
