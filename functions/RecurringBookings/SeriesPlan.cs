using Flex.Bookings;
using Flex.Wallets;
using NodaTime;

namespace Flex.RecurringBookings;

/// <summary>An occurrence that is to be booked, and whether it can be.</summary>
/// <param name="IsToAccount">It lies inside the horizon.</param>
/// <param name="Price">Null where it is refused.</param>
/// <param name="Takes">The wallet is asked for it: it may take something, also at a later look.</param>
/// <param name="Override">The rule that staff have set aside for it.</param>
/// <param name="Conflict">What it is refused for.</param>
public sealed record PlannedOccurrence(
    Occurrence Occurrence, bool IsToAccount, BookingPrice? Price = null, bool Takes = false, string? Override = null, Error? Refusal = null, AgendaSlot? Conflict = null)
{
    public LocalDate Date => Occurrence.Date;
}

/// <summary>A series as it can be booked now. Pure.</summary>
/// <param name="Today">Local day.</param>
/// <param name="Occurrences">All that the rule gives, in order.</param>
/// <param name="Wallet">As it was read; null where it cannot matter.</param>
public sealed record SeriesPlan(
    BookingWish Wish, SeriesSchedule Schedule, LocalDate Today, IReadOnlyList<PlannedOccurrence> Occurrences, AgendaSheet Sheet, StoredWallet? Wallet)
{
    public IEnumerable<PlannedOccurrence> Bookable => Occurrences.Where(o => o.Refusal is null);

    /// <summary>The days left out.</summary>
    public IReadOnlyList<Exclusion> Skipped =>
        [.. Occurrences.Where(o => o.Refusal is not null).Select(o => new Exclusion(o.Date, ReasonOf(o.Refusal!.Code), DetailOf(o.Refusal)))];

    /// <summary>
    /// Null when the series can be booked. A conflict names all conflicting times; any other refusal all days that are refused. What is no
    /// matter of the day, such as a payment overdue, cannot be skipped.
    /// </summary>
    public Error? Refuse(OnConflict onConflict)
    {
        PlannedOccurrence[] refused = [.. Occurrences.Where(o => o.Refusal is not null)];
        if (refused.Length == 0)
        {
            return null;
        }

        if (onConflict == OnConflict.Skip && refused.Length < Occurrences.Count && refused.All(o => CanSkip(o.Refusal!)))
        {
            return null;
        }

        PlannedOccurrence first = refused.FirstOrDefault(o => !CanSkip(o.Refusal!)) ?? refused.FirstOrDefault(o => o.Conflict is not null) ?? refused[0];
        return first.Refusal! with
        {
            Extensions = new Dictionary<string, object?>(first.Refusal.Extensions.Where(e => e.Key != "conflict"))
            {
                ["dates"] = refused.Where(o => o.Refusal!.Code == first.Refusal.Code).Select(o => o.Date).ToArray(),
                ["conflicts"] = Conflicts.ToArray(),
            },
        };
    }

    public IEnumerable<SeriesConflict> Conflicts => Occurrences
        .Where(o => o.Conflict is not null)
        .Select(o => new SeriesConflict(o.Date, o.Conflict!.Start, o.Conflict.End));

    /// <summary>What it costs, settled now or estimated.</summary>
    public IReadOnlyList<PricedOccurrence> Priced =>
    [
        .. Occurrences.Select(o => o.Refusal is { } refusal ? PricedOccurrence.Skipped(o.Occurrence, ReasonOf(refusal.Code))
            : o.IsToAccount ? PricedOccurrence.Accounted(o.Occurrence, o.Price!)
            : PricedOccurrence.Estimated(o.Occurrence, o.Price!.Fee)),
    ];

    /// <summary>A refusal of one day that says nothing about the others.</summary>
    public static bool CanSkip(Error refusal) => refusal.Code is ErrorCodes.BookingConflict or ErrorCodes.OutOfPasses or ErrorCodes.BookingRequiresPass
        or ErrorCodes.MembershipEndsBefore or ErrorCodes.BookingPolicy or ErrorCodes.InThePast;

    public static Exclusion ExclusionOf(SeriesStep refused) => new(refused.Date, ReasonOf(refused.Code), refused.Code);

    private static ExclusionReason ReasonOf(string? code) => code switch
    {
        ErrorCodes.BookingConflict => ExclusionReason.Conflict,
        ErrorCodes.OutOfPasses or ErrorCodes.BookingRequiresPass => ExclusionReason.NoPasses,
        ErrorCodes.MembershipEndsBefore => ExclusionReason.MembershipEnds,
        _ => ExclusionReason.Policy,
    };

    private static string DetailOf(Error refusal) => refusal.Extensions.GetValueOrDefault("rule") as string ?? refusal.Code;
}

/// <summary>The time that another booking has, in the way of an occurrence.</summary>
public sealed record SeriesConflict(LocalDate Date, Instant Start, Instant End);
