using System.Globalization;
using Flex.Invoicing;
using Flex.Members;
using Flex.Memberships;
using Flex.Payments;
using Flex.Platform.Mail;
using NodaTime;

namespace Flex.Renewals;

/// <summary>
/// What the payer is told when a payment fails: why, what happens next and when, and in the end that the membership is over.
/// Each text has an id of its own, so it is sent once however often its cause is repeated.
/// </summary>
public static class RenewalMail
{
    /// <summary>The attempt that this change has added to the ladder; null when it brought no bad news.</summary>
    public static AttemptRecord? FailedAttemptOf(Membership before, Membership after) =>
        after is { Status: MembershipStatus.Delinquent, Ladder.Attempts: [.., { State: ChargeState.Failed or ChargeState.Reversed } last] }
        && !(before.Ladder?.Attempts.Any(a => a.InvoiceId == last.InvoiceId && a.State == last.State) ?? false)
            ? last
            : null;

    public static OutgoingMail OfFailure(Membership membership, AttemptRecord attempt, SiteCalendar calendar, string to)
    {
        Ladder ladder = membership.Ladder!;
        bool returned = attempt.State == ChargeState.Reversed;
        string verb = returned ? "was returned" : "failed";
        string next = RenewalLadder.RungAt(membership, ladder, calendar) is { } at ? $"We will try again on {Day(calendar.DateOf(at))}."
            : ladder.AwaitsStaff ? "This was the last attempt. We will be in touch with you."
            : "This was the last attempt.";
        return new OutgoingMail(
            string.Create(CultureInfo.InvariantCulture, $"{membership.Id}.{attempt.AttemptNo}.{(returned ? "returned" : "failed")}"),
            to,
            $"Your payment for {membership.Plan.Name} {verb}",
            $"""
            The payment for {membership.Plan.Name}, period from {Day(ladder.PeriodStart)}, {verb}: {Reason(attempt.FailureCode)}.

            {next} If you replace the payment method before, the new one is charged within the hour.
            """);
    }

    public static OutgoingMail OfDowngrade(Membership membership, string to) => new(
        $"{membership.Id}.downgraded",
        to,
        $"Your membership {membership.Plan.Name} has ended",
        $"""
        The payment for {membership.Plan.Name}, period from {Day(membership.Ladder!.PeriodStart)}, failed for the last time. The membership has ended.

        Its door access is withdrawn and its future bookings are cancelled without a fee. You can sign up again at any time.
        """);

    private static string Reason(string? code) => (DeclineCodes.Shown(code) ?? DeclineCodes.Generic).Replace('_', ' ');

    private static string Day(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
}
