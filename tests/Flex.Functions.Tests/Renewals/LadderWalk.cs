using Flex.Catalogue;
using Flex.Kernel;
using Flex.Memberships;
using Flex.Payments;
using Flex.Renewals;
using NodaTime;

namespace Flex.Functions.Tests.Renewals;

/// <summary>
/// Walks a membership through time by asking the ladder what is next and answering as the gateway would. No clock but the
/// one it keeps: every wait jumps.
/// </summary>
internal sealed class LadderWalk
{
    private readonly Queue<(Instant At, Action<LadderWalk> Do)> _events = new();

    public LadderWalk(string zone, LocalDate renewalOn, LocalDate? anchor = null, string? idSeed = null, int intervalMonths = 1)
    {
        Calendar = new SiteCalendar(zone);
        Membership = New(renewalOn, anchor ?? renewalOn, idSeed ?? "walk", intervalMonths);
        Now = Calendar.StartOfDay(renewalOn.PlusDays(-1));
    }

    public SiteCalendar Calendar { get; }

    public Membership Membership { get; set; }

    public Instant Now { get; private set; }

    /// <summary>What the gateway says to the n-th call (from 1) and how long it takes to say so.</summary>
    public Func<int, (ChargeState State, Duration After)> Gateway { get; init; } = _ => (ChargeState.Failed, Duration.Zero);

    public List<Instant> Attempts { get; } = [];

    public List<int> RungsTried { get; } = [];

    public Instant? DowngradedAt { get; private set; }

    public IEnumerable<LocalDate> AttemptDays => Attempts.Select(Calendar.DateOf);

    public static Membership New(LocalDate renewalOn, LocalDate anchor, string idSeed, int intervalMonths = 1)
    {
        var location = EntityId.Derive<LocationId>("location");
        var plan = new Plan(
            EntityId.Derive<PlanId>("plan"), location, "Full time", PlanKind.Recurring, intervalMonths, new Money(10_000, Currency.Parse("usd")), null, ["doors"], false, true, 1);
        var id = EntityId.Derive<MembershipId>(idSeed, EntityId.Home(location));
        return Membership.Assign(
            id, EntityId.Derive<MemberId>("member"), EntityId.Derive<CustomerId>("customer"), plan, Instant.FromUtc(2024, 1, 1, 0, 0), anchor, renewalOn) with
        {
            AnchorDate = anchor,
        };
    }

    /// <summary>An id whose slot is the wanted minute, so that vectors with a time of day can be written down.</summary>
    public static string SeedForSlot(LocalTime time)
    {
        int minute = (time.Hour * 60) + time.Minute;
        string home = EntityId.Home(EntityId.Derive<LocationId>("location"));
        return Enumerable.Range(0, 100_000).Select(i => $"seed-{i}")
            .First(seed => RenewalSlot.MinuteOf(EntityId.Derive<MembershipId>(seed, home)) == minute);
    }

    public LadderWalk At(Instant at, Action<LadderWalk> change)
    {
        _events.Enqueue((at, change));
        return this;
    }

    /// <summary>Walks until nothing is left to do before <paramref name="until"/>.</summary>
    public LadderWalk Until(Instant until)
    {
        for (int turns = 0; turns < 1000; turns++)
        {
            RenewalStep step = RenewalLadder.Decide(Membership, Calendar, Now);
            switch (step)
            {
                case RenewalStep.Charge charge:
                    Attempt(charge);
                    break;
                case RenewalStep.Downgrade:
                    DowngradedAt = Now;
                    Membership = Membership.End(Flex.Members.MembershipStatus.Downgraded, Now);
                    break;
                case RenewalStep.Wait wait when JumpTo(wait.Until, until):
                    break;
                case RenewalStep.Done when JumpTo(until, until):
                    break;
                default:
                    return this;
            }
        }

        throw new InvalidOperationException("The walk does not end.");
    }

    private bool JumpTo(Instant at, Instant until)
    {
        if (_events.TryPeek(out (Instant At, Action<LadderWalk> Do) next) && next.At <= at && next.At <= until)
        {
            _events.Dequeue();
            Now = Instant.Max(Now, next.At);
            next.Do(this);
            return true;
        }

        if (at >= until)
        {
            Now = until;
            return false;
        }

        Now = at;
        return true;
    }

    private void Attempt(RenewalStep.Charge charge)
    {
        Attempts.Add(Now);
        RungsTried.Add(charge.Rung);
        Membership = RenewalLadder.Begin(Membership, charge, Calendar, Now);
        AttemptInFlight attempt = Membership.InFlight!;
        (ChargeState state, Duration after) = Gateway(Attempts.Count);
        if (after == Duration.Zero)
        {
            Settle(attempt.InvoiceId, state);
            return;
        }

        Settle(attempt.InvoiceId, ChargeState.Processing);
        _events.Enqueue((Now + after, walk => walk.Settle(attempt.InvoiceId, state)));
    }

    private void Settle(InvoiceId invoice, ChargeState state) =>
        Membership = RenewalLadder.Settle(Membership, invoice, state, state == ChargeState.Failed ? "card_declined" : null, Now, Calendar);
}
