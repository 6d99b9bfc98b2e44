using Flex.Bookings;
using Flex.Platform.Identity;
using NodaTime;

namespace Flex.RecurringBookings;

/// <summary>What becomes of occurrences that cannot be booked.</summary>
public enum OnConflict
{
    /// <summary>One refuses all, and nothing is kept.</summary>
    Reject,

    /// <summary>They are left out, with the reason, and can be included later.</summary>
    Skip,
}

public enum SeriesTask
{
    Create,

    /// <summary>Books a day that was skipped.</summary>
    Include,

    /// <summary>Cancels from one occurrence on.</summary>
    Cancel,

    /// <summary>Changes from one occurrence on.</summary>
    Update,
}

public enum OperationState
{
    Running,
    Succeeded,

    /// <summary>Nothing of it is left.</summary>
    Failed,
}

public enum StepAction
{
    Book,

    /// <summary>The booking stays and comes to belong to the new series.</summary>
    Keep,
    Move,
    Cancel,
}

public enum StepState
{
    Pending,

    /// <summary>Has its slot; its price is still to be settled.</summary>
    Placed,

    /// <summary>Has its slot and is to give it up again.</summary>
    Releasing,
    Done,

    /// <summary>Not done; the code says why.</summary>
    Refused,
}

/// <summary>What is to be done for one occurrence, and how far it is.</summary>
/// <param name="IsToAccount">It lies inside the horizon: its price is settled at once.</param>
/// <param name="Override">The rule of the resource's policy that staff have set aside for it.</param>
/// <param name="Code">Why it was refused; null also where it was given up with the rest.</param>
public sealed record SeriesStep(
    LocalDate Date, BookingId BookingId, StepAction Action, bool IsToAccount = false, string? Override = null, StepState State = StepState.Pending, string? Code = null)
{
    public SeriesStep Refuse(string? code) => this with { State = State is StepState.Placed or StepState.Done ? StepState.Releasing : StepState.Refused, Code = code };
}

/// <summary>Why an operation as a whole could not be done.</summary>
public sealed record OperationFailure(ErrorKind Kind, string Code, string Detail);

/// <summary>
/// Work on a series, one step for each occurrence: it is stored with every commit of the work, so that whoever finds it unfinished goes
/// on with it. Pure.
/// </summary>
/// <param name="Day">Local day on which it began: what lies inside that day's horizon is accounted by it.</param>
/// <param name="Caller">Who asked for it: what is decided later is decided as for them.</param>
/// <param name="Cancellation">How to cancel; null where nothing is cancelled by it.</param>
/// <param name="BodyHash">Of the request, where it had an Idempotency-Key.</param>
/// <param name="OverridePolicy">Staff have set the resource's policy aside.</param>
public sealed record SeriesOperation(
    OperationId Id,
    SeriesId SeriesId,
    SeriesTask Kind,
    OperationState State,
    OnConflict OnConflict,
    LocalDate Day,
    IReadOnlyList<SeriesStep> Steps,
    OperationFailure? Failure,
    Caller Caller,
    CancelBookingRequest? Cancellation,
    bool OverridePolicy,
    string? BodyHash,
    Instant At,
    long Version)
{
    /// <summary>Up to so many steps are done while the request waits.</summary>
    public const int MaxAtOnce = 100;

    /// <summary>Too long for a request to wait for.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsLong => Steps.Count > MaxAtOnce;

    /// <summary>The steps that are worked on next, all in the same way; none: nothing is left to do.</summary>
    public IReadOnlyList<SeriesStep> Next()
    {
        foreach (StepState state in (StepState[])[StepState.Releasing, StepState.Pending, StepState.Placed])
        {
            if (Steps.FirstOrDefault(s => s.State == state) is { } first)
            {
                return [.. Steps.Where(s => s.State == state && s.Action == first.Action)];
            }
        }

        return [];
    }

    /// <summary>With steps as they have become, named by their day.</summary>
    public SeriesOperation With(IEnumerable<SeriesStep> changed)
    {
        Dictionary<LocalDate, SeriesStep> news = changed.ToDictionary(s => s.Date);
        return this with { Steps = [.. Steps.Select(s => news.GetValueOrDefault(s.Date, s))], Version = Version + 1 };
    }

    /// <summary>
    /// With steps that cannot be done: they alone are given up, or everything that was booked is (REC-6). An update never takes back what it
    /// has changed: by then the old series is no more.
    /// </summary>
    public SeriesOperation Refuse(IReadOnlyDictionary<LocalDate, Error> refusals)
    {
        SeriesStep[] steps = [.. Steps.Select(s => refusals.TryGetValue(s.Date, out Error? refusal) ? s.Refuse(refusal.Code) : s)];
        if (Kind == SeriesTask.Update || (OnConflict == OnConflict.Skip && refusals.Values.All(SeriesPlan.CanSkip)))
        {
            return this with { Steps = steps, Version = Version + 1 };
        }

        Error first = refusals.OrderBy(r => r.Key).First().Value;
        return this with
        {
            Steps = [.. steps.Select(s => s.Action == StepAction.Book && s.State != StepState.Refused && s.State != StepState.Releasing ? s.Refuse(code: null) : s)],
            Failure = Failure ?? new OperationFailure(first.Kind, first.Code, first.Detail),
            Version = Version + 1,
        };
    }

    /// <summary>The refusal of an operation that failed.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public Error? Refusal => Failure is { } failure
        ? new Error(failure.Kind, failure.Code, failure.Detail) with
        {
            Extensions = new Dictionary<string, object?>
            {
                ["dates"] = Steps.Where(s => s.Code == failure.Code).Select(s => s.Date).ToArray(),
            },
        }
        : null;

    /// <summary>
    /// The operation and its series once no step is left, else both as they are. Days that were not booked are the series' exclusions;
    /// without any day left there is no series.
    /// </summary>
    public (SeriesOperation Operation, Series Series) Conclude(Series series)
    {
        if (State != OperationState.Running || Next().Count > 0)
        {
            return (this, series);
        }

        Exclusion[] skipped = [.. Steps.Where(s => s is { State: StepState.Refused, Action: StepAction.Book }).Select(SeriesPlan.ExclusionOf)];
        Exclusion[] stayed = [.. Steps.Where(s => s is { State: StepState.Refused, Action: StepAction.Move }).Select(s => new Exclusion(s.Date, ExclusionReason.Edited, s.Code))];
        bool isEmpty = Kind == SeriesTask.Create && Steps.All(s => s.State == StepState.Refused);
        bool failed = Failure is not null || isEmpty;
        Series after = Kind switch
        {
            SeriesTask.Create when failed => series.Reject(),
            SeriesTask.Create or SeriesTask.Update => series.Exclude(skipped.Concat(stayed)).Activate(Day),
            SeriesTask.Include => series.Exclude(skipped),
            _ => series,
        };
        SeriesOperation done = this with
        {
            State = failed ? OperationState.Failed : OperationState.Succeeded,
            Failure = Failure ?? (isEmpty ? new OperationFailure(ErrorKind.Refused, Steps[0].Code!, "No occurrence could be booked.") : null),
            Version = Version + 1,
        };
        return (done, after.Run(null));
    }
}
