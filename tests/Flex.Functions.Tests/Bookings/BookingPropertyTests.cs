using CsCheck;
using Flex.Bookings;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class BookingPropertyTests
{
    private static readonly RequestContext Staff = RequestContext.For(new Caller(Role.Staff, "staff-1"));
    private static readonly Instant Origin = Instant.FromUtc(2025, 3, 7, 0, 0);

    /// <summary>Three days around New York's lost hour, starts and lengths in five-minute steps, up to two days long.</summary>
    private static readonly Gen<Step> Steps = Gen.Select(
        Gen.Int[0, 3],
        Gen.Int[0, 3 * 288],
        Gen.OneOf(Gen.Int[1, 24], Gen.Int[1, 2 * 288]),
        Gen.Int[0, 30],
        (what, from, length, which) => new Step(what, from, length, which));

    [Fact, Trait("Rule", "BKG-2")]
    public Task Whatever_is_booked_moved_and_cancelled_bookings_never_overlap_and_the_agenda_is_the_bookings() =>
        Steps.Array[1, 40].SampleAsync(
            async steps =>
            {
                using Spaces spaces = await Spaces.CreateAsync();
                CreateBookingHandler create = spaces.Get<CreateBookingHandler>();
                BookingCanceller canceller = spaces.Get<BookingCanceller>();
                ChangeBookingHandler change = spaces.Get<ChangeBookingHandler>();
                var model = new List<BookingView>();
                foreach (Step step in steps)
                {
                    Instant start = Origin + Duration.FromMinutes(5 * step.From);
                    Instant end = start + Duration.FromMinutes(5 * step.Length);
                    if (step.What == 1 && model.Count > 0)
                    {
                        BookingView booked = model[step.Which % model.Count];
                        model.Remove(booked);
                        Reply<BookingChangeView> reply = await change.HandleAsync(booked.Id, new(Start: start, End: end), Staff, Spaces.Cancellation);
                        bool isFree = model.All(b => end <= b.Start || b.End <= start);
                        Assert.Equal(isFree ? null : ErrorCodes.BookingConflict, reply.Error?.Code);
                        model.Add(isFree ? reply.Value!.Booking : booked);
                        Assert.Equal(isFree ? new Money(100 * step.Length, Currency.Parse("usd")) : booked.Price, model[^1].Price);
                    }
                    else if (step.What == 2 && model.Count > 0)
                    {
                        BookingView booked = model[step.Which % model.Count];
                        model.Remove(booked);
                        await canceller.CancelAsync(booked.Id, BookingCancelReason.ByStaff, Spaces.Cancellation);
                    }
                    else
                    {
                        Reply<BookingView> reply = await create.HandleAsync(new(spaces.Room, start, end, spaces.Member), Staff, Spaces.Cancellation);
                        bool isFree = model.All(b => end <= b.Start || b.End <= start);
                        Assert.Equal(isFree ? null : ErrorCodes.BookingConflict, reply.Error?.Code);
                        if (isFree)
                        {
                            Assert.Equal(new Money(100 * step.Length, Currency.Parse("usd")), reply.Value!.Price);
                            model.Add(reply.Value!);
                        }
                    }
                }

                Assert.Equal(model.Count, BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room));
                BookingInvariants.CheckAccounts(spaces, spaces.Member);
            },
            iter: 60,
            threads: 1);

    /// <summary>
    /// A member books, is downgraded and signs up again in any order, and messages arrive in any order and more than once: in the end
    /// nothing of the future is left of a member without a paid membership.
    /// </summary>
    [Fact, Trait("Rule", "MEM-13")]
    public Task However_messages_are_ordered_and_repeated_a_downgraded_member_keeps_no_future_booking() =>
        Gen.Int[0, int.MaxValue - 1].SampleAsync(
            async seed =>
            {
                var random = new Random(seed);
                using Spaces spaces = await Spaces.CreateAsync();
                MembershipStanding standing = await spaces.StandingAsync();
                var pending = new List<(string Queue, Envelope Message)>();
                for (int i = 0; i < 4; i++)
                {
                    await spaces.BookAsync($"2025-02-0{i + 1}T15:00:00Z", $"2025-02-0{i + 1}T16:00:00Z");
                }

                pending.Add((Queues.Memberships, Envelopes.Changed(spaces.Member, standing with { Status = MembershipStatus.Downgraded, Version = 3 })));
                pending.Add((Queues.Memberships, Envelopes.Changed(spaces.Member, standing with { Status = MembershipStatus.Delinquent, Version = 2 })));
                pending.Add((Queues.Bookings, Envelopes.CancelFuture(spaces.Member, spaces.Now)));
                int late = 4;
                while (pending.Count > 0 || Collect(spaces, pending))
                {
                    if (late > 0 && random.Next(4) == 0)
                    {
                        late--;
                        await spaces.BookAsync($"2025-02-1{late}T15:00:00Z", $"2025-02-1{late}T16:00:00Z");
                    }

                    Collect(spaces, pending);
                    (string queue, Envelope message) = pending[random.Next(pending.Count)];
                    await spaces.DeliverAsync(queue, message);
                    if (random.Next(3) != 0)
                    {
                        pending.Remove((queue, message));
                    }
                }

                Assert.Equal(0, BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room));
            },
            iter: 60,
            threads: 1);

    private static bool Collect(Spaces spaces, List<(string Queue, Envelope Message)> pending)
    {
        while (spaces.Queue.Take(Queues.Bookings) is { } message)
        {
            pending.Add((Queues.Bookings, message));
        }

        return pending.Count > 0;
    }

    private sealed record Step(int What, int From, int Length, int Which);
}
