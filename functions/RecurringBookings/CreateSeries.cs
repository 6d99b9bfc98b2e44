using Flex.Bookings;
using Flex.Catalogue;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.RecurringBookings;

/// <param name="LocalStart">On the location's clock, without offset; its day anchors the rule. On the 5-minute grid.</param>
/// <param name="LocalEnd">Exclusive; may lie on a later day.</param>
/// <param name="OnConflict">What becomes of occurrences that cannot be booked; reject when left out.</param>
/// <param name="MemberId">Who uses it; staff must say, members book for themselves and may leave it out.</param>
/// <param name="OverridePolicy">Staff only: sets the resource's policy aside, for the record.</param>
public sealed record SeriesRequest(
    ResourceId ResourceId,
    LocalDateTime LocalStart,
    LocalDateTime LocalEnd,
    Recurrence Recurrence,
    OnConflict OnConflict = OnConflict.Reject,
    MemberId? MemberId = null,
    bool OverridePolicy = false);

/// <summary>
/// Books a series: every occurrence is looked at before any is booked, and all are booked or none, but for those that the request allows
/// to skip (REC-6). Up to <see cref="SeriesOperation.MaxAtOnce"/> occurrences are booked while the request waits. A year of weeks takes
/// four storage calls, and three more with a wallet: the member, (the wallet,) the agendas, the index of due series, the commit, (the draw,
/// the commit of what was drawn).
/// </summary>
public sealed class CreateSeriesHandler(
    SeriesPlanner planner, SeriesRunner runner, SeriesStore store, SeriesSummaries summaries, CatalogueStore catalogue, IIdSource ids, TimeProvider time)
{
    /// <summary>A round is lost when a slot was taken between the look and the commit; the next look says which.</summary>
    private const int MaxRounds = 20;

    public async Task<Reply<SeriesPreview>> PreviewAsync(SeriesRequest request, RequestContext context, CancellationToken cancellation)
    {
        Result<SeriesPlan> planned = await PlanAsync(request, await SeriesIdAsync(request, context, cancellation), context, cancellation);
        if (planned.IsError)
        {
            return planned.Error;
        }

        SeriesPlan plan = planned.Value;
        SummaryTerms terms = await summaries.TermsAsync(plan.Wish, cancellation);
        return new SeriesPreview(terms.Summarise(plan.Priced, plan.Today), [.. plan.Conflicts], plan.Skipped, plan.Refuse(request.OnConflict)?.Code);
    }

    public async Task<Reply<BookedSeriesView>> HandleAsync(SeriesRequest request, RequestContext context, CancellationToken cancellation)
    {
        SeriesId id = await SeriesIdAsync(request, context, cancellation);
        for (int round = 0; round < MaxRounds; round++)
        {
            Result<SeriesPlan> planned = await PlanAsync(request, id, context, cancellation);
            if ((planned.Error ?? planned.Value.Refuse(request.OnConflict)) is { } refusal)
            {
                return await RepeatAsync(OperationOf(id), context, cancellation) ?? refusal;
            }

            SeriesPlan plan = planned.Value;
            SummaryTerms terms = await summaries.TermsAsync(plan.Wish, cancellation);
            SeriesRun run = Begin(request, plan, id, context);
            run.Remember = (batch, done) =>
            {
                if (done.Operation.State != OperationState.Failed && PricedOf(plan, done) is { } priced)
                {
                    batch.Remember(context, ViewOf(done.Series, terms.Summarise(priced, plan.Today)), time.Now());
                }
            };
            run = run.IsDeferred ? await StartAsync(run, cancellation) : await runner.RunAsync(run, int.MaxValue, cancellation);
            if (run.Refusal is not null)
            {
                continue;
            }

            // Gone on with from storage: the request has been here before, or its message was faster.
            return run.Plan is null || run.Operation.State == OperationState.Failed || PricedOf(plan, run) is not { } now
                ? await AnswerAsync(run, context, cancellation)
                : ViewOf(run.Series, terms.Summarise(now, plan.Today));
        }

        throw new TransientFaultException("The resource's agendas keep changing.");
    }

    private async Task<SeriesRun> StartAsync(SeriesRun run, CancellationToken cancellation)
    {
        await runner.StartAsync(run, cancellation);
        return run;
    }

    private SeriesRun Begin(SeriesRequest request, SeriesPlan plan, SeriesId id, RequestContext context)
    {
        Instant now = time.Now();
        BookingWish wish = plan.Wish;
        Series series = Series.Create(
            id, wish.Resource.Id, wish.Location.Id, wish.Member.Id, wish.Member.CustomerId, plan.Schedule, context.Caller.Subject, now);
        series = plan.Skipped.Count == 0 ? series : series.Exclude(plan.Skipped);
        SeriesStep[] steps =
        [
            .. plan.Bookable.Select(o => new SeriesStep(o.Date, series.BookingIdOf(o.Date), StepAction.Book, o.IsToAccount, o.Override)),
        ];
        var operation = new SeriesOperation(
            OperationOf(id),
            id,
            SeriesTask.Create,
            OperationState.Running,
            request.OnConflict,
            plan.Today,
            steps,
            Failure: null,
            context.Caller,
            Cancellation: null,
            request.OverridePolicy,
            context.Idempotency?.BodyHash,
            now,
            Version: 1);
        return SeriesRun.Begin(operation, series, before: null, plan, isDeferred: operation.IsLong);
    }

    private Task<Result<SeriesPlan>> PlanAsync(SeriesRequest request, SeriesId id, RequestContext context, CancellationToken cancellation) => planner.PlanAsync(
        new SeriesWish(request.ResourceId, request.MemberId, request.OverridePolicy),
        zone => new SeriesSchedule(request.LocalStart, request.LocalEnd, zone, request.Recurrence),
        date => Series.BookingIdOf(id, date),
        _ => true,
        context.Caller,
        cancellation);

    /// <summary>The same request makes the same series, so that a repetition finds what the first one has begun.</summary>
    private async Task<SeriesId> SeriesIdAsync(SeriesRequest request, RequestContext context, CancellationToken cancellation)
    {
        // Of a resource that does not exist nothing will be stored.
        string home = await catalogue.FindResourceAsync(request.ResourceId, cancellation) is { } resource
            ? EntityId.Home(resource.LocationId)
            : EntityId.Home(request.ResourceId);
        return context.Idempotency is { } key ? EntityId.Derive<SeriesId>("series|" + key.RowKey, home) : EntityId.New<SeriesId>(ids, home);
    }

    private static OperationId OperationOf(SeriesId id) => EntityId.Derive<OperationId>($"{id}|create", EntityId.Home(id));

    /// <summary>The answer to a request that has been here before; null when it has not.</summary>
    private async Task<Reply<BookedSeriesView>?> RepeatAsync(OperationId id, RequestContext context, CancellationToken cancellation)
    {
        if (context.Idempotency is null || await store.ReadAsync(id, cancellation) is not { } operation)
        {
            return null;
        }

        var run = SeriesRun.Resume(operation, await store.RequireAsync(operation.Value.SeriesId, cancellation));
        return await AnswerAsync(run, context, cancellation);
    }

    /// <summary>The answer to what another request, or the message of this one, has stored; finished first, where requests finish it.</summary>
    private async Task<Reply<BookedSeriesView>> AnswerAsync(SeriesRun run, RequestContext context, CancellationToken cancellation)
    {
        if (context.Idempotency is { } key && run.Operation.BodyHash != key.BodyHash)
        {
            return Error.Invalid(ErrorCodes.IdempotencyKeyReuse, string.Empty, "This Idempotency-Key was used with another body.");
        }

        if (await store.FindReplayAsync<BookedSeriesView>(EntityId.Home(run.Series.Id), context, cancellation) is { } replay)
        {
            return replay;
        }

        run = await runner.RunAsync(run, run.Operation.IsLong ? 0 : int.MaxValue, cancellation);
        return run.Operation.Refusal is { } refusal
            ? refusal
            : ViewOf(run.Series, await summaries.ReadAsync(run.Series, cancellation));
    }

    private BookedSeriesView ViewOf(Series series, SeriesSummary summary) => new(series.Id, SeriesView.Of(series, time.Now()), summary);

    /// <summary>The plan with what was drawn and what was left out since; null when this runner does not know everything.</summary>
    private static List<PricedOccurrence>? PricedOf(SeriesPlan plan, SeriesRun run)
    {
        Dictionary<LocalDate, SeriesStep> steps = run.Operation.Steps.ToDictionary(s => s.Date);
        var priced = new List<PricedOccurrence>();
        foreach ((PlannedOccurrence planned, PricedOccurrence asPlanned) in plan.Occurrences.Zip(plan.Priced))
        {
            if (planned.Refusal is not null || run.IsDeferred || !steps.TryGetValue(planned.Date, out SeriesStep? step))
            {
                priced.Add(asPlanned);
            }
            else if (step.State == StepState.Refused)
            {
                priced.Add(PricedOccurrence.Skipped(planned.Occurrence, SeriesPlan.ExclusionOf(step).Reason));
            }
            else if (!planned.IsToAccount)
            {
                priced.Add(asPlanned);
            }
            else if (run.Prices.TryGetValue(step.BookingId, out BookingPrice? price))
            {
                priced.Add(PricedOccurrence.Accounted(planned.Occurrence, price));
            }
            else
            {
                return null;
            }
        }

        return priced;
    }
}

/// <summary>Handles <see cref="ContinueOperation"/>: a part of the work at a time, so that no delivery takes longer than its lock lasts.</summary>
public sealed class ContinueOperationHandler(SeriesStore store, SeriesRunner runner, IMessagePublisher publisher) : IMessageHandler
{
    /// <summary>Commits for each delivery.</summary>
    private const int CommitsPerMessage = 20;

    public string Queue => Queues.Bookings;

    public string Subject => ContinueOperation.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        ContinueOperation command = envelope.Read<ContinueOperation>();
        Stored<SeriesOperation> operation = await store.ReadAsync(command.OperationId, cancellation)
            ?? throw new DefectException($"{command.OperationId} does not exist.");
        if (operation.Value.State != OperationState.Running)
        {
            return;
        }

        Stored<Series> series = await store.RequireAsync(operation.Value.SeriesId, cancellation);
        SeriesRun run = await runner.RunAsync(SeriesRun.Resume(operation, series), CommitsPerMessage, cancellation);
        if (run.Operation.State == OperationState.Running)
        {
            OutboxMessage next = SeriesMessages.Continue(run.Operation, null);
            await publisher.PublishAsync(next.Queue, next.ToEnvelope(), null, cancellation);
        }
    }
}

/// <summary>Handles <see cref="SeriesMade"/>: makes a series findable by its member. One storage call.</summary>
public sealed class IndexSeries(SeriesStore store) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => SeriesMade.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        SeriesMade fact = envelope.Read<SeriesMade>();
        return store.IndexAsync(fact.MemberId, fact.SeriesId, cancellation);
    }
}
