using Flex.Bookings;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.RecurringBookings;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

/// <summary>Series that are cut off, raced and repeated: never half of one for good.</summary>
public sealed class SeriesCrashTests
{
    private const int MaxCommits = 40;

    public static TheoryData<string, bool, bool> Creations => new()
    {
        { SeriesWorld.Weekly + 52, false, false },
        { SeriesWorld.Weekly + 52, true, false },
        { SeriesWorld.Daily + 90, true, false },
        { SeriesWorld.Daily + 200, true, false },
        { SeriesWorld.Weekly + 52, true, true },
        { SeriesWorld.Daily + 200, false, true },
    };

    [Theory, Trait("Rule", "REC-6")]
    [MemberData(nameof(Creations))]
    public async Task Killed_at_any_commit_a_creation_is_finished_by_its_message(string rrule, bool hasCredit, bool isAnswerLost)
    {
        for (int dying = 1; dying <= MaxCommits; dying++)
        {
            using Spaces spaces = await Spaces.CreateAsync();
            MemberId member = hasCredit ? await spaces.AddMemberWithCreditAsync(100) : spaces.Member;
            bool died = await DyingAsync(spaces, dying, isAnswerLost, async () =>
            {
                await spaces.RepeatAsync(spaces.Recurring(rrule, member: member));
                await spaces.DrainAsync(Queues.Bookings);
            });
            await RecoverAsync(spaces);

            int expected = rrule.StartsWith(SeriesWorld.Weekly, StringComparison.Ordinal) ? 52 : rrule.EndsWith("90", StringComparison.Ordinal) ? 90 : 200;
            await AssertWholeOrNothingAsync(spaces, member, expected);
            if (!died)
            {
                Assert.Equal(expected, spaces.Standing().Count);
                return;
            }
        }

        Assert.Fail("More commits than expected.");
    }

    [Theory, Trait("Rule", "REC-6"), Trait("Rule", "API-2")]
    [InlineData("FREQ=WEEKLY;COUNT=52")]
    [InlineData("FREQ=DAILY;COUNT=90")]
    public async Task Killed_at_any_commit_a_creation_is_finished_by_its_repetition(string rrule)
    {
        for (int dying = 1; dying <= MaxCommits; dying++)
        {
            using Spaces spaces = await Spaces.CreateAsync();
            MemberId member = await spaces.AddMemberWithCreditAsync(100);
            bool died = await DyingAsync(spaces, dying, isAnswerLost: dying % 2 == 0, () => spaces.RepeatAsync(spaces.Recurring(rrule, member: member), key: "k1"));

            Answer again = await spaces.RepeatAsync(spaces.Recurring(rrule, member: member), key: "k1");
            Answer third = await spaces.RepeatAsync(spaces.Recurring(rrule, member: member), key: "k1");

            Assert.True(again.Status == 201, again.Body);
            Assert.Equal((again.Status, (string?)again.Json["id"], again.Json["summary"]!.ToJsonString()), (third.Status, (string?)third.Json["id"], third.Json["summary"]!.ToJsonString()));
            await RecoverAsync(spaces);
            Assert.Single(spaces.AllSeries());
            await AssertWholeOrNothingAsync(spaces, member, int.Parse(rrule[^2..], null));
            if (!died)
            {
                return;
            }
        }

        Assert.Fail("More commits than expected.");
    }

    [Theory, Trait("Rule", "REC-6")]
    [InlineData("reject")]
    [InlineData("skip")]
    public async Task A_slot_that_is_lost_to_somebody_else_in_the_middle_of_a_long_creation_refuses_it_whole_or_is_skipped(string onConflict)
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId member = await spaces.AddMemberWithCreditAsync(1000);
        Answer accepted = await spaces.RepeatAsync(spaces.Recurring(SeriesWorld.Daily + 250, onConflict: onConflict, member: member));
        Answer thief = await spaces.BookAsync("2025-08-20T14:30:00Z", "2025-08-20T14:45:00Z");
        Assert.Equal((202, 201), (accepted.Status, thief.Status));

        await spaces.DeliverHostilelyAsync(Queues.Bookings, new Random(1));

        Series series = Assert.Single(spaces.AllSeries());
        var operation = (await spaces.SendAsync("Operations_Get", id: accepted.Headers["Location"].ToString().Split('/')[^1])).Json;
        Assert.Equal("2025-08-20", (string?)operation["occurrences"]!.AsArray().Single(o => (string?)o!["status"] == "conflict")!["date"]);
        if (onConflict == "reject")
        {
            Assert.Equal((SeriesState.Rejected, "failed", ErrorCodes.BookingConflict), (series.State, (string?)operation["state"], (string?)operation["code"]));
            Assert.Equal(0, spaces.Standing().Count(b => b.Series is not null));
            Assert.Equal(0, (await spaces.WalletAsync(member)).Used.Sum(u => u.Minutes));
        }
        else
        {
            Assert.Equal((SeriesState.Active, "succeeded"), (series.State, (string?)operation["state"]));
            Assert.Equal(249, spaces.Standing().Count(b => b.Series is not null));
            Assert.Equal([(SeriesWorld.Day("2025-08-20"), ExclusionReason.Conflict)], series.Exclusions.Select(e => (e.Date, e.Reason)));
        }

        BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room);
    }

    [Fact, Trait("Rule", "REC-6")]
    public async Task Killed_at_any_commit_a_refused_creation_leaves_nothing()
    {
        for (int dying = 1; dying <= MaxCommits; dying++)
        {
            using Spaces spaces = await Spaces.CreateAsync();
            MemberId member = await spaces.AddMemberWithCreditAsync(1000);
            await spaces.RepeatAsync(spaces.Recurring(SeriesWorld.Daily + 250, member: member));
            await spaces.BookAsync("2025-08-20T14:30:00Z", "2025-08-20T14:45:00Z");
            bool died = await DyingAsync(spaces, dying, isAnswerLost: dying % 2 == 0, () => spaces.DrainAsync(Queues.Bookings));
            await RecoverAsync(spaces);

            Assert.Equal(SeriesState.Rejected, Assert.Single(spaces.AllSeries()).State);
            Assert.Equal(0, spaces.Standing().Count(b => b.Series is not null));
            Assert.Equal(0, (await spaces.WalletAsync(member)).Used.Sum(u => u.Minutes));
            BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room);
            if (!died)
            {
                return;
            }
        }

        Assert.Fail("More commits than expected.");
    }

    [Fact, Trait("Rule", "BKG-2"), Trait("Rule", "REC-6")]
    public async Task Two_series_for_the_same_times_are_one_whole_and_none()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId other = await spaces.AddMemberAsync();

        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Task.Run(() => spaces.RepeatAsync(
            spaces.Recurring(SeriesWorld.Weekly + 30, member: i % 2 == 0 ? spaces.Member : other)))));

        Assert.Equal(1, answers.Count(a => a.Status == 201));
        Assert.Equal(9, answers.Count(a => a is { Status: 409, Code: ErrorCodes.BookingConflict }));
        Assert.Equal(30, spaces.Standing().Count);
        Assert.Single(spaces.AllSeries(), s => s.State == SeriesState.Active);
        BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room);
    }

    [Fact, Trait("Rule", "BKG-2"), Trait("Rule", "REC-6")]
    public async Task Two_long_series_that_cross_share_out_the_days_without_overlap()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId other = await spaces.AddMemberWithCreditAsync(500);
        await spaces.RepeatAsync(spaces.Recurring(SeriesWorld.Daily + 300, onConflict: "skip"));

        // Every other day, and five days more than the first: whoever comes last has some.
        await spaces.RepeatAsync(spaces.Recurring("FREQ=DAILY;INTERVAL=2;COUNT=155", "2025-01-06T10:30:00", "2025-01-06T11:30:00", "skip", other));
        var messages = new List<Envelope>();
        while (spaces.Queue.Take(Queues.Bookings) is { } message)
        {
            messages.Add(message);
        }

        await Task.WhenAll(messages.Concat(messages).Select(m => Task.Run(() => spaces.DeliverAsync(Queues.Bookings, m))));
        await RecoverAsync(spaces);

        Assert.All(spaces.AllSeries(), s => Assert.Equal((SeriesState.Active, null), (s.State, s.Running)));
        Assert.Equal(305, spaces.Standing().Count);
        Assert.Equal(455, spaces.Standing().Count + spaces.AllSeries().Sum(s => s.Exclusions.Count));
        BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room);
    }

    [Fact, Trait("Rule", "REC-7")]
    public async Task Five_hundred_days_on_two_resources_side_by_side_are_all_booked()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        ResourceId other = await spaces.AddRoomAsync("Red room");
        await spaces.RepeatAsync(spaces.Recurring(SeriesWorld.Daily + 500));
        await spaces.RepeatAsync(spaces.Recurring(SeriesWorld.Daily + 500, room: other));
        var messages = new List<Envelope>();
        while (spaces.Queue.Take(Queues.Bookings) is { } message)
        {
            messages.Add(message);
        }

        await Task.WhenAll(messages.Select(m => Task.Run(() => spaces.DeliverAsync(Queues.Bookings, m))));
        await RecoverAsync(spaces);

        Assert.Equal(1000, spaces.Standing().Count);
        Assert.Equal((54, 54), (
            BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room), BookingInvariants.Check(spaces.Tables, spaces.Location, other)));
    }

    [Fact, Trait("Rule", "REC-6")]
    public async Task A_downgrade_while_a_series_is_being_made_leaves_none_of_its_bookings()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        await spaces.RepeatAsync(spaces.Recurring(SeriesWorld.Daily + 250));
        Envelope work = Take(spaces, ContinueOperation.Subject);
        int commits = 0;
        MembershipStanding standing = await spaces.StandingAsync();
        spaces.Tables.AfterCommit = async batch =>
        {
            if (batch.Table == BookingStore.Table && ++commits == 2)
            {
                await spaces.DowngradeAsync(standing);
            }
        };
        await spaces.DeliverAsync(Queues.Bookings, work);
        spaces.Tables.AfterCommit = null;
        await RecoverAsync(spaces);

        Assert.Equal(0, spaces.Standing().Count(b => b.OnMembership));
        Assert.Null(Assert.Single(spaces.AllSeries()).Running);
    }

    private static Envelope Take(Spaces spaces, string subject)
    {
        while (spaces.Queue.Take(Queues.Bookings) is { } message)
        {
            if (message.Subject == subject)
            {
                return message;
            }
        }

        throw new InvalidOperationException("There is no such message.");
    }

    /// <summary>Does the work with a process that dies at its n-th commit, before or after it; false when there were fewer.</summary>
    private static async Task<bool> DyingAsync(Spaces spaces, int at, bool isAnswerLost, Func<Task> work)
    {
        int commits = 0;
        bool died = false;
        Task Die(TableBatch batch)
        {
            died |= ++commits >= at;
            return died ? throw SeriesWorld.Death() : Task.CompletedTask;
        }

        spaces.Tables.BeforeCommit = isAnswerLost ? null : Die;
        spaces.Tables.AfterCommit = isAnswerLost ? Die : null;
        try
        {
            await work();
        }
        catch (TransientFaultException)
        {
            // The message comes again.
        }
        finally
        {
            spaces.Tables.BeforeCommit = null;
            spaces.Tables.AfterCommit = null;
        }

        return died;
    }

    /// <summary>What was committed and not published leaves with the sweep; then everything is delivered, also what had been before.</summary>
    private static async Task RecoverAsync(Spaces spaces)
    {
        foreach (string partition in (string[])[EntityId.Home(spaces.Location), spaces.Member.Value])
        {
            await spaces.Get<IEnumerable<IMessageHandler>>().OfType<OutboxSweepHandler>().Single().HandleAsync(
                new Envelope("sweep", OutboxSweep.Subject, Flex.Platform.StorageJson.Write(new OutboxSweep(BookingStore.Table, partition)), null),
                Spaces.Cancellation);
        }

        await spaces.DeliverHostilelyAsync(Queues.Bookings, new Random(7));
    }

    private static async Task AssertWholeOrNothingAsync(Spaces spaces, MemberId member, int expected)
    {
        Assert.Contains(spaces.Standing().Count, (int[])[0, expected]);
        Assert.All(spaces.AllSeries(), s => Assert.Equal((SeriesState.Active, null), (s.State, s.Running)));
        Assert.Equal(spaces.AllSeries().Count, spaces.Standing().Count / expected);
        LocalDate horizon = SeriesWorld.Day("2025-02-28");
        Assert.All(spaces.Standing(), b => Assert.Equal(b.Series!.Date <= horizon ? BookingState.Confirmed : BookingState.Tentative, b.State));
        Assert.Equal(
            (await spaces.WalletAsync(member)).Used.Sum(u => u.Minutes), spaces.Standing().Sum(b => b.Price.CreditMinutes));
        BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room);
    }
}
