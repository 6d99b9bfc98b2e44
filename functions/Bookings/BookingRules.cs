using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Identity;
using Flex.Settings;
using NodaTime;

namespace Flex.Bookings;

/// <summary>Whether a time can be booked and by whom. Pure.</summary>
public static class BookingRules
{
    /// <summary>BKG-3: the smallest step, for start and end.</summary>
    public const int GridMinutes = 5;

    public static readonly Duration MaxLength = Duration.FromDays(31);

    /// <summary>How far ahead: two years. Bounds local dates too, which end at the year 9999.</summary>
    public const int MaxAheadDays = 731;

    /// <summary>Null when such a time exists at a place with this calendar.</summary>
    public static Error? RefuseInterval(Instant start, Instant end, SiteCalendar calendar)
    {
        if (end <= start)
        {
            return Error.Invalid(ErrorCodes.EndBeforeStart, "/end", "The end must be after the start.");
        }

        if (end - start > MaxLength)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/end", $"A booking is at most {MaxLength.Days} days long.");
        }

        if (start < Instant.FromUtc(2000, 1, 1, 0, 0) || end > Instant.FromUtc(2200, 1, 1, 0, 0))
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/start", "Times from 2000 to 2200.");
        }

        if (!IsOnGrid(calendar.LocalOf(start)))
        {
            return Error.Invalid(ErrorCodes.TimeOffGrid, "/start", $"Times are multiples of {GridMinutes} minutes.");
        }

        return IsOnGrid(calendar.LocalOf(end))
            ? null
            : Error.Invalid(ErrorCodes.TimeOffGrid, "/end", $"Times are multiples of {GridMinutes} minutes.");
    }

    /// <summary>Null when the time is ahead, and not too far.</summary>
    public static Error? RefuseTime(Instant start, Instant now)
    {
        if (start < now)
        {
            return Error.Invalid(ErrorCodes.InThePast, "/start", "The start is in the past.");
        }

        return start - now > Duration.FromDays(MaxAheadDays)
            ? Error.Invalid(ErrorCodes.InvalidValue, "/start", $"Bookings are made at most {MaxAheadDays} days ahead.")
            : null;
    }

    /// <summary>
    /// Whether the caller may make this booking now by the resource's policy; with what staff have set aside for it, for the record.
    /// </summary>
    public static Result<IReadOnlyList<PolicyOverride>> Allow(BookingWish wish, Caller caller, bool overridePolicy, Instant now)
    {
        if (RefuseTime(wish.Time.Start, now) is { } refusal)
        {
            return refusal;
        }

        if (overridePolicy && !caller.IsStaff)
        {
            return new Error(ErrorKind.Forbidden, ErrorCodes.Forbidden, "Only staff may set a policy aside.");
        }

        if (!caller.IsStaff && wish.Resource.Terms is { RequiresApproval: true, ApprovalDeadlineMinutes: var deadline }
            && wish.Time.Start - now <= Duration.FromMinutes(deadline))
        {
            return Policy("approvalDeadlineMinutes", "/start", $"Bookings here need approval, {deadline} minutes before the start at the latest.").Error;
        }

        if (BrokenPolicy(wish, now) is not { } broken)
        {
            return Array.Empty<PolicyOverride>();
        }

        return overridePolicy ? new[] { new PolicyOverride(broken.Rule, caller.Subject, now) } : broken.Error;
    }

    /// <summary>
    /// The first rule of the resource that the wish breaks (BKG-4, BKG-15), with the rule's name; null when there is none. Staff may
    /// set them aside.
    /// </summary>
    public static (string Rule, Error Error)? BrokenPolicy(BookingWish wish, Instant now)
    {
        BookingTerms terms = wish.Resource.Terms;
        Duration length = wish.Time.Duration;
        if (length < Duration.FromMinutes(terms.MinMinutes ?? 0))
        {
            return Policy("minMinutes", "/end", $"The shortest booking here is {terms.MinMinutes} minutes.");
        }

        if (terms.MaxMinutes is { } max && length > Duration.FromMinutes(max))
        {
            return Policy("maxMinutes", "/end", $"The longest booking here is {max} minutes.");
        }

        if (wish.Time.Start - now < Duration.FromMinutes(terms.LeadMinutes))
        {
            return Policy("leadMinutes", "/start", $"Book at least {terms.LeadMinutes} minutes ahead.");
        }

        if (terms.MaxAheadDays is { } days && wish.Time.Start - now > Duration.FromDays(days))
        {
            return Policy("maxAheadDays", "/start", $"Book at most {days} days ahead.");
        }

        if (terms.OnlyWithinOpeningHours && !(terms.OpeningHours ?? wish.Location.OpeningHours).Covers(wish.Time, wish.Location.Calendar))
        {
            return Policy("onlyWithinOpeningHours", "/start", "The resource is closed at that time.");
        }

        return MayBook(wish) ? null : ("audience", Error.Refused(ErrorCodes.ResourceNotAllowed, "The member may not book this resource."));
    }

    /// <summary>
    /// Null when the member may make a booking with this fee that is paid with the next invoice (BKG-14): a paid membership that lasts
    /// beyond the start, and none behind with its payment (MEM-14). Where nothing is left to pay, no membership is needed.
    /// </summary>
    public static Error? RefuseStanding(Member member, Instant start, Money fee)
    {
        MembershipStanding[] paid = [.. member.Standing.Where(MemberStanding.IsPaid)];
        if (paid.Length > 0 && paid.All(s => s.EndsAt is { } ends && ends <= start))
        {
            return Error.Refused(ErrorCodes.MembershipEndsBefore, "The membership ends before the booking starts.");
        }

        if (fee.IsZero)
        {
            return null;
        }

        if (paid.Length == 0)
        {
            return PayAtOnce("Without a paid membership a booking has to be paid at once.");
        }

        return paid.Any(s => s.Status == MembershipStatus.Delinquent)
            ? PayAtOnce("A payment is overdue: a booking has to be paid at once.")
            : null;
    }

    /// <summary>
    /// BKG-5: the notice is elapsed time before the start; at exactly the notice a cancellation is still in time. True when the booking
    /// is closer than that, or has begun.
    /// </summary>
    public static bool IsInsideNotice(Instant start, BookingTerms terms, Instant now) =>
        start - now < Duration.FromMinutes(terms.CancellationNoticeMinutes);

    /// <summary>
    /// Whether a booking outlives the loss of a membership at an instant: one that starts before it does, and one made after it that
    /// needed no membership or by a member who has one again.
    /// </summary>
    public static bool Survives(Booking booking, Instant lostAt, bool hasPaidNow) =>
        !booking.HoldsSlot() || booking.Start < lostAt || (booking.CreatedAt > lostAt && (hasPaidNow || !booking.OnMembership));

    /// <summary>Says how: a booking with this member of the request keeps its slot and is paid by its own command.</summary>
    private static Error PayAtOnce(string why) => Error.Refused(ErrorCodes.PaymentRequired, why) with
    {
        Extensions = new Dictionary<string, object?> { ["hold"] = true },
    };

    private static bool MayBook(BookingWish wish)
    {
        BookingTerms terms = wish.Resource.Terms;
        return terms.Audience != BookingAudience.Staff
            && ((terms.AllowedPlanIds.Count == 0 && terms.AllowedMemberIds.Count == 0)
                || terms.AllowedMemberIds.Contains(wish.Member.Id)
                || wish.Member.Standing.Any(s => terms.AllowedPlanIds.Contains(s.PlanId)
                    && (MemberStanding.IsPaid(s) || (s.IsDefault && s.Status == MembershipStatus.Active))
                    && !(s.EndsAt <= wish.Time.Start)));
    }

    internal static (string Rule, Error Error) Policy(string rule, string pointer, string text) =>
        (rule, Error.Invalid(ErrorCodes.BookingPolicy, pointer, text) with { Extensions = new Dictionary<string, object?> { ["rule"] = rule } });

    private static bool IsOnGrid(LocalDateTime local) =>
        local.Minute % GridMinutes == 0 && local.Second == 0 && local.NanosecondOfSecond == 0;
}
