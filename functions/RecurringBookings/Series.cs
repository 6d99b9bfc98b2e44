using NodaTime;
using NodaTime.Text;

namespace Flex.RecurringBookings;

public enum SeriesState
{
    /// <summary>Its bookings are being made.</summary>
    Creating,
    Active,

    /// <summary>Was changed from one occurrence on: what comes after belongs to another series.</summary>
    Split,

    /// <summary>Its last occurrence is over. Never stored: the time says it.</summary>
    Ended,

    /// <summary>Was cancelled from one occurrence on.</summary>
    CancelledFrom,

    /// <summary>Could not be booked; it has no bookings.</summary>
    Rejected,
}

public enum ExclusionReason
{
    /// <summary>The slot was taken.</summary>
    Conflict,

    /// <summary>Not enough passes.</summary>
    NoPasses,

    /// <summary>The membership ends before it.</summary>
    MembershipEnds,

    /// <summary>The resource's policy does not allow it; the detail says which rule.</summary>
    Policy,
    Cancelled,

    /// <summary>Its booking was changed by itself and follows the series no more.</summary>
    Edited,
}

/// <summary>A day that the rule gives and the series does not book by it.</summary>
public sealed record Exclusion(LocalDate Date, ExclusionReason Reason, string? Detail = null);

/// <summary>An occurrence that keeps the booking it had in the series this one was split from.</summary>
public sealed record KeptBooking(LocalDate Date, BookingId BookingId);

/// <summary>A booking of a series that holds its slot, as it stands.</summary>
/// <param name="Date">Names the occurrence.</param>
public sealed record SeriesBooking(LocalDate Date, BookingId BookingId, ResourceId ResourceId, Instant Start, Instant End);

/// <summary>A booking of a series that moves to another time or resource.</summary>
public sealed record MovedBooking(BookingId BookingId, Occurrence To);

/// <summary>What the occurrences from one on are changed to; null leaves it as it is.</summary>
/// <param name="LocalStart">Of the first changed occurrence. On another day than before it needs a recurrence.</param>
/// <param name="LocalEnd">Of the same; when left out, the length stays.</param>
public sealed record SeriesChange(
    ResourceId? ResourceId = null, LocalDateTime? LocalStart = null, LocalDateTime? LocalEnd = null, Recurrence? Recurrence = null);

/// <summary>The two series after a split, and what becomes of the bookings from it on (REC-5).</summary>
/// <param name="Kept">Stay as they are, with what they cost.</param>
/// <param name="Moved">Keep their id.</param>
/// <param name="Dropped">Their day is not in the new series.</param>
/// <param name="Added">Are booked anew.</param>
public sealed record SeriesSplit(
    Series Old,
    Series New,
    IReadOnlyList<SeriesBooking> Kept,
    IReadOnlyList<MovedBooking> Moved,
    IReadOnlyList<SeriesBooking> Dropped,
    IReadOnlyList<Occurrence> Added);

/// <summary>A series after a cancellation, and the bookings that it does and does not reach (REC-4).</summary>
public sealed record SeriesCancellation(Series Series, IReadOnlyList<SeriesBooking> Cancelled, IReadOnlyList<SeriesBooking> NotCancellable);

/// <summary>
/// A recurring booking of one resource by one member. Its bookings are rows of their own; this says which there are to be. Past
/// occurrences never change: an update splits the series, a cancellation ends it early.
/// </summary>
/// <param name="FirstOn">Occurrences before this day belong to the series it was split from; null: none do. The schedule keeps its anchor, so that intervals, counts and month ends go on as they were.</param>
/// <param name="LastOn">Occurrences after this day were split off or cancelled; null: none were.</param>
/// <param name="Exclusions">In the order of days, each day once.</param>
/// <param name="AccountedThrough">The last local day on which the occurrences entering the horizon were accounted; null: none yet.</param>
/// <param name="NextAccountingOn">The next local day on which one enters; null: none is left, or the series is not active.</param>
/// <param name="CreatedBy">Subject of the caller.</param>
public sealed record Series(
    SeriesId Id,
    ResourceId ResourceId,
    LocationId LocationId,
    MemberId MemberId,
    CustomerId CustomerId,
    SeriesSchedule Schedule,
    LocalDate? FirstOn,
    LocalDate? LastOn,
    IReadOnlyList<Exclusion> Exclusions,
    IReadOnlyList<KeptBooking> KeptBookings,
    SeriesState State,
    SeriesId? SplitFrom,
    SeriesId? SplitInto,
    LocalDate? AccountedThrough,
    LocalDate? NextAccountingOn,
    string CreatedBy,
    Instant CreatedAt,
    long Version)
{
    /// <summary>Days whose accounting has failed; tried again every day as long as their bookings are kept.</summary>
    public IReadOnlyList<LocalDate> Attention { get; init; } = [];

    /// <summary>What is being done to it; whoever wants to do something else finishes it first. Null: nothing.</summary>
    public OperationId? Running { get; init; }

    /// <summary>A series whose bookings are still to be made.</summary>
    public static Series Create(
        SeriesId id, ResourceId resource, LocationId location, MemberId member, CustomerId customer, SeriesSchedule schedule, string createdBy, Instant now) => new(
        id,
        resource,
        location,
        member,
        customer,
        schedule with { Recurrence = schedule.Recurrence.Canonical() },
        FirstOn: null,
        LastOn: null,
        [],
        [],
        SeriesState.Creating,
        SplitFrom: null,
        SplitInto: null,
        AccountedThrough: null,
        NextAccountingOn: null,
        createdBy,
        now,
        Version: 1);

    /// <summary>The occurrences that are booked by the rule, in order.</summary>
    public IReadOnlyList<Occurrence> Occurrences()
    {
        HashSet<LocalDate> excluded = [.. Exclusions.Select(e => e.Date)];
        return [.. Schedule.Occurrences().Where(o => !(o.Date < FirstOn) && !(o.Date > LastOn) && !excluded.Contains(o.Date))];
    }

    /// <summary>The days that have a booking, in order: those of the rule, and those whose booking was changed by itself.</summary>
    public IReadOnlyList<LocalDate> Dates() =>
        [.. Occurrences().Select(o => o.Date).Concat(Exclusions.Where(e => e.Reason == ExclusionReason.Edited).Select(e => e.Date)).Order()];

    /// <summary>The booking of an occurrence; derived, so that repeating a creation repeats its ids.</summary>
    public BookingId BookingIdOf(LocalDate date) => KeptBookings.FirstOrDefault(k => k.Date == date) is { } kept
        ? kept.BookingId
        : BookingIdOf(Id, date);

    /// <summary>As before, of a series that keeps no booking of another.</summary>
    public static BookingId BookingIdOf(SeriesId series, LocalDate date) =>
        EntityId.Derive<BookingId>($"{series}|{LocalDatePattern.Iso.Format(date)}", EntityId.Home(series));

    public SeriesState StateAt(Instant now) =>
        State is SeriesState.Active or SeriesState.Split && Occurrences().All(o => o.End <= now) ? SeriesState.Ended : State;

    /// <summary>The days to account on a local day: those inside its horizon that no earlier day accounted. Missed days are made up for.</summary>
    public IReadOnlyList<LocalDate> Entering(LocalDate today) =>
        [.. Dates().Where(d => AccountingHorizon.EntryOf(d) is var entry && entry <= today && !(entry <= AccountedThrough))];

    /// <summary>All bookings are made, and the occurrences inside the day's horizon are accounted, as far as the series was not before.</summary>
    public Series Activate(LocalDate today) => Next(this with { State = SeriesState.Active, AccountedThrough = AccountedThrough ?? today });

    public Series Reject() => Next(this with { State = SeriesState.Rejected });

    /// <summary>The occurrences entering the day's horizon are accounted, but for those that need attention; the same series when that is no news.</summary>
    public Series Account(LocalDate today, IReadOnlyList<LocalDate> attention) => today <= AccountedThrough && attention.SequenceEqual(Attention)
        ? this
        : Next(this with { AccountedThrough = today <= AccountedThrough ? AccountedThrough : today, Attention = attention });

    /// <summary>Work on it begins or, with null, is over.</summary>
    public Series Run(OperationId? operation) => Next(this with { Running = operation });

    /// <summary>The series without these days; a day that is excluded already keeps its reason.</summary>
    public Series Exclude(IEnumerable<Exclusion> exclusions) =>
        Next(this with { Exclusions = [.. Exclusions.Concat(exclusions).DistinctBy(e => e.Date).OrderBy(e => e.Date)] });

    /// <summary>
    /// The series with a day again that was skipped when it was booked (REC-6); what was cancelled or edited stays so. Who includes a
    /// day inside the horizon also accounts it: <see cref="Entering"/> has passed it.
    /// </summary>
    /// <param name="booking">The day's booking: an earlier one may have been given up.</param>
    public Result<Series> Include(LocalDate date, BookingId booking) =>
        Exclusions.Any(e => e.Date == date && e.Reason is not (ExclusionReason.Cancelled or ExclusionReason.Edited))
            ? Next(this with
            {
                Exclusions = [.. Exclusions.Where(e => e.Date != date)],
                KeptBookings = [.. KeptBookings.Where(k => k.Date != date), new KeptBooking(date, booking)],
            })
            : Error.Invalid(ErrorCodes.InvalidValue, "/date", "The series has not skipped this day.");

    /// <summary>
    /// Cancels the occurrences from a day on, with the bookings that were changed by themselves. Those that start before
    /// <paramref name="cancellableFrom"/>, in the past or inside the notice, stay; the same series when all do.
    /// </summary>
    /// <param name="standing">The series' bookings that hold a slot.</param>
    public SeriesCancellation CancelFrom(LocalDate from, IReadOnlyList<SeriesBooking> standing, Instant cancellableFrom)
    {
        ILookup<bool, SeriesBooking> reached = standing.Where(b => b.Date >= from).OrderBy(b => b.Date).ToLookup(b => b.Start >= cancellableFrom);
        SeriesBooking[] cancelled = [.. reached[true]];
        SeriesBooking[] staying = [.. reached[false]];
        if (cancelled.Length == 0)
        {
            return new SeriesCancellation(this, [], staying);
        }

        // A booking that was moved to an earlier time can stay although one of an earlier day goes.
        LocalDate last = staying.Length == 0 ? from.PlusDays(-1) : staying[^1].Date;
        HashSet<LocalDate> gone = [.. cancelled.Where(b => b.Date <= last).Select(b => b.Date)];
        Series after = this with
        {
            State = SeriesState.CancelledFrom,
            LastOn = last,
            Exclusions =
            [
                .. Exclusions.Where(e => e.Date <= last && !gone.Contains(e.Date))
                    .Concat(gone.Select(d => new Exclusion(d, ExclusionReason.Cancelled)))
                    .OrderBy(e => e.Date),
            ],
        };
        return new SeriesCancellation(Next(after), cancelled, staying);
    }

    /// <summary>
    /// Changes the occurrences from one on: this series ends before it, another one begins with it. Days that were skipped are tried
    /// again; days that were cancelled stay so, and bookings that were changed by themselves stay as they are.
    /// </summary>
    /// <param name="from">Day of an occurrence that has not started.</param>
    /// <param name="standing">The series' bookings that hold a slot.</param>
    public Result<SeriesSplit> SplitAt(LocalDate from, SeriesId newId, SeriesChange change, IReadOnlyList<SeriesBooking> standing, string by, Instant now)
    {
        IReadOnlyList<Occurrence> mine = Occurrences();
        if (mine.FirstOrDefault(o => o.Date == from) is not { } first)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/from", "The series has no occurrence on this day.");
        }

        if (first.Start <= now)
        {
            return Error.Invalid(ErrorCodes.InThePast, "/from", "The occurrence has begun; the past does not change.");
        }

        Result<SeriesSchedule> schedule = ScheduleFrom(from, change);
        if (schedule.IsError)
        {
            return schedule.Error;
        }

        LocalDate lastKept = mine.LastOrDefault(o => o.Date < from)?.Date ?? from.PlusDays(-1);
        Result<IReadOnlyList<Occurrence>> all = schedule.Value.Check();
        if (all.IsError)
        {
            return all.Error;
        }

        SeriesBooking[] ahead = [.. standing.Where(b => b.Date >= from).OrderBy(b => b.Date)];
        Dictionary<LocalDate, SeriesBooking> byDate = ahead.ToDictionary(b => b.Date);
        HashSet<LocalDate> edited = [.. Exclusions.Where(e => e.Reason == ExclusionReason.Edited).Select(e => e.Date)];
        Exclusion[] carried =
        [
            .. Exclusions.Where(e => e.Date >= from && (e.Reason == ExclusionReason.Cancelled || (e.Reason == ExclusionReason.Edited && byDate.ContainsKey(e.Date))))
                .Concat(mine.Where(o => o.Date >= from && !byDate.ContainsKey(o.Date)).Select(o => new Exclusion(o.Date, ExclusionReason.Cancelled)))
                .OrderBy(e => e.Date),
        ];
        bool followsSameDays = change.Recurrence is null;
        Series next = Create(newId, change.ResourceId ?? ResourceId, LocationId, MemberId, CustomerId, schedule.Value, by, now) with
        {
            FirstOn = followsSameDays ? from : null,
            LastOn = followsSameDays ? LastOn : null,
            Exclusions = carried,
            SplitFrom = Id,
            AccountedThrough = AccountedThrough,
            Attention = [.. Attention.Where(d => d >= from)],
        };

        IReadOnlyList<Occurrence> planned = next.Occurrences();
        HashSet<LocalDate> days = [.. planned.Select(o => o.Date)];
        Func<Occurrence, bool> isUnchanged = o => byDate.TryGetValue(o.Date, out SeriesBooking? b)
            && (b.ResourceId, b.Start, b.End) == (next.ResourceId, o.Start, o.End);
        Occurrence[] changed = [.. planned.Where(o => !isUnchanged(o))];
        SeriesBooking[] dropped = [.. ahead.Where(b => !days.Contains(b.Date) && !edited.Contains(b.Date))];
        SeriesBooking[] inherited = [.. ahead.Except(dropped)];
        next = next with { KeptBookings = [.. inherited.Select(b => new KeptBooking(b.Date, b.BookingId))] };
        HashSet<LocalDate> moving = [.. changed.Select(o => o.Date)];
        Series old = this with
        {
            State = SeriesState.Split,
            LastOn = lastKept,
            Exclusions = [.. Exclusions.Where(e => e.Date < from)],
            SplitInto = newId,
        };
        return new SeriesSplit(
            Next(old),
            next,
            [.. inherited.Where(b => !moving.Contains(b.Date))],
            [.. changed.Where(o => byDate.ContainsKey(o.Date)).Select(o => new MovedBooking(byDate[o.Date].BookingId, o))],
            dropped,
            [.. changed.Where(o => !byDate.ContainsKey(o.Date))]);
    }

    private Result<SeriesSchedule> ScheduleFrom(LocalDate from, SeriesChange change)
    {
        LocalDateTime start = change.LocalStart ?? from + Schedule.LocalStart.TimeOfDay;
        Period length = change.LocalEnd is { } end
            ? Period.Between(start, end, PeriodUnits.Ticks)
            : Period.Between(Schedule.LocalStart, Schedule.LocalEnd, PeriodUnits.Ticks);
        if (change.Recurrence is { } recurrence)
        {
            return start.Date < from
                ? Error.Invalid(ErrorCodes.InvalidValue, "/localStart", "The change begins with the occurrence it is made from, or later.")
                : new SeriesSchedule(start, start + length, Schedule.TimeZone, recurrence);
        }

        LocalDateTime anchor = Schedule.LocalStart.Date + start.TimeOfDay;
        return start.Date != from
            ? Error.Invalid(ErrorCodes.InvalidValue, "/recurrence", "On another day the series needs a rule of its own.")
            : Schedule with { LocalStart = anchor, LocalEnd = anchor + length };
    }

    /// <summary>The next version, with the day on which the next occurrence enters the horizon.</summary>
    private static Series Next(Series series)
    {
        bool isLive = series.State is SeriesState.Active or SeriesState.Split or SeriesState.CancelledFrom;
        IReadOnlyList<LocalDate> dates = isLive ? series.Dates() : [];
        LocalDate[] attention = [.. series.Attention.Where(dates.Contains)];
        LocalDate[] entries = attention.Length > 0 && series.AccountedThrough is { } through
            ? [through.PlusDays(1)]
            : [.. dates.Select(AccountingHorizon.EntryOf).Where(d => !(d <= series.AccountedThrough)).Take(1)];
        return series with { Attention = attention, NextAccountingOn = entries.Length == 0 ? null : entries[0], Version = series.Version + 1 };
    }
}
