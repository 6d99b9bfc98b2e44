using Flex.Members;
using NodaTime;

namespace Flex.Bookings;

/// <summary>Whether a time can be booked and by whom. Pure.</summary>
public static class BookingRules
{
    /// <summary>BKG-3: the smallest step, for start and end.</summary>
    public const int GridMinutes = 5;

    public static readonly Duration MaxLength = Duration.FromDays(31);

    /// <summary>How far ahead: two years. Bounds local dates too, which end at the year 9999.</summary>
    public static readonly Duration MaxAhead = Duration.FromDays(731);

    /// <summary>Null when the time can be booked at a place with this calendar.</summary>
    public static Error? RefuseTime(Instant start, Instant end, SiteCalendar calendar, Instant now)
    {
        if (end <= start)
        {
            return Error.Invalid(ErrorCodes.EndBeforeStart, "/end", "The end must be after the start.");
        }

        if (start < now)
        {
            return Error.Invalid(ErrorCodes.InThePast, "/start", "The start is in the past.");
        }

        if (start - now > MaxAhead)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/start", $"Bookings are made at most {MaxAhead.Days} days ahead.");
        }

        if (end - start > MaxLength)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/end", $"A booking is at most {MaxLength.Days} days long.");
        }

        if (!IsOnGrid(calendar.LocalOf(start)))
        {
            return Error.Invalid(ErrorCodes.TimeOffGrid, "/start", $"Times are multiples of {GridMinutes} minutes.");
        }

        return IsOnGrid(calendar.LocalOf(end))
            ? null
            : Error.Invalid(ErrorCodes.TimeOffGrid, "/end", $"Times are multiples of {GridMinutes} minutes.");
    }

    /// <summary>
    /// Null when the member may make a booking that is paid with the next invoice (BKG-14): a paid membership that lasts beyond the
    /// start, and none behind with its payment (MEM-14) unless there is nothing to pay.
    /// </summary>
    public static Error? RefuseStanding(Member member, Instant start, Money price)
    {
        MembershipStanding[] paid = [.. member.Standing.Where(MemberStanding.IsPaid)];
        if (paid.Length == 0)
        {
            return Error.Refused(ErrorCodes.PaymentRequired, "Without a paid membership a booking has to be paid at once.");
        }

        if (paid.Any(s => s.Status == MembershipStatus.Delinquent) && !price.IsZero)
        {
            return Error.Refused(ErrorCodes.PaymentRequired, "A payment is overdue: a booking has to be paid at once.");
        }

        return paid.All(s => s.EndsAt is { } ends && ends <= start)
            ? Error.Refused(ErrorCodes.MembershipEndsBefore, "The membership ends before the booking starts.")
            : null;
    }

    /// <summary>
    /// Whether a booking outlives the loss of a membership at an instant: one that starts before it does, and one made after it by
    /// a member who may book again.
    /// </summary>
    public static bool Survives(Booking booking, Instant lostAt, bool hasPaidNow) =>
        booking.State == BookingState.Cancelled || booking.Start < lostAt || (booking.CreatedAt > lostAt && hasPaidNow);

    private static bool IsOnGrid(LocalDateTime local) =>
        local.Minute % GridMinutes == 0 && local.Second == 0 && local.NanosecondOfSecond == 0;
}
