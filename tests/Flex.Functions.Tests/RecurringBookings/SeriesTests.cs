using System.Text.Json;
using CsCheck;
using Flex.Kernel;
using Flex.Platform;
using Flex.RecurringBookings;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

/// <summary>What a series books, what enters the horizon, and what splits and cancellations do to it.</summary>
public sealed class SeriesTests
{
    private static readonly SeriesId Id = EntityId.Parse<SeriesId>("ser_" + new string('1', 26) + "hhhhhh");
    private static readonly SeriesId Other = EntityId.Parse<SeriesId>("ser_" + new string('2', 26) + "hhhhhh");
    private static readonly ResourceId Room = EntityId.Parse<ResourceId>("res_" + new string('1', 26));
    private static readonly ResourceId BigRoom = EntityId.Parse<ResourceId>("res_" + new string('2', 26));
    private static readonly LocationId Site = EntityId.Parse<LocationId>("loc_" + new string('1', 20) + "hhhhhh");
    private static readonly MemberId Member = EntityId.Parse<MemberId>("mbr_" + new string('1', 26));
    private static readonly CustomerId Customer = EntityId.Parse<CustomerId>("cus_" + new string('1', 26));
    private static readonly BookingId Fresh = EntityId.Parse<BookingId>("bkg_" + new string('3', 26) + "hhhhhh");
    private static readonly Instant Made = Instant.FromUtc(2025, 1, 2, 12, 0);
    private static readonly LocalDate Today = new(2025, 1, 2);

    /// <summary>Mondays, 09:00 to 10:00 in Berlin: 6 January to 24 March, without the change of clocks.</summary>
    private static readonly Recurrence TwelveMondays = new(Frequency: RecurrenceFrequency.Weekly, Weekdays: [1], Count: 12);

    [Fact]
    public void The_booking_of_an_occurrence_has_an_id_of_its_own_and_always_the_same()
    {
        Series series = Make(TwelveMondays);
        BookingId[] ids = [.. series.Occurrences().Select(o => series.BookingIdOf(o.Date))];

        Assert.Equal(12, ids.Distinct().Count());
        Assert.Equal(EntityId.Derive<BookingId>($"{Id}|2025-01-06", "hhhhhh"), ids[0]);
        Assert.All(ids, id => Assert.Equal("hhhhhh", EntityId.Home(id)));
        Assert.NotEqual(ids[0], (series with { Id = Other }).BookingIdOf(Monday(1)));
    }

    [Fact]
    public void A_series_is_stored_with_its_rule_in_one_form()
    {
        Series series = Make(new Recurrence(Frequency: RecurrenceFrequency.Weekly, Weekdays: [5, 1], Count: 12))
            .Exclude([new Exclusion(Monday(3), ExclusionReason.Conflict, "bkg")]).Activate(Today);
        Series read = StorageJson.Read<Series>(StorageJson.Write(series));

        Assert.Equal("""{"frequency":"Weekly","interval":1,"weekdays":[1,5],"count":12}""", JsonSerializer.Serialize(series.Schedule.Recurrence, StorageJson.Options));
        Assert.Equal(StorageJson.Write(series), StorageJson.Write(read));
        Assert.Equal(series.Occurrences(), read.Occurrences());
        Assert.Equal("FREQ=DAILY;COUNT=3", new Recurrence("freq=daily;count=3").Canonical().Rrule);
        Assert.Equal(MissingDay.Clamp, new Recurrence(Frequency: RecurrenceFrequency.Monthly, Count: 3).Canonical().OnMissingDay);
    }

    [Fact, Trait("Rule", "REC-6")]
    public void What_was_skipped_can_be_included_again_and_what_was_cancelled_cannot()
    {
        Series series = Make(TwelveMondays).Exclude([new(Monday(5), ExclusionReason.Cancelled), new(Monday(2), ExclusionReason.NoPasses)]).Activate(Today);

        Assert.Equal([Monday(2), Monday(5)], series.Exclusions.Select(e => e.Date));
        Assert.Equal([0, 2, 3, 5], series.Occurrences().Take(4).Select(o => o.Index));
        Assert.Equal([0, 1, 2, 3, 5], series.Include(Monday(2), Fresh).Value.Occurrences().Take(5).Select(o => o.Index));
        Assert.Equal(ErrorCodes.InvalidValue, series.Include(Monday(5), Fresh).Error?.Code);
        Assert.Equal(ErrorCodes.InvalidValue, series.Include(Monday(1), Fresh).Error?.Code);
    }

    [Fact, Trait("Rule", "REC-3")]
    public void Occurrences_enter_the_horizon_day_by_day()
    {
        Series series = Make(TwelveMondays);

        // On 2 January the horizon is 2 March, so that 24 February is the last; 3 March enters a day later, 10 March on 10 January.
        Assert.Equal(8, series.Entering(Today).Count);
        series = series.Activate(Today);
        Assert.Empty(series.Entering(Today));
        Assert.Equal(new LocalDate(2025, 1, 3), series.NextAccountingOn);
        Assert.Equal([Monday(9)], series.Entering(new LocalDate(2025, 1, 3)));
        series = series.Account(new LocalDate(2025, 1, 3), []);
        Assert.Equal(new LocalDate(2025, 1, 10), series.NextAccountingOn);

        Assert.Same(series, series.Account(Today, []));
        Assert.Equal([Monday(10), Monday(11)], series.Entering(new LocalDate(2025, 1, 19)));
        Assert.Null(series.Account(new LocalDate(2025, 1, 24), []).NextAccountingOn);
    }

    [Fact, Trait("Rule", "REC-3")]
    public void However_often_and_late_the_job_runs_every_occurrence_enters_once_and_never_early() =>
        Gen.Select(Gen.Int[0, 400], Gen.Int[1, 500], Gen.Int[1, 40].Array[1, 60]).Sample((day, count, pauses) =>
        {
            LocalDate today = Today.PlusDays(day);
            Series series = Make(new Recurrence(Frequency: RecurrenceFrequency.Daily, Count: count), Today.PlusDays(day));
            var seen = new List<LocalDate>(series.Entering(today));
            series = series.Activate(today);
            foreach (int pause in pauses)
            {
                LocalDate? due = series.NextAccountingOn;
                today = today.PlusDays(pause);
                IReadOnlyList<LocalDate> entering = series.Entering(today);

                Assert.Equal(due <= today, entering.Count > 0);
                Assert.All(entering, d => Assert.True(d <= today.PlusMonths(2)));
                seen.AddRange(entering);
                series = series.Account(today, []);
            }

            Assert.Equal(series.Occurrences().TakeWhile(o => o.Date <= today.PlusMonths(2)).Select(o => o.Date), seen);
        });

    [Fact]
    public void An_active_series_ends_with_its_last_occurrence()
    {
        Series series = Make(TwelveMondays).Activate(Today);
        Instant end = series.Occurrences()[^1].End;

        Assert.Equal(SeriesState.Active, series.StateAt(end - Duration.Epsilon));
        Assert.Equal(SeriesState.Ended, series.StateAt(end));
        Assert.Equal(SeriesState.Rejected, Make(TwelveMondays).Reject().StateAt(end));
    }

    [Fact, Trait("Rule", "REC-5")]
    public void A_split_moves_what_follows_and_leaves_the_past_alone()
    {
        Series series = Make(TwelveMondays).Activate(Today);
        SeriesSplit split = Split(series, Monday(4), new SeriesChange(LocalStart: Monday(4).At(new LocalTime(14, 0))));

        Assert.Equal((SeriesState.Split, Monday(3), Other), (split.Old.State, split.Old.LastOn, split.Old.SplitInto));
        Assert.Equal(series.Occurrences().Take(3), split.Old.Occurrences());
        Assert.Null(split.Old.NextAccountingOn);
        Assert.Equal((SeriesState.Creating, Id), (split.New.State, split.New.SplitFrom));
        Assert.Equal(Enumerable.Range(4, 9).Select(Monday), split.New.Occurrences().Select(o => o.Date));
        Assert.All(split.New.Occurrences(), o => Assert.Equal(60, (o.End - o.Start).TotalMinutes));
        Assert.Equal(new LocalTime(14, 0), split.New.Occurrences()[0].Start.InZone(DateTimeZoneProviders.Tzdb["Europe/Berlin"]).TimeOfDay);
        Assert.Equal(split.New.Occurrences(), split.Moved.Select(m => m.To));
        Assert.Equal(split.Moved.Select(m => m.BookingId), split.Moved.Select(m => series.BookingIdOf(m.To.Date)));
        Assert.Equal(split.Moved.Select(m => m.BookingId), split.Moved.Select(m => split.New.BookingIdOf(m.To.Date)));
        Assert.Empty(split.Kept);
        Assert.Empty(split.Dropped);
        Assert.Empty(split.Added);
    }

    [Fact, Trait("Rule", "REC-5")]
    public void What_a_new_rule_does_not_change_keeps_its_booking()
    {
        Series series = Make(TwelveMondays).Activate(Today);
        SeriesSplit split = Split(series, Monday(4), new SeriesChange(Recurrence: new(Frequency: RecurrenceFrequency.Weekly, Weekdays: [1, 3], Count: 5)));

        Assert.Equal([Monday(4), Monday(5), Monday(6)], split.Kept.Select(b => b.Date));
        Assert.Equal([Monday(4).PlusDays(2), Monday(5).PlusDays(2)], split.Added.Select(o => o.Date));
        Assert.Equal(Enumerable.Range(7, 6).Select(Monday), split.Dropped.Select(b => b.Date));
        Assert.Empty(split.Moved);
        Assert.Equal(series.BookingIdOf(Monday(5)), split.New.BookingIdOf(Monday(5)));
        Assert.Equal(EntityId.Derive<BookingId>($"{Other}|2025-01-29", "hhhhhh"), split.New.BookingIdOf(Monday(4).PlusDays(2)));
    }

    [Fact, Trait("Rule", "REC-5")]
    public void A_split_of_a_series_on_the_31st_stays_on_the_31st_and_counts_on()
    {
        Series series = Make(new Recurrence(Frequency: RecurrenceFrequency.Monthly, Count: 6), new LocalDate(2025, 1, 31)).Activate(Today);
        SeriesSplit split = Split(series, new LocalDate(2025, 2, 28), new SeriesChange(ResourceId: BigRoom));
        SeriesSplit again = Split(split.New.Activate(Today), new LocalDate(2025, 4, 30), new SeriesChange(ResourceId: Room));

        Assert.Equal(series.Occurrences().Skip(1), split.New.Occurrences());
        Assert.Equal(5, split.Moved.Count);
        Assert.Equal(series.Occurrences().Skip(3), again.New.Occurrences());
        Assert.Equal(series.Occurrences().Skip(1).Take(2), again.Old.Occurrences());
        Assert.Equal(series.BookingIdOf(new LocalDate(2025, 6, 30)), again.New.BookingIdOf(new LocalDate(2025, 6, 30)));
    }

    [Fact, Trait("Rule", "REC-5")]
    public void What_was_split_off_before_stays_with_the_series_it_went_to()
    {
        SeriesSplit later = Split(Make(TwelveMondays).Activate(Today), Monday(6), new SeriesChange(ResourceId: BigRoom));
        SeriesSplit earlier = later.Old.SplitAt(Monday(3), EntityId.Derive<SeriesId>("third", "hhhhhh"), new SeriesChange(ResourceId: BigRoom), Standing(later.Old), "staff", Made).Value;

        Assert.Equal([Monday(3), Monday(4), Monday(5)], earlier.New.Occurrences().Select(o => o.Date));
        Assert.Empty(earlier.Dropped);
    }

    [Fact, Trait("Rule", "REC-5"), Trait("Rule", "REC-6")]
    public void A_split_tries_skipped_days_again_and_respects_what_was_cancelled_or_edited()
    {
        Series series = Make(TwelveMondays).Exclude(
        [
            new(Monday(5), ExclusionReason.Conflict), new(Monday(6), ExclusionReason.Cancelled), new(Monday(7), ExclusionReason.Edited), new(Monday(2), ExclusionReason.Conflict),
        ]).Activate(Today);
        var edited = new SeriesBooking(Monday(7), series.BookingIdOf(Monday(7)), Room, Made, Made + Duration.FromHours(1));
        // The booking of the eighth was cancelled by itself.
        SeriesBooking[] standing = [.. Standing(series).Where(b => b.Date != Monday(8)), edited];
        SeriesSplit split = series.SplitAt(Monday(4), Other, new SeriesChange(ResourceId: BigRoom), standing, "staff", Made).Value;

        Assert.Equal([Monday(5)], split.Added.Select(o => o.Date));
        Assert.Equal([edited], split.Kept);
        Assert.Equal(
            [(Monday(6), ExclusionReason.Cancelled), (Monday(7), ExclusionReason.Edited), (Monday(8), ExclusionReason.Cancelled)],
            split.New.Exclusions.Select(e => (e.Date, e.Reason)));
        Assert.Equal([Monday(2)], split.Old.Exclusions.Select(e => e.Date));
        Assert.Equal([Monday(4), Monday(9), Monday(10), Monday(11), Monday(12)], split.Moved.Select(m => m.To.Date));
        Assert.Equal(edited.BookingId, split.New.BookingIdOf(Monday(7)));
    }

    [Fact, Trait("Rule", "REC-5")]
    public void A_split_is_refused_where_the_past_would_change_or_the_rule_is_missing()
    {
        Series series = Make(TwelveMondays).Activate(Today);
        Instant underWay = series.Occurrences()[3].Start;

        Assert.Equal("/from", Refusal(series, Monday(4).PlusDays(1), new SeriesChange(), Made).Pointer);
        Assert.Equal(ErrorCodes.InThePast, Refusal(series, Monday(4), new SeriesChange(ResourceId: BigRoom), underWay).Code);
        Assert.Equal("/recurrence", Refusal(series, Monday(4), new SeriesChange(LocalStart: Monday(4).PlusDays(1).At(new LocalTime(9, 0))), Made).Pointer);
        Assert.Equal("/localStart", Refusal(series, Monday(4), new SeriesChange(LocalStart: Monday(3).At(new LocalTime(9, 0)), Recurrence: TwelveMondays), Made).Pointer);
        Assert.Equal("/localEnd", Refusal(series, Monday(4), new SeriesChange(LocalEnd: Monday(4).At(new LocalTime(9, 0))), Made).Pointer);
        Assert.Equal("/recurrence/rrule", Refusal(series, Monday(4), new SeriesChange(Recurrence: new("FREQ=HOURLY;COUNT=3")), Made).Pointer);
    }

    /// <summary>Whatever is changed from whichever occurrence on, every booking ahead has one fate and every planned occurrence one booking.</summary>
    [Fact, Trait("Rule", "REC-5")]
    public void A_split_accounts_for_every_booking_and_every_occurrence() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 7].Array[1, 3], Gen.Int[1, 30], Gen.Bool, Gen.Bool, Gen.Int[0, 11].Array[0, 4]).Sample((at, days, count, newRule, newRoom, gone) =>
        {
            Series series = Make(TwelveMondays).Activate(Today);
            LocalDate[] missing = [.. gone.Select(i => Monday(i + 1)).Where(d => d != Monday(at)).Distinct()];
            SeriesBooking[] standing = [.. Standing(series).Where(b => !missing.Contains(b.Date))];
            var change = new SeriesChange(
                newRoom ? BigRoom : null,
                Recurrence: newRule ? new(Frequency: RecurrenceFrequency.Weekly, Weekdays: [.. days.Distinct()], Count: count) : null);
            SeriesSplit split = series.SplitAt(Monday(at), Other, change, standing, "staff", Made).Value;

            BookingId[] fates = [.. split.Kept.Select(b => b.BookingId), .. split.Moved.Select(m => m.BookingId), .. split.Dropped.Select(b => b.BookingId)];
            Assert.Equal(
                standing.Where(b => b.Date >= Monday(at)).Select(b => b.BookingId.Value).Order(StringComparer.Ordinal),
                fates.Select(f => f.Value).Order(StringComparer.Ordinal));
            Assert.Equal(
                split.New.Occurrences().Select(o => o.Date),
                split.Kept.Select(b => b.Date).Concat(split.Moved.Select(m => m.To.Date)).Concat(split.Added.Select(o => o.Date)).Order());
            Assert.All(split.Kept, b => Assert.Equal(b.ResourceId, split.New.ResourceId));
            Assert.Empty(split.Added.Select(o => split.New.BookingIdOf(o.Date)).Intersect(Standing(series).Select(b => b.BookingId)));
            Assert.All(split.Old.Occurrences(), o => Assert.True(o.Date < Monday(at)));
        });

    [Fact, Trait("Rule", "REC-4")]
    public void A_cancellation_reaches_what_follows_and_reports_what_is_inside_the_notice()
    {
        Series series = Make(TwelveMondays).Activate(Today);
        IReadOnlyList<SeriesBooking> standing = Standing(series);
        SeriesCancellation plan = series.CancelFrom(Monday(3), standing, cancellableFrom: standing[4].Start);

        Assert.Equal([Monday(3), Monday(4)], plan.NotCancellable.Select(b => b.Date));
        Assert.Equal(Enumerable.Range(5, 8).Select(Monday), plan.Cancelled.Select(b => b.Date));
        Assert.Equal((SeriesState.CancelledFrom, Monday(4)), (plan.Series.State, plan.Series.LastOn));
        Assert.Equal(Enumerable.Range(1, 4).Select(Monday), plan.Series.Occurrences().Select(o => o.Date));
        Assert.Null(plan.Series.NextAccountingOn);
    }

    [Fact, Trait("Rule", "REC-4")]
    public void A_cancellation_without_effect_changes_nothing()
    {
        Series series = Make(TwelveMondays).Activate(Today);

        Assert.Same(series, series.CancelFrom(Monday(3), Standing(series), Instant.MaxValue).Series);
        Assert.Same(series, series.CancelFrom(Monday(12).PlusDays(1), Standing(series), Made).Series);
    }

    [Fact, Trait("Rule", "REC-4")]
    public void A_cancellation_reaches_bookings_that_were_changed_by_themselves()
    {
        Series series = Make(TwelveMondays).Exclude([new(Monday(5), ExclusionReason.Edited)]).Activate(Today);
        Instant early = series.Occurrences()[1].Start;
        SeriesBooking edited = new(Monday(5), series.BookingIdOf(Monday(5)), BigRoom, early, early + Duration.FromHours(1));
        SeriesBooking[] standing = [.. Standing(series), edited];

        SeriesCancellation all = series.CancelFrom(Monday(4), standing, Made);
        Assert.Equal(9, all.Cancelled.Count);
        Assert.Empty(all.Series.Exclusions);
        Assert.Equal(Monday(4).PlusDays(-1), all.Series.LastOn);

        // Moved to the second Monday, the fifth is inside the notice; the fourth is not and goes.
        SeriesCancellation most = series.CancelFrom(Monday(4), standing, early + Duration.Epsilon);
        Assert.Equal([edited], most.NotCancellable);
        Assert.Equal(Monday(5), most.Series.LastOn);
        Assert.Equal(
            [(Monday(4), ExclusionReason.Cancelled), (Monday(5), ExclusionReason.Edited)], most.Series.Exclusions.Select(e => (e.Date, e.Reason)));
    }

    private static LocalDate Monday(int number) => new LocalDate(2025, 1, 6).PlusWeeks(number - 1);

    private static Series Make(Recurrence recurrence, LocalDate? day = null)
    {
        LocalDateTime start = (day ?? Monday(1)).At(new LocalTime(9, 0));
        return Series.Create(Id, Room, Site, Member, Customer, new SeriesSchedule(start, start.PlusHours(1), "Europe/Berlin", recurrence), "staff", Made);
    }

    /// <summary>The bookings as the series plans them.</summary>
    private static IReadOnlyList<SeriesBooking> Standing(Series series) =>
        [.. series.Occurrences().Select(o => new SeriesBooking(o.Date, series.BookingIdOf(o.Date), series.ResourceId, o.Start, o.End))];

    private static SeriesSplit Split(Series series, LocalDate from, SeriesChange change) =>
        series.SplitAt(from, series.Id == Id ? Other : Id, change, Standing(series), "staff", Made).Value;

    private static FieldError Refusal(Series series, LocalDate from, SeriesChange change, Instant now) =>
        Assert.Single(series.SplitAt(from, Other, change, Standing(series), "staff", now).Error!.Fields);
}
