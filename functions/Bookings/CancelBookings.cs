using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Bookings;

/// <summary>Cancels bookings: the slot is free, the charge withdrawn, in one commit. Repeats change nothing.</summary>
public sealed class BookingCanceller(BookingStore bookings, MemberStore members, ResourceDayGate gate, TimeProvider time)
{
    /// <summary>As for making bookings: a round is lost only to another process that got something done.</summary>
    private const int MaxRounds = 100;

    /// <summary>Four storage calls: booking, agenda, charge, commit. One when there is nothing to do.</summary>
    public async Task CancelAsync(BookingId id, BookingCancelReason reason, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            Stored<Booking> found = await bookings.ReadAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");
            if (found.Value.Cancel(reason, time.Now()) is not { } cancelled)
            {
                return;
            }

            IReadOnlyList<LocalDate> days = AgendaDays.Touched(cancelled.Start, cancelled.End);
            using IDisposable pass = await gate.EnterAsync(BookingStore.GateKeys(cancelled.ResourceId, days), cancellation);
            IReadOnlyList<Stored<Agenda>?> agenda = await bookings.ReadAgendaAsync(cancelled.ResourceId, days, cancellation);
            if (await bookings.TryCommitCancelledAsync(cancelled, found.ETag, days, agenda, cancellation))
            {
                return;
            }
        }

        throw new TransientFaultException($"{id} or its agenda keeps changing.");
    }

    /// <summary>
    /// Cancels what the member booked from an instant on, except what was booked after it by a member who may book again. One read per
    /// booking that starts after it, besides the cancellations.
    /// </summary>
    public async Task CancelFromAsync(MemberId memberId, Instant from, BookingCancelReason reason, CancellationToken cancellation)
    {
        bool? hasPaid = null;
        await foreach (BookingId id in bookings.ListByMemberAsync(memberId, from, cancellation))
        {
            Stored<Booking> found = await bookings.ReadAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");
            hasPaid ??= await members.FindAsync(memberId, cancellation) is { } member && MemberStanding.HasPaid(member);
            if (!BookingRules.Survives(found.Value, from, hasPaid.Value))
            {
                await CancelAsync(id, reason, cancellation);
            }
        }
    }
}

/// <summary>Handles <see cref="CancelFutureBookings"/>. State decides what is left to do, hence no inbox row.</summary>
public sealed class CancelFutureBookingsHandler(BookingCanceller canceller) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => CancelFutureBookings.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        CancelFutureBookings command = envelope.Read<CancelFutureBookings>();
        return canceller.CancelFromAsync(command.MemberId, command.From, command.Reason, cancellation);
    }
}

/// <summary>
/// Handles <see cref="MemberDowngraded"/>, which follows the member's record: catches what was booked between the downgrade and the
/// record. What is committed later still is caught by <see cref="IndexBooking"/>.
/// </summary>
public sealed class CancelAfterDowngrade(BookingCanceller canceller, MemberStore members) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => MemberDowngraded.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        MemberDowngraded fact = envelope.Read<MemberDowngraded>();
        if (await members.FindAsync(fact.MemberId, cancellation) is { } member && !MemberStanding.HasPaid(member))
        {
            await canceller.CancelFromAsync(fact.MemberId, fact.At, BookingCancelReason.Downgraded, cancellation);
        }
    }
}
