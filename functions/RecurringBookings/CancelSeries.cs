using Flex.Bookings;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.RecurringBookings;

/// <param name="From">The first day to be cancelled; the past stays in any case.</param>
/// <param name="BySpace">Staff only: as for a single booking.</param>
/// <param name="Waive">Staff only: cancels inside the notice too, and returns everything there, or nothing.</param>
public sealed record CancelSeriesRequest(LocalDate From, bool BySpace = false, bool? Waive = null);

/// <summary>A series after a change, and what has become of each occurrence that the change was about.</summary>
public sealed record ChangedSeriesView(SeriesView Series, IReadOnlyList<OccurrenceResult> Occurrences)
{
    public static ChangedSeriesView Of(Series series, IEnumerable<SeriesStep> steps, Instant now) =>
        new(SeriesView.Of(series, now), [.. steps.OrderBy(s => s.Date).Select(OccurrenceResult.Of)]);
}

/// <summary>What the commands on a series have in common.</summary>
public sealed class SeriesCommands(SeriesStore store, SeriesRunner runner, IIdSource ids)
{
    /// <summary>As in the creation.</summary>
    public const int MaxRounds = 20;

    /// <summary>The same request is the same operation, so that a repetition finds what the first one has begun.</summary>
    public OperationId OperationOf(SeriesId series, SeriesTask task, RequestContext context) => context.Idempotency is { } key
        ? EntityId.Derive<OperationId>($"{series}|{task}|{key.RowKey}", EntityId.Home(series))
        : EntityId.New<OperationId>(ids, EntityId.Home(series));

    /// <summary>
    /// The operation of an earlier request like this, gone on with to its end unless that is the message's work; null when there was none.
    /// </summary>
    public async Task<Result<SeriesRun>?> RepeatAsync(OperationId id, RequestContext context, CancellationToken cancellation)
    {
        if (context.Idempotency is not { } key || await store.ReadAsync(id, cancellation) is not { } operation)
        {
            return null;
        }

        if (operation.Value.BodyHash != key.BodyHash)
        {
            return (Result<SeriesRun>)Error.Invalid(ErrorCodes.IdempotencyKeyReuse, string.Empty, "This Idempotency-Key was used with another body.");
        }

        var run = SeriesRun.Resume(operation, await store.RequireAsync(operation.Value.SeriesId, cancellation));
        return Result<SeriesRun>.From(await runner.RunAsync(run, operation.Value.IsLong ? 0 : int.MaxValue, cancellation));
    }

    /// <summary>A series that the caller reaches and that can be changed, with nothing being done to it.</summary>
    public async Task<Result<Stored<Series>>> OpenAsync(SeriesId id, Caller caller, CancellationToken cancellation)
    {
        if (await store.ReadAsync(id, cancellation) is not { } found || !caller.Reaches(found.Value.MemberId))
        {
            return Error.NotFound("The recurring booking");
        }

        found = await runner.SettleAsync(found, cancellation);
        return found.Value.State == SeriesState.Rejected
            ? Error.Refused(ErrorCodes.InvalidTransition, "The series could not be booked; it has no occurrences.") with
            {
                Extensions = new Dictionary<string, object?> { ["state"] = "Rejected", ["allowed"] = new[] { "active" } },
            }
            : found;
    }

    /// <summary>Does what the request can wait for, or stores it.</summary>
    public async Task<SeriesRun> RunAsync(SeriesRun run, CancellationToken cancellation)
    {
        if (run.IsDeferred)
        {
            await runner.StartAsync(run, cancellation);
            return run;
        }

        return await runner.RunAsync(run, int.MaxValue, cancellation);
    }

    /// <summary>The series' bookings from a day on that have a slot.</summary>
    public async Task<IReadOnlyList<Booking>> StandingAsync(Series series, LocalDate from, CancellationToken cancellation) =>
        [.. (await runner.ReadAsync(series.Dates().Where(d => d >= from).Select(series.BookingIdOf), cancellation)).Select(b => b.Value).Where(b => b.HoldsSlot())];

    public static SeriesBooking Plain(Booking b) => new(b.Series!.Date, b.Id, b.ResourceId, b.Start, b.End);
}

/// <summary>
/// Cancels a series from a day on (REC-4). The past stays; what is inside the notice is reported and stays too. One read for each
/// occurrence, and four storage calls for every 45 that are cancelled.
/// </summary>
public sealed class CancelSeriesHandler(SeriesCommands commands, BookingWishes wishes, TimeProvider time)
{
    public async Task<Reply<ChangedSeriesView>> HandleAsync(
        SeriesId id, CancelSeriesRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (!context.Caller.IsStaff && (request.BySpace || request.Waive is not null))
        {
            return new Error(ErrorKind.Forbidden, ErrorCodes.Forbidden, "Only staff may cancel in the name of the space or waive a fee.");
        }

        OperationId operationId = commands.OperationOf(id, SeriesTask.Cancel, context);
        for (int round = 0; round < SeriesCommands.MaxRounds; round++)
        {
            Result<Stored<Series>> opened = await commands.OpenAsync(id, context.Caller, cancellation);
            if (opened.IsError)
            {
                return opened.Error;
            }

            if (await commands.RepeatAsync(operationId, context, cancellation) is { } repeated)
            {
                return repeated.IsError ? repeated.Error : ViewOf(repeated.Value);
            }

            SeriesRun? run = await BeginAsync(opened.Value, request, operationId, context, cancellation);
            if (run is null)
            {
                return ChangedSeriesView.Of(opened.Value.Value, [], time.Now());
            }

            if (run.Operation.Next().Count == 0)
            {
                return ChangedSeriesView.Of(opened.Value.Value, run.Operation.Steps, time.Now());
            }

            run = await commands.RunAsync(run, cancellation);
            if (run.Refusal is null)
            {
                return ViewOf(run);
            }
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    private ChangedSeriesView ViewOf(SeriesRun run) => ChangedSeriesView.Of(run.Series, run.Operation.Steps, time.Now());

    /// <summary>Null when nothing stands from that day on.</summary>
    private async Task<SeriesRun?> BeginAsync(
        Stored<Series> series, CancelSeriesRequest request, OperationId id, RequestContext context, CancellationToken cancellation)
    {
        Instant now = time.Now();
        LocalDate today = new SiteCalendar(series.Value.Schedule.TimeZone).DateOf(now);
        LocalDate from = LocalDate.Max(request.From, today);
        SeriesBooking[] standing = [.. (await commands.StandingAsync(series.Value, from, cancellation)).Select(SeriesCommands.Plain)];
        bool always = request.BySpace || request.Waive is not null;
        int notice = always ? 0 : (await wishes.ResourceAsync(series.Value.ResourceId, cancellation)).Terms.CancellationNoticeMinutes;
        SeriesCancellation plan = series.Value.CancelFrom(from, standing, now + Duration.FromMinutes(notice));
        if (standing.All(b => b.Start <= now))
        {
            return null;
        }

        SeriesStep[] steps =
        [
            .. plan.Cancelled.Select(b => new SeriesStep(b.Date, b.BookingId, StepAction.Cancel)),
            .. plan.NotCancellable.Where(b => b.Start > now).Select(b => new SeriesStep(b.Date, b.BookingId, StepAction.Cancel).Refuse(ErrorCodes.CancellationNotice)),
        ];
        var operation = new SeriesOperation(
            id,
            series.Value.Id,
            SeriesTask.Cancel,
            OperationState.Running,
            OnConflict.Skip,
            today,
            steps,
            Failure: null,
            context.Caller,
            new CancelBookingRequest(request.BySpace, request.Waive),
            OverridePolicy: false,
            context.Idempotency?.BodyHash,
            now,
            Version: 1);
        return SeriesRun.Begin(operation, plan.Series, series, plan: null, isDeferred: operation.IsLong);
    }
}
