using System.Text.Json.Serialization;
using Flex.Catalogue;
using NodaTime;
using NodaTime.Text;

namespace Flex.Wallets;

/// <summary>
/// What has been used of a member's plan credits, and what the member owns beside the plan. What a plan gives is not in it: a balance is
/// the plan's amount minus what is used, so nothing has to be refilled at the start of a cycle (CRD-1, CRD-4). Pure.
/// </summary>
/// <param name="Used">One entry per credit and cycle that something was ever taken from.</param>
public sealed record Wallet(IReadOnlyList<CreditUse> Used, IReadOnlyList<CreditGrant> Grants, IReadOnlyList<BookingPass> Passes)
{
    /// <summary>How long what can no longer matter is kept for lists; and longer than a booking of it may wait for its cancellation.</summary>
    public static readonly Duration Retention = Duration.FromDays(400);

    public static Wallet Empty { get; } = new([], [], []);

    /// <summary>What can be drawn for a resource by a booking that starts at an instant.</summary>
    /// <param name="passesEnabled">The operator's switch (BPS-12): off, nothing is offered and nothing blocked, and what is owned stays usable.</param>
    public Allowance AllowanceFor(MemberTerms terms, ResourceId resource, Instant start, bool passesEnabled)
    {
        MembershipTerms[] counted = [.. terms.At(start)];
        PassOffer[] offers = passesEnabled ? [.. counted.SelectMany(m => m.Plan.PassOffers)] : [];
        IEnumerable<RankedCredit> credits = counted
            .SelectMany(m => m.Plan.Credits.Select((credit, position) => (Terms: m, Credit: credit, Position: position)))
            .Where(c => c.Credit.ResourceIds.Contains(resource))
            .Select(c => new RankedCredit(
                BalanceOf(c.Terms, c.Credit, c.Terms.CycleAt(start)),
                c.Credit.ResourceIds.Count,
                c.Terms.Standing.AnchorDate,
                c.Terms.Standing.MembershipId.Value,
                c.Position))
            .Concat(Grants.Where(g => g.Covers(resource, start)).Select(g => new RankedCredit(g.Balance, g.ResourceIds.Count, g.From, g.Id.Value, 0)));
        return new Allowance(
            [.. credits.OrderBy(c => c.Resources).ThenBy(c => c.Since).ThenBy(c => c.Owner, StringComparer.Ordinal).ThenBy(c => c.Position).Select(c => c.Balance)],
            PassesActivated: offers.Length > 0,
            PassesOffered: offers.Any(o => o.ResourceIds.Contains(resource)),
            [.. PassesFor(resource).Select(p => new PassBalance(p.Id, p.MinutesLeft))])
        {
            PurchaseLink = PurchaseLink(terms.Member.Id),
        };
    }

    /// <summary>Where the member buys passes: an address of this API.</summary>
    public static string PurchaseLink(MemberId member) => $"/api/v1/members/{member}/booking-passes/purchases";

    /// <summary>Passes that cover the resource and have minutes left, oldest first.</summary>
    public IEnumerable<BookingPass> PassesFor(ResourceId resource) => Passes
        .Where(p => p.MinutesLeft > 0 && p.ResourceIds.Contains(resource))
        .OrderBy(p => p.IssuedAt)
        .ThenBy(p => p.Id.Value, StringComparer.Ordinal);

    /// <summary>What is left of a plan's credit in a cycle.</summary>
    public CreditBalance BalanceOf(MembershipTerms terms, PlanCredit credit, CreditCycle cycle)
    {
        CreditUse used = UseOf(terms, credit, cycle);
        return new CreditBalance(
            used.Source, CreditGrant.Left(credit.Minutes, used.Minutes), CreditGrant.Left(credit.Amount, used.Amount), credit.PricePerHour);
    }

    /// <summary>What bookings have taken from a plan's credit in a cycle.</summary>
    public CreditUse UseOf(MembershipTerms terms, PlanCredit credit, CreditCycle cycle)
    {
        string source = CreditUse.SourceOf(terms.Standing.MembershipId, credit.Name, cycle);
        return Used.FirstOrDefault(u => u.Source == source) ?? new CreditUse(source, 0, null);
    }

    /// <summary>The wallet after a booking that starts at an instant has taken something.</summary>
    public Wallet Take(IReadOnlyList<Taking> takings, Instant start) => takings.Aggregate(this, (wallet, taking) => wallet.Take(taking, start));

    /// <summary>
    /// The wallet after takings went back to where they came from: to a closed cycle too, where nobody can use them any more, and to a
    /// removed pass, which stays removed. What was pruned stays so.
    /// </summary>
    public Wallet Return(IReadOnlyList<Taking> takings) => takings.Aggregate(this, (wallet, taking) => wallet.Return(taking));

    /// <summary>Without what can no longer matter.</summary>
    public Wallet Prune(Instant now)
    {
        Instant before = now - Retention;
        LocalDate cyclesBefore = before.InUtc().Date.PlusMonths(-1);
        return new Wallet(
            [.. Used.Where(u => u.CycleStart >= cyclesBefore)],
            [.. Grants.Where(g => g.LastUsableAt is not { } last || last >= before)],
            [.. Passes.Where(p => p.LastUsableAt is not { } last || last >= before)]);
    }

    public Wallet Change(BookingPass pass) => this with { Passes = [.. Passes.Select(p => p.Id == pass.Id ? pass : p)] };

    public Wallet Change(CreditGrant grant) => this with { Grants = [.. Grants.Select(g => g.Id == grant.Id ? grant : g)] };

    private Wallet Take(Taking taking, Instant start)
    {
        if (Passes.FirstOrDefault(p => p.Id.Value == taking.Source) is { } pass)
        {
            return Change(pass with { UsedMinutes = pass.UsedMinutes + taking.Minutes, LastStart = Latest(pass.LastStart, start) });
        }

        if (Grants.FirstOrDefault(g => g.Id.Value == taking.Source) is { } grant)
        {
            return Change(grant with
            {
                UsedMinutes = grant.UsedMinutes + taking.Minutes,
                UsedAmount = Sum(grant.UsedAmount, taking.Amount),
                LastStart = Latest(grant.LastStart, start),
            });
        }

        CreditUse used = Used.FirstOrDefault(u => u.Source == taking.Source) ?? new CreditUse(taking.Source, 0, null);
        return this with
        {
            Used =
            [
                .. Used.Where(u => u.Source != taking.Source),
                used with { Minutes = used.Minutes + taking.Minutes, Amount = Sum(used.Amount, taking.Amount) },
            ],
        };
    }

    private Wallet Return(Taking taking)
    {
        if (Passes.FirstOrDefault(p => p.Id.Value == taking.Source) is { } pass)
        {
            return Change(pass with { UsedMinutes = pass.UsedMinutes - taking.Minutes });
        }

        if (Grants.FirstOrDefault(g => g.Id.Value == taking.Source) is { } grant)
        {
            return Change(grant with
            {
                UsedMinutes = grant.UsedMinutes - taking.Minutes,
                UsedAmount = Sum(grant.UsedAmount, -taking.Amount),
            });
        }

        return this with
        {
            Used =
            [
                .. Used
                    .Select(u => u.Source == taking.Source ? u with { Minutes = u.Minutes - taking.Minutes, Amount = Sum(u.Amount, -taking.Amount) } : u)
                    .Where(u => u.Minutes != 0 || u.Amount is { IsZero: false }),
            ],
        };
    }

    private static Money? Sum(Money? a, Money? b) => a is null ? b : b is null ? a : a.Value + b.Value;

    private static Instant Latest(Instant? known, Instant start) => known is { } k && k > start ? k : start;

    private sealed record RankedCredit(CreditBalance Balance, int Resources, LocalDate Since, string Owner, int Position);
}

/// <summary>What bookings have taken from one credit of a plan in one cycle.</summary>
/// <param name="Source"><c>{membershipId}|{credit name}|{cycle start yyyyMMdd}</c>.</param>
public sealed record CreditUse(string Source, int Minutes, Money? Amount)
{
    private static readonly LocalDatePattern Day = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");

    [JsonIgnore]
    public LocalDate CycleStart => Day.Parse(Source[^8..]).Value;

    public static string SourceOf(MembershipId membership, string credit, CreditCycle cycle) => $"{membership}|{credit}|{Day.Format(cycle.From)}";
}

/// <summary>Credit that staff gave beside the plan (CRD-7): minutes or an amount, for bookings that start on certain days.</summary>
/// <param name="ResourceIds">All at one location.</param>
/// <param name="Minutes">Null for an amount.</param>
/// <param name="Amount">Net; null for minutes.</param>
/// <param name="PricePerHour">As for a plan's credit.</param>
/// <param name="TimeZone">Of the resources' location, whose days <paramref name="From"/> and <paramref name="Until"/> are.</param>
/// <param name="Until">Inclusive; null is open.</param>
/// <param name="LastStart">Start of the latest booking that took from it.</param>
/// <param name="WithdrawnAt">From then on nothing is left; what bookings have taken stays taken.</param>
public sealed record CreditGrant(
    CreditGrantId Id,
    string Name,
    IReadOnlyList<ResourceId> ResourceIds,
    int? Minutes,
    Money? Amount,
    Money? PricePerHour,
    string TimeZone,
    LocalDate From,
    LocalDate? Until,
    int UsedMinutes,
    Money? UsedAmount,
    Instant? LastStart,
    Instant GrantedAt,
    Instant? WithdrawnAt)
{
    [JsonIgnore]
    public int? MinutesLeft => Left(Minutes, WithdrawnAt is null ? UsedMinutes : int.MaxValue);

    [JsonIgnore]
    public Money? AmountLeft => WithdrawnAt is null ? Left(Amount, UsedAmount) : Left(Amount, Amount);

    [JsonIgnore]
    public CreditBalance Balance => new(Id.Value, MinutesLeft, AmountLeft, PricePerHour);

    /// <summary>When it stops to matter for new bookings; null while it may be used.</summary>
    [JsonIgnore]
    public Instant? LastUsableAt => WithdrawnAt is { } withdrawn ? Instant.Max(withdrawn, LastStart ?? withdrawn)
        : Until is { } until ? new SiteCalendar(TimeZone).StartOfDay(until.PlusDays(1)) : null;

    /// <summary>A withdrawn grant covers nothing, so its price per hour is gone too.</summary>
    public bool Covers(ResourceId resource, Instant start)
    {
        LocalDate day = new SiteCalendar(TimeZone).DateOf(start);
        return WithdrawnAt is null && ResourceIds.Contains(resource) && day >= From && (Until is null || day <= Until);
    }

    internal static int? Left(int? granted, int used) => granted is { } g ? Math.Max(0, g - used) : null;

    internal static Money? Left(Money? granted, Money? used) =>
        granted is not { } g || used is not { } u || !g.Currency.Equals(u.Currency) ? granted : u >= g ? Money.Zero(g.Currency) : g - u;
}

/// <summary>A prepaid booking pass: minutes that never expire, for the resources it was sold for, whatever the plan is later (BPS-8).</summary>
/// <param name="Price">Net, as sold; null when staff gave it (BPS-9).</param>
/// <param name="InvoiceId">What it was paid with.</param>
/// <param name="LastStart">Start of the latest booking that took from it.</param>
/// <param name="RemovedAt">From then on nothing is left; minutes that bookings return are noted but cannot be used.</param>
public sealed record BookingPass(
    BookingPassId Id,
    string Name,
    int Minutes,
    int UsedMinutes,
    IReadOnlyList<ResourceId> ResourceIds,
    Money? Price,
    InvoiceId? InvoiceId,
    Instant IssuedAt,
    Instant? LastStart,
    Instant? RemovedAt)
{
    [JsonIgnore]
    public int MinutesLeft => RemovedAt is null ? Math.Max(0, Minutes - UsedMinutes) : 0;

    /// <summary>When it stopped to matter for new bookings; null while it has minutes.</summary>
    [JsonIgnore]
    public Instant? LastUsableAt => MinutesLeft > 0 ? null : Instant.Max(RemovedAt ?? IssuedAt, LastStart ?? IssuedAt);
}
