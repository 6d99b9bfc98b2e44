using Flex.Members;
using Flex.Payments;
using NodaTime;

namespace Flex.Memberships;

/// <summary>Where an unpaid membership stands and what happens next.</summary>
/// <param name="PeriodStart">The period that is not paid; null when everything is.</param>
/// <param name="Attempts">All attempts of that period, oldest first. Rung 0 is an extra attempt with a new payment source.</param>
/// <param name="NextAttemptOn">Local date of the next retry, at the membership's usual time of day.</param>
/// <param name="RetriesLeft">Retries before the membership is downgraded.</param>
public sealed record DunningView(
    MembershipId MembershipId,
    MembershipStatus Status,
    LocalDate? PeriodStart,
    IReadOnlyList<DunningAttempt> Attempts,
    LocalDate? NextAttemptOn,
    int RetriesLeft,
    bool PaymentInProgress)
{
    public static DunningView Of(Membership membership) => new(
        membership.Id,
        membership.Status,
        membership.Ladder?.PeriodStart,
        [.. (membership.Ladder?.Attempts ?? []).Select(a => new DunningAttempt(a.InvoiceId, a.AttemptNo, a.Rung, a.At, a.State, a.FailureCode))],
        membership.IsOpen ? membership.Ladder?.NextRungOn : null,
        membership is { Status: MembershipStatus.Delinquent, Ladder: { } ladder } ? Ladder.Rungs - ladder.FailedRungs : 0,
        membership.InFlight is not null);
}

public sealed record DunningAttempt(InvoiceId InvoiceId, int AttemptNo, int Rung, Instant At, ChargeState State, string? FailureCode);
