using System.Diagnostics;
using Flex.Access;
using Flex.Invoicing;
using Flex.Members;
using Flex.Memberships;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Platform.Telemetry;
using Flex.Settings;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Renewals;

/// <summary>
/// One look at a membership: load the facts, decide, take the step. Safe to repeat at any point: the attempt is committed
/// before the gateway is called, its invoice id and gateway key follow from it, and its outcome is applied once.
/// </summary>
public sealed class RenewalStepHandler(
    MembershipStore memberships,
    CustomerStore customers,
    SettingsStore settings,
    IMembershipBilling billing,
    RenewalOutcomes outcomes,
    DowngradeMembership downgrade,
    TimeProvider time,
    ILogger<RenewalStepHandler> log)
{
    /// <summary>Pause after a fault of storage or gateway that decided nothing.</summary>
    private static readonly Duration FaultPause = Duration.FromMinutes(1);

    /// <summary>A charge may start this long after its time; later than that is reported.</summary>
    private static readonly Duration Punctual = Duration.FromHours(1);

    public async Task<RenewalStepResult> HandleAsync(RenewalInput input, CancellationToken cancellation)
    {
        CorrelationScope.Set(input.CorrelationId);
        using Activity? activity = FlexTelemetry.Source.StartActivity(RenewalNames.Step);
        activity?.SetTag(FlexTelemetry.CorrelationId, input.CorrelationId);
        try
        {
            return await StepAsync(input, cancellation);
        }
        catch (TransientFaultException)
        {
            return LookAgain(time.Now() + FaultPause, "fault");
        }
    }

    private async Task<RenewalStepResult> StepAsync(RenewalInput input, CancellationToken cancellation)
    {
        if (await memberships.FindAsync(input.MembershipId, cancellation) is not { } stored || !Watches(input, stored.Value))
        {
            return new RenewalStepResult(null, "done");
        }

        SiteCalendar calendar = await CalendarAsync(stored.Value.LocationId, cancellation);
        Instant now = time.Now();
        switch (RenewalLadder.Decide(stored.Value, calendar, now))
        {
            case RenewalStep.Charge charge:
                Membership begun = RenewalLadder.Begin(stored.Value, charge, calendar, now);
                TableBatch batch = await memberships.ChangeAsync(MembershipStore.BatchFor(begun.Id), stored, begun, cancellation);
                CommitResult committed = await memberships.CommitAsync(batch, cancellation);
                if (!committed.IsCommitted)
                {
                    // Somebody changed the membership in between; what is true now decides.
                    return LookAgain(now, "changed");
                }

                RenewalMetrics.CountBegun(charge.Rung);
                if (now - charge.Due > Punctual)
                {
                    log.LogWarning("Renewal of {MembershipId} for {PeriodStart} was due at {Due} and starts late.", begun.Id, charge.PeriodStart, charge.Due);
                }

                return await AttemptAsync(input, begun, calendar, cancellation);

            case RenewalStep.Resume:
                return await AttemptAsync(input, stored.Value, calendar, cancellation);

            case RenewalStep.Downgrade:
                await DowngradeAsync(stored, cancellation);
                return new RenewalStepResult(null, "downgraded");

            case RenewalStep.Wait wait:
                return LookAgain(wait.Until, wait.For);

            default:
                return new RenewalStepResult(null, "done");
        }
    }

    /// <summary>This orchestration's business: the membership is open and the period and run it was started for are still the ones at stake.</summary>
    private static bool Watches(RenewalInput input, Membership membership) =>
        membership.DueOn == input.PeriodStart && membership.Run == input.Run;

    private async Task<RenewalStepResult> AttemptAsync(RenewalInput input, Membership begun, SiteCalendar calendar, CancellationToken cancellation)
    {
        ChargeOutcome outcome = await billing.ChargeAsync(ChargeOf(begun, begun.InFlight!), cancellation);
        Stored<Membership> current = await memberships.FindAsync(begun.Id, cancellation)
            ?? throw new DefectException($"Membership {begun.Id} has disappeared.");
        Membership after = RenewalLadder.Settle(current.Value, outcome.InvoiceId, outcome.State, outcome.FailureCode, outcome.At, calendar);
        if (!ReferenceEquals(after, current.Value))
        {
            CommitResult committed = await outcomes.CommitAsync(current, after, calendar, watched: true, once: null, cancellation);
            if (!committed.IsCommitted)
            {
                return LookAgain(time.Now(), "changed");
            }

            RenewalMetrics.Count(outcome.State, begun.InFlight!.Period.Rung);
        }

        return !Watches(input, after)
            ? new RenewalStepResult(null, "done")
            : RenewalLadder.Decide(after, calendar, time.Now()) is RenewalStep.Wait wait ? LookAgain(wait.Until, wait.For) : LookAgain(time.Now(), "next");
    }

    /// <summary>After the ladder, with a notice to the payer; or the end of a cancelled membership, which the member knows of.</summary>
    private async Task DowngradeAsync(Stored<Membership> stored, CancellationToken cancellation)
    {
        Membership membership = stored.Value;
        if (membership.CancelOn is not null)
        {
            await downgrade.HandleAsync(stored, AccessEndReason.Expired, [], cancellation);
            return;
        }

        Customer customer = await customers.FindAsync(membership.CustomerId, cancellation)
            ?? throw new DefectException($"{membership.CustomerId} has a membership and does not exist.");
        OutboxMessage notice = RenewalMail.OfDowngrade(membership, customer.BillingEmail).ToMessage();
        await downgrade.HandleAsync(stored, AccessEndReason.Downgraded, [notice], cancellation);
        RenewalMetrics.CountDowngrade();
    }

    private static MembershipCharge ChargeOf(Membership membership, AttemptInFlight attempt) => new(
        attempt.InvoiceId,
        InvoiceKind.Renewal,
        attempt.Period,
        membership.CustomerId,
        membership.MemberId,
        membership.LocationId,
        $"{membership.Plan.Name}, from {attempt.Period.PeriodStart:uuuu-MM-dd}",
        membership.Plan.Price,
        membership.Plan.TaxRateId,
        membership.Ladder?.LastInvoice);

    private static RenewalStepResult LookAgain(Instant at, string waiting) => new(at.ToDateTimeUtc(), waiting);

    private async Task<SiteCalendar> CalendarAsync(LocationId location, CancellationToken cancellation) =>
        (await settings.LocationAsync(location, cancellation)).Calendar;
}
