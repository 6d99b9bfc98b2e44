using Flex.Bookings;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.RecurringBookings;

/// <param name="Date">A day that the series has skipped.</param>
/// <param name="OverridePolicy">Staff only: sets the resource's policy aside, for the record.</param>
public sealed record IncludeOccurrenceRequest(LocalDate Date, bool OverridePolicy = false);

/// <summary>Books a day that was skipped when the series was (REC-6), as any other of its occurrences.</summary>
public sealed class IncludeOccurrenceHandler(SeriesCommands commands, SeriesPlanner planner, BookingStore bookings, TimeProvider time)
{
    public async Task<Reply<BookingView>> HandleAsync(
        SeriesId id, IncludeOccurrenceRequest request, RequestContext context, CancellationToken cancellation)
    {
        OperationId operationId = commands.OperationOf(id, SeriesTask.Include, context);
        var booking = EntityId.Derive<BookingId>(operationId.Value, EntityId.Home(id));
        for (int round = 0; round < SeriesCommands.MaxRounds; round++)
        {
            Result<Stored<Series>> opened = await commands.OpenAsync(id, context.Caller, cancellation);
            if (opened.IsError)
            {
                return opened.Error;
            }

            if (await commands.RepeatAsync(operationId, context, cancellation) is { } repeated)
            {
                return repeated.IsError ? repeated.Error : await AnswerAsync(repeated.Value, booking, cancellation);
            }

            Series series = opened.Value.Value;
            Result<Series> included = series.Include(request.Date, booking);
            if (included.IsError)
            {
                return included.Error;
            }

            Result<SeriesPlan> planned = await planner.PlanAsync(
                new SeriesWish(series.ResourceId, series.MemberId, request.OverridePolicy),
                _ => series.Schedule,
                _ => booking,
                o => o.Date == request.Date,
                context.Caller,
                cancellation);
            if ((planned.Error ?? planned.Value.Refuse(OnConflict.Reject)) is { } refusal)
            {
                return refusal;
            }

            PlannedOccurrence only = planned.Value.Occurrences[0];
            var operation = new SeriesOperation(
                operationId,
                id,
                SeriesTask.Include,
                OperationState.Running,
                OnConflict.Reject,
                planned.Value.Today,
                [new SeriesStep(request.Date, booking, StepAction.Book, only.IsToAccount, only.Override)],
                Failure: null,
                context.Caller,
                Cancellation: null,
                request.OverridePolicy,
                context.Idempotency?.BodyHash,
                time.Now(),
                Version: 1);
            SeriesRun run = await commands.RunAsync(SeriesRun.Begin(operation, included.Value, opened.Value, planned.Value), cancellation);
            if (run.Refusal is null)
            {
                return await AnswerAsync(run, booking, cancellation);
            }
        }

        throw new TransientFaultException($"{id} or the resource's agenda keeps changing.");
    }

    private async Task<Reply<BookingView>> AnswerAsync(SeriesRun run, BookingId id, CancellationToken cancellation) => run.Operation.Refusal is { } refusal
        ? refusal
        : BookingView.Of((await bookings.RequireAsync(id, cancellation)).Value, time.Now());
}
