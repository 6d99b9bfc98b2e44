using Flex.Invoicing;
using Flex.Members;
using Flex.Memberships;
using Flex.Payments;
using NodaTime;

namespace Flex.Renewals;

/// <summary>What is to be done with a membership next. Computed from facts every time it is asked; nothing is advanced by being asked.</summary>
public abstract record RenewalStep
{
    private RenewalStep()
    {
    }

    /// <summary>Nothing will ever be due for this period any more.</summary>
    public sealed record Done : RenewalStep;

    /// <summary>Look again at this instant, or earlier when something is signalled.</summary>
    public sealed record Wait(Instant Until, string For) : RenewalStep;

    /// <summary>Charge now. <paramref name="Rung"/> is 1 to 4, or 0 for an extra attempt with a new payment source.</summary>
    /// <param name="Due">Since when.</param>
    public sealed record Charge(LocalDate PeriodStart, int Rung, Instant Due) : RenewalStep;

    /// <summary>An attempt was begun and its answer never recorded: ask for it again, under the same keys.</summary>
    public sealed record Resume(AttemptInFlight Attempt) : RenewalStep;

    /// <summary>The membership ends now and the default membership takes its place.</summary>
    public sealed record Downgrade : RenewalStep;
}

/// <summary>
/// The retry ladder: first attempt at the member's slot on the renewal date, then one, three and three days after each
/// notice of failure, then the downgrade. A new payment source gets an extra attempt at the next full hour.
/// </summary>
public static class RenewalLadder
{
    /// <summary>Days from the notice of the k-th failure to the next rung: one fewer than <see cref="Ladder.Rungs"/>.</summary>
    public static readonly IReadOnlyList<int> GapDays = [1, 3, 3];

    /// <summary>A merged attempt runs at the slot if that is within this time of the source update.</summary>
    private static readonly Duration MergeWindow = Duration.FromHours(1);

    /// <summary>While a payment is under way the settlement is a signal; this is how often it is looked at without one.</summary>
    private static readonly Duration SettlementCheck = Duration.FromDays(1);

    public static RenewalStep Decide(Membership membership, SiteCalendar calendar, Instant now)
    {
        // Before anything else, also before the membership ends: nobody but its orchestration completes such an attempt.
        if (membership is { IsOpen: true, InFlight: { State: null } unanswered })
        {
            return new RenewalStep.Resume(unanswered);
        }

        if (membership.Status == MembershipStatus.PendingCancellation && now >= calendar.StartOfDay(membership.CancelOn!.Value))
        {
            return new RenewalStep.Downgrade();
        }

        if (membership is { IsOpen: true, InFlight: not null })
        {
            return new RenewalStep.Wait(now + SettlementCheck, "settlement");
        }

        return membership.Status switch
        {
            MembershipStatus.Active => DecideActive(membership, calendar, now),
            MembershipStatus.Delinquent => DecideDelinquent(membership, membership.Ladder!, calendar, now),
            MembershipStatus.PendingCancellation => new RenewalStep.Wait(calendar.StartOfDay(membership.CancelOn!.Value), "cancellation"),
            _ => new RenewalStep.Done(),
        };
    }

    /// <summary>Begins an attempt: takes the next attempt number and remembers which invoice it makes.</summary>
    public static Membership Begin(Membership membership, RenewalStep.Charge step, SiteCalendar calendar, Instant now)
    {
        int attemptNo = checked(membership.AttemptNo + 1);
        var period = new MembershipPeriod(membership.Id, step.PeriodStart, membership.Generation, attemptNo, step.Rung);
        var invoiceId = EntityId.Derive<InvoiceId>($"renewal|{membership.Id}|{step.PeriodStart:uuuuMMdd}|{membership.Generation}|{attemptNo}");
        return membership with
        {
            AttemptNo = attemptNo,
            InFlight = new AttemptInFlight(invoiceId, period, now, membership.Ladder?.FirstAttemptOn ?? calendar.DateOf(now), null),
            Version = membership.Version + 1,
        };
    }

    /// <summary>
    /// Takes in what became of an attempt. Forward only and idempotent: an outcome of any other attempt than the one under
    /// way, or one that says nothing new, leaves the membership as it is.
    /// </summary>
    public static Membership Settle(Membership membership, InvoiceId invoiceId, ChargeState state, string? failureCode, Instant at, SiteCalendar calendar)
    {
        if (membership.InFlight is not { } attempt || attempt.InvoiceId != invoiceId)
        {
            return state == ChargeState.Succeeded ? SucceededLate(membership, invoiceId, at, calendar) : membership;
        }

        Membership next = state switch
        {
            ChargeState.Processing or ChargeState.Unknown when attempt.State == state => membership,
            ChargeState.Processing or ChargeState.Unknown => membership with { InFlight = attempt with { State = state } },

            // It outlived its membership: money that came is kept, money that did not is not asked for again.
            _ when !membership.IsOpen => membership with { InFlight = null },
            ChargeState.Succeeded => Succeeded(membership, attempt, at, calendar),
            _ when membership.Status == MembershipStatus.PendingCancellation => membership with { InFlight = null },
            _ when PaidBefore(membership) => Succeeded(membership, attempt, at, calendar),
            _ => Failed(membership, attempt, failureCode, at, calendar),
        };
        next = TakeUpWhatIsOwed(next, at, calendar);
        return ReferenceEquals(next, membership) ? membership : next with { Version = membership.Version + 1 };
    }

    /// <summary>
    /// A payment that had succeeded was taken back. The notice is failed attempt 1 of a fresh ladder for that period; the
    /// next renewal date stays. While another period is unpaid or being paid it is only noted: there is one ladder at a time.
    /// </summary>
    public static Membership Reverse(
        Membership membership, MembershipPeriod period, InvoiceId invoiceId, string? failureCode, Instant at, SiteCalendar calendar)
    {
        var takenBack = new TakenBackPayment(period, invoiceId, failureCode);
        Membership next = membership.Status switch
        {
            MembershipStatus.Active when membership.InFlight is null => StartOver(membership, takenBack, at, calendar),
            MembershipStatus.Active or MembershipStatus.Delinquent => membership with { TakenBack = takenBack },
            _ => membership,
        };
        return ReferenceEquals(next, membership) ? membership : next with { Version = membership.Version + 1 };
    }

    /// <summary>The instant of the next rung; null when none is left.</summary>
    public static Instant? RungAt(Membership membership, Ladder ladder, SiteCalendar calendar)
    {
        if (ladder.NextRungOn is not { } date)
        {
            return null;
        }

        int slot = RenewalSlot.MinuteOf(membership.Id);
        Instant at = calendar.At(date, slot);
        if (ladder.RungNotBefore is not { } notBefore || at > notBefore)
        {
            return at;
        }

        LocalDate day = calendar.DateOf(notBefore);
        Instant same = calendar.At(day, slot);
        return same > notBefore ? same : calendar.At(day.PlusDays(1), slot);
    }

    private static RenewalStep DecideActive(Membership membership, SiteCalendar calendar, Instant now)
    {
        if (membership.NextRenewalOn is not { } date)
        {
            return new RenewalStep.Done();
        }

        Instant due = calendar.At(date, RenewalSlot.MinuteOf(membership.Id));
        if (membership.ChargeNotBefore is { } notBefore && notBefore > due)
        {
            due = notBefore;
        }

        return At(due, now, "renewal", new RenewalStep.Charge(date, 1, due));
    }

    private static RenewalStep DecideDelinquent(Membership membership, Ladder ladder, SiteCalendar calendar, Instant now)
    {
        Instant? rungAt = RungAt(membership, ladder, calendar);
        if (membership.SourceUpdatedAt is { } updated)
        {
            bool merged = rungAt is { } soon && soon <= updated + MergeWindow;
            Instant extraAt = calendar.NextTopOfHour(updated);
            if (!merged && (rungAt is null || extraAt < rungAt))
            {
                return At(extraAt, now, "new payment source", new RenewalStep.Charge(ladder.PeriodStart, 0, extraAt));
            }
        }

        return rungAt is { } rung
            ? At(rung, now, "retry", new RenewalStep.Charge(ladder.PeriodStart, ladder.FailedRungs + 1, rung))
            : ladder.AwaitsStaff ? new RenewalStep.Wait(now + SettlementCheck, "staff") : new RenewalStep.Downgrade();
    }

    private static RenewalStep At(Instant due, Instant now, string what, RenewalStep step) => now >= due ? step : new RenewalStep.Wait(due, what);

    /// <summary>A payment that was taken back meanwhile has its turn when nothing else of the membership is unpaid.</summary>
    private static Membership TakeUpWhatIsOwed(Membership membership, Instant at, SiteCalendar calendar) =>
        membership is { Status: MembershipStatus.Active, InFlight: null, TakenBack: { } owed } ? StartOver(membership, owed, at, calendar) : membership;

    private static Membership StartOver(Membership membership, TakenBackPayment payment, Instant notice, SiteCalendar calendar)
    {
        LocalDate day = calendar.DateOf(notice);
        MembershipPeriod period = payment.Period;
        bool laterPeriodIsPaid = membership.NextRenewalOn is { } next
            && next > MonthAnchor.NextAfter(membership.AnchorDate, membership.Plan.IntervalMonths, period.PeriodStart);
        return membership with
        {
            Status = MembershipStatus.Delinquent,
            Run = membership.Run + 1,
            ChargeNotBefore = null,
            TakenBack = null,
            Ladder = new Ladder(
                period.PeriodStart,
                day,
                1,
                day.PlusDays(GapDays[0]),
                null,
                payment.InvoiceId,
                [new AttemptRecord(payment.InvoiceId, period.AttemptNo, 1, notice, ChargeState.Reversed, payment.FailureCode)],
                laterPeriodIsPaid),
        };
    }

    /// <summary>True when an earlier attempt of the period turned out to have succeeded while this one was under way.</summary>
    private static bool PaidBefore(Membership membership) => membership.Ladder?.Attempts.Any(a => a.State == ChargeState.Succeeded) ?? false;

    private static Membership Succeeded(Membership membership, AttemptInFlight attempt, Instant at, SiteCalendar calendar)
    {
        // A payment taken back and paid again later: the next renewal date had moved on already and stays. A plan that does not renew has none.
        LocalDate? next = !membership.Plan.Renews ? null
            : membership.NextRenewalOn is { } current && current > attempt.Period.PeriodStart ? current
            : MonthAnchor.NextAfter(membership.AnchorDate, membership.Plan.IntervalMonths, attempt.FirstAttemptOn);

        bool cancelling = membership.Status == MembershipStatus.PendingCancellation;
        bool isPast = next is { } date && calendar.At(date, RenewalSlot.MinuteOf(membership.Id)) <= at;
        return membership with
        {
            Status = cancelling ? membership.Status : MembershipStatus.Active,
            NextRenewalOn = next,
            ChargeNotBefore = isPast ? calendar.NextTopOfHour(at) : null,
            Ladder = null,
            InFlight = null,
            SourceUpdatedAt = null,
        };
    }

    /// <summary>
    /// An attempt that had been reported failed has succeeded after all: the period is paid, and no rung may charge it again.
    /// While another attempt of the period is under way this is noted, and counts when that one is through.
    /// </summary>
    private static Membership SucceededLate(Membership membership, InvoiceId invoiceId, Instant at, SiteCalendar calendar)
    {
        if (membership is not { Status: MembershipStatus.Delinquent, Ladder: { } ladder }
            || ladder.Attempts.FirstOrDefault(a => a.InvoiceId == invoiceId) is not { State: ChargeState.Failed } attempt)
        {
            return membership;
        }

        Membership noted = membership with
        {
            Ladder = ladder with { Attempts = [.. ladder.Attempts.Select(a => a == attempt ? a with { State = ChargeState.Succeeded } : a)] },
            Version = membership.Version + 1,
        };
        if (membership.InFlight is not null)
        {
            return noted;
        }

        var period = new MembershipPeriod(membership.Id, ladder.PeriodStart, membership.Generation, attempt.AttemptNo, attempt.Rung);
        var inFlight = new AttemptInFlight(invoiceId, period, attempt.At, ladder.FirstAttemptOn, null);
        return TakeUpWhatIsOwed(Succeeded(noted, inFlight, at, calendar), at, calendar);
    }

    private static Membership Failed(Membership membership, AttemptInFlight attempt, string? failureCode, Instant at, SiteCalendar calendar)
    {
        var record = new AttemptRecord(attempt.InvoiceId, attempt.Period.AttemptNo, attempt.Period.Rung, at, ChargeState.Failed, failureCode);
        Ladder before = membership.Ladder ?? new Ladder(attempt.Period.PeriodStart, attempt.FirstAttemptOn, 0, null, null, attempt.InvoiceId, [], false);
        bool isRung = attempt.Period.Rung > 0;
        int failed = before.FailedRungs + (isRung ? 1 : 0);
        Ladder ladder = before with
        {
            FailedRungs = failed,
            NextRungOn = !isRung ? before.NextRungOn : failed < Ladder.Rungs ? calendar.DateOf(at).PlusDays(GapDays[failed - 1]) : null,
            RungNotBefore = isRung ? null : at,
            LastInvoice = attempt.InvoiceId,
            Attempts = [.. before.Attempts, record],
        };

        // A source that changed while the old one was being tried gets its own attempt at the full hour after this notice.
        bool changedMeanwhile = membership.SourceUpdatedAt is { } updated && updated > attempt.StartedAt;
        return membership with
        {
            Status = MembershipStatus.Delinquent,
            ChargeNotBefore = null,
            InFlight = null,
            Ladder = ladder,
            SourceUpdatedAt = changedMeanwhile ? at : null,
        };
    }
}
