using Flex.Platform.Http;
using NodaTime;

namespace Flex.RecurringBookings;

/// <param name="FirstOn">Days before it belong to the series this one was split from; null: none do.</param>
/// <param name="LastOn">Days after it were split off or cancelled; null: none were.</param>
/// <param name="Exclusions">Days that the rule gives and the series does not book by it.</param>
/// <param name="Occurrences">How many days it books by the rule.</param>
/// <param name="NextAccountingOn">The next local day on which an occurrence is accounted.</param>
/// <param name="Attention">Days that could not be accounted.</param>
/// <param name="OperationId">Work on it that is not done yet.</param>
/// <param name="CreatedBy">Subject of the caller.</param>
public sealed record SeriesView(
    SeriesId Id,
    ResourceId ResourceId,
    LocationId LocationId,
    MemberId MemberId,
    LocalDateTime LocalStart,
    LocalDateTime LocalEnd,
    string TimeZone,
    Recurrence Recurrence,
    LocalDate? FirstOn,
    LocalDate? LastOn,
    SeriesState State,
    int Occurrences,
    IReadOnlyList<Exclusion> Exclusions,
    LocalDate? NextAccountingOn,
    IReadOnlyList<LocalDate> Attention,
    SeriesId? SplitFrom,
    SeriesId? SplitInto,
    OperationId? OperationId,
    string CreatedBy,
    Instant CreatedAt,
    long Version) : IVersioned
{
    public static SeriesView Of(Series s, Instant now) => new(
        s.Id,
        s.ResourceId,
        s.LocationId,
        s.MemberId,
        s.Schedule.LocalStart,
        s.Schedule.LocalEnd,
        s.Schedule.TimeZone,
        s.Schedule.Recurrence,
        s.FirstOn,
        s.LastOn,
        s.StateAt(now),
        s.Occurrences().Count,
        s.Exclusions,
        s.NextAccountingOn,
        s.Attention,
        s.SplitFrom,
        s.SplitInto,
        s.Running,
        s.CreatedBy,
        s.CreatedAt,
        s.Version);
}

/// <summary>How far work on one occurrence is.</summary>
public enum OccurrenceOutcome
{
    Pending,
    Booked,

    /// <summary>Stays as it was.</summary>
    Kept,
    Moved,
    Cancelled,

    /// <summary>The slot was taken by somebody else.</summary>
    Conflict,

    /// <summary>Not booked, or not moved; the code says why, and without one it was given up with the rest.</summary>
    Skipped,

    /// <summary>The code says why.</summary>
    NotCancellable,
}

/// <param name="Code">As a single booking would be refused with; null where it is done or pending.</param>
public sealed record OccurrenceResult(LocalDate Date, BookingId BookingId, OccurrenceOutcome Status, string? Code)
{
    public static OccurrenceResult Of(SeriesStep step) => new(step.Date, step.BookingId, OutcomeOf(step), step.Code);

    private static OccurrenceOutcome OutcomeOf(SeriesStep step) => (step.State, step.Action) switch
    {
        (StepState.Refused, StepAction.Cancel) => OccurrenceOutcome.NotCancellable,
        (StepState.Refused, _) when step.Code == ErrorCodes.BookingConflict => OccurrenceOutcome.Conflict,
        (StepState.Refused, _) => OccurrenceOutcome.Skipped,
        (StepState.Done, StepAction.Book) => OccurrenceOutcome.Booked,
        (StepState.Done, StepAction.Keep) => OccurrenceOutcome.Kept,
        (StepState.Done, StepAction.Move) => OccurrenceOutcome.Moved,
        (StepState.Done, _) => OccurrenceOutcome.Cancelled,
        _ => OccurrenceOutcome.Pending,
    };
}

/// <summary>Work on a series, occurrence by occurrence.</summary>
/// <param name="Code">Why it failed; null unless it has.</param>
public sealed record OperationView(
    OperationId Id, SeriesId SeriesId, SeriesTask Kind, OperationState State, string? Code, string? Detail, IReadOnlyList<OccurrenceResult> Occurrences, Instant StartedAt)
{
    public static OperationView Of(SeriesOperation o) => new(
        o.Id, o.SeriesId, o.Kind, o.State, o.Failure?.Code, o.Failure?.Detail, [.. o.Steps.OrderBy(s => s.Date).Select(OccurrenceResult.Of)], o.At);

    /// <summary>Where to watch it.</summary>
    public static string PathOf(OperationId id) => $"/api/v1/operations/{id}";
}

/// <summary>A series and what it costs; the summary of a series that is still being made is the planned one.</summary>
public sealed record BookedSeriesView(SeriesId Id, SeriesView Series, SeriesSummary Summary);

/// <summary>What booking a series would come to.</summary>
/// <param name="Conflicts">Times of other bookings in the way.</param>
/// <param name="Skipped">Days that cannot be booked, with the reason.</param>
/// <param name="RefusedWith">The code the series would be refused with as a whole; null: it can be booked.</param>
public sealed record SeriesPreview(
    SeriesSummary Summary, IReadOnlyList<SeriesConflict> Conflicts, IReadOnlyList<Exclusion> Skipped, string? RefusedWith);
