using System.Text.Json.Serialization;
using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Members;
using Flex.Payments;
using NodaTime;

namespace Flex.Memberships;

/// <summary>The plan as it was when the membership began; later edits of the plan do not reach it.</summary>
public sealed record PlanSnapshot(
    PlanId PlanId,
    long PlanVersion,
    string Name,
    PlanKind Kind,
    int IntervalMonths,
    Money Price,
    TaxRateId? TaxRateId,
    IReadOnlyList<string> AccessGroups,
    bool IsDefault)
{
    /// <summary>Day passes that are sold with the membership, once: a one-off plan's. Those of a recurring plan come anew in every cycle.</summary>
    public DayPassTerms? SoldPasses { get; init; }

    /// <summary>Door access groups for as long as the membership is open; where passes are sold, the passes grant them instead.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> OwnAccessGroups => SoldPasses is null ? AccessGroups : [];

    public static PlanSnapshot Of(Plan plan) =>
        new(plan.Id, plan.Version, plan.Name, plan.Kind, plan.IntervalMonths, plan.Price, plan.TaxRateId, plan.AccessGroups, plan.IsDefault)
        {
            SoldPasses = plan.Kind == PlanKind.OneOff ? plan.DayPasses : null,
        };

    /// <summary>Renews by itself: recurring, and not the free plan everyone falls back to.</summary>
    public bool Renews => Kind == PlanKind.Recurring && !IsDefault;
}

/// <summary>An attempt that has begun and whose outcome is not in these facts yet.</summary>
/// <param name="FirstAttemptOn">Local day of the period's first attempt; the next renewal date is counted from it.</param>
/// <param name="State">Null until the gateway has answered anything; then Processing or Unknown.</param>
public sealed record AttemptInFlight(InvoiceId InvoiceId, MembershipPeriod Period, Instant StartedAt, LocalDate FirstAttemptOn, ChargeState? State);

/// <summary>A finished attempt, for the dunning view.</summary>
public sealed record AttemptRecord(InvoiceId InvoiceId, int AttemptNo, int Rung, Instant At, ChargeState State, string? FailureCode);

/// <summary>A payment that had succeeded and was taken back.</summary>
public sealed record TakenBackPayment(MembershipPeriod Period, InvoiceId InvoiceId, string? FailureCode);

/// <summary>Where a period stands that has not been paid at its first attempt.</summary>
/// <param name="FailedRungs">Rungs that have failed, 1 to 4.</param>
/// <param name="NextRungOn">Local date of the next rung; null after the fourth.</param>
/// <param name="RungNotBefore">A rung that fell due while another attempt was under way waits for the next slot after this.</param>
/// <param name="AwaitsStaff">A later period is paid already (a payment was taken back afterwards): the downgrade is staff's decision.</param>
public sealed record Ladder(
    LocalDate PeriodStart,
    LocalDate FirstAttemptOn,
    int FailedRungs,
    LocalDate? NextRungOn,
    Instant? RungNotBefore,
    InvoiceId LastInvoice,
    IReadOnlyList<AttemptRecord> Attempts,
    bool AwaitsStaff)
{
    /// <summary>Attempts of a period before its membership is downgraded; extra ones with a new payment source not counted.</summary>
    public const int Rungs = 4;
}

/// <summary>
/// A subscription of a member to a plan, and everything that decides when it is charged next. One row, partitioned by
/// location. Transitions are pure; what they mean for doors, bookings and mail leaves as messages.
/// </summary>
/// <param name="AnchorDate">The date renewals are counted from; never the previous, possibly clamped, renewal date.</param>
/// <param name="NextRenewalOn">Local date on which the next period begins and is charged; null: never renews. Stays while delinquent.</param>
/// <param name="ChargeNotBefore">A date that was already past when it was set is charged at the next full hour: this one.</param>
/// <param name="Generation">Goes up only when staff move the renewal date.</param>
/// <param name="AttemptNo">Gateway calls so far; never reused, so that a gateway key never means two calls.</param>
/// <param name="Run">Goes up when a period has to be watched again; part of the orchestration's instance id, never reset.</param>
/// <param name="SourceUpdatedAt">A new payment source that has not been tried yet.</param>
/// <param name="CancelOn">Local date at whose start a pending cancellation takes effect.</param>
public sealed record Membership(
    MembershipId Id,
    MemberId MemberId,
    CustomerId CustomerId,
    LocationId LocationId,
    PlanSnapshot Plan,
    MembershipStatus Status,
    Instant CreatedAt,
    LocalDate AnchorDate,
    LocalDate? NextRenewalOn,
    Instant? ChargeNotBefore,
    int Generation,
    int AttemptNo,
    int Run,
    Ladder? Ladder,
    AttemptInFlight? InFlight,
    Instant? SourceUpdatedAt,
    LocalDate? CancelOn,
    Instant? EndedAt,
    long Version)
{
    public bool IsOpen => Status is MembershipStatus.Active or MembershipStatus.Delinquent or MembershipStatus.PendingCancellation;

    /// <summary>A payment that was taken back while another period was unpaid or being paid; its ladder starts after that one's.</summary>
    public TakenBackPayment? TakenBack { get; init; }

    /// <summary>
    /// The date under which the due index lists it, and the period at stake; null when nothing of it is ever due. With a ladder
    /// it is that of the unpaid period, so that the hourly timer finds what nobody watches any more.
    /// </summary>
    public LocalDate? DueOn => !IsOpen ? null : Status == MembershipStatus.PendingCancellation ? CancelOn : Ladder?.PeriodStart ?? NextRenewalOn;

    /// <summary>
    /// The gateway has answered a first attempt of the period at stake: refused it, or has it under way at the bank. Nothing answers
    /// for a cancellation but its being carried out.
    /// </summary>
    [JsonIgnore]
    public bool IsAnswered => Status != MembershipStatus.PendingCancellation && (Ladder is not null || InFlight is { State: ChargeState.Processing });

    /// <summary>
    /// Signs up on a local day: that day is the anchor and begins period 0, which the sign-up charge pays. The first
    /// renewal is one interval later.
    /// </summary>
    public static Membership SignUp(MembershipId id, MemberId member, CustomerId customer, Plan plan, Instant now, LocalDate today)
    {
        LocalDate? renewalOn = PlanSnapshot.Of(plan).Renews ? MonthAnchor.Nth(today, plan.IntervalMonths) : null;
        return Create(id, member, customer, plan, now, MembershipStatus.Pending, today, renewalOn) with { AttemptNo = 1 };
    }

    /// <summary>Assigned by staff: bills nothing before the renewal date, and nothing ever if the plan does not renew.</summary>
    public static Membership Assign(MembershipId id, MemberId member, CustomerId customer, Plan plan, Instant now, LocalDate today, LocalDate? renewalOn) =>
        Create(id, member, customer, plan, now, MembershipStatus.Active, renewalOn ?? today, PlanSnapshot.Of(plan).Renews ? renewalOn : null);

    public Membership Activate() => this with { Status = MembershipStatus.Active, Version = Version + 1 };

    /// <summary>The membership ends now; nothing of it is charged again.</summary>
    public Membership End(MembershipStatus status, Instant now) => this with
    {
        Status = status,
        EndedAt = now,
        NextRenewalOn = null,
        ChargeNotBefore = null,
        SourceUpdatedAt = null,
        TakenBack = null,
        Version = Version + 1,
    };

    /// <summary>Will end at the start of a local day and is not charged any more. A ladder stops; an attempt under way keeps its success.</summary>
    public Membership CancelAt(LocalDate date) => this with
    {
        Status = MembershipStatus.PendingCancellation,
        CancelOn = date,
        Run = Run + 1,
        Ladder = null,
        SourceUpdatedAt = null,
        TakenBack = null,
        Version = Version + 1,
    };

    /// <summary>
    /// Notes a new payment source where it can matter: an unpaid period, or an attempt with the old source under way. Several
    /// collapse into the first, whose hour counts; but an attempt under way is not made with the latest one.
    /// </summary>
    public Membership NoteSourceUpdate(Instant at) => this switch
    {
        { InFlight: not null } => this with { SourceUpdatedAt = SourceUpdatedAt is { } noted && noted > at ? noted : at, Version = Version + 1 },
        { Status: MembershipStatus.Delinquent } => this with { SourceUpdatedAt = SourceUpdatedAt ?? at, Version = Version + 1 },
        _ => this,
    };

    public MembershipStanding ToStanding(SiteCalendar calendar) => new(
        Id,
        LocationId,
        Plan.PlanId,
        Plan.PlanVersion,
        Plan.Name,
        Plan.IsDefault,
        Status,
        AnchorDate,
        EndedAt ?? (CancelOn is { } on && Status == MembershipStatus.PendingCancellation ? calendar.StartOfDay(on) : null),
        Version);

    private static Membership Create(
        MembershipId id, MemberId member, CustomerId customer, Plan plan, Instant now, MembershipStatus status, LocalDate anchor, LocalDate? renewalOn) => new(
        id,
        member,
        customer,
        plan.LocationId,
        PlanSnapshot.Of(plan),
        status,
        now,
        anchor,
        renewalOn,
        ChargeNotBefore: null,
        Generation: 0,
        AttemptNo: 0,
        Run: 0,
        Ladder: null,
        InFlight: null,
        SourceUpdatedAt: null,
        CancelOn: null,
        EndedAt: null,
        Version: 1);
}
