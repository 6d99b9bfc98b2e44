using Flex.Bookings;
using Flex.Catalogue;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.RecurringBookings;

/// <summary>What the occurrences from one on are changed to; what is left out stays as it is.</summary>
/// <param name="From">Day of an occurrence that has not begun.</param>
/// <param name="ResourceId">At the same location.</param>
/// <param name="LocalStart">Of the first changed occurrence; on another day than it has it needs a recurrence.</param>
/// <param name="LocalEnd">Of the same; when left out, the length stays.</param>
/// <param name="OnConflict">Reject changes nothing when one occurrence cannot be changed; skip leaves those where they are.</param>
/// <param name="OverridePolicy">Staff only: sets the resource's policy aside, for the record.</param>
public sealed record UpdateSeriesRequest(
    LocalDate From,
    ResourceId? ResourceId = null,
    LocalDateTime? LocalStart = null,
    LocalDateTime? LocalEnd = null,
    Recurrence? Recurrence = null,
    OnConflict OnConflict = OnConflict.Reject,
    bool OverridePolicy = false);

/// <summary>
/// Changes a series from one occurrence on, and nothing before it (REC-5): the series is split there. Bookings that stay or move keep
/// their ids, and what a move costs is the difference (BKG-7). Everything is looked at before anything is changed; what is in the way of a
/// single occurrence only when its turn comes leaves that one where it is.
/// </summary>
public sealed class UpdateSeriesHandler(
    SeriesCommands commands, SeriesPlanner planner, BookingWishes wishes, BookingStore bookings, TimeProvider time)
{
    public async Task<Reply<ChangedSeriesView>> HandleAsync(
        SeriesId id, UpdateSeriesRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (request is { ResourceId: null, LocalStart: null, LocalEnd: null, Recurrence: null })
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/localStart", "Say what changes.");
        }

        OperationId operationId = commands.OperationOf(id, SeriesTask.Update, context);
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

            Result<SeriesRun> begun = await BeginAsync(opened.Value, request, operationId, context, cancellation);
            if (begun.IsError)
            {
                return begun.Error;
            }

            SeriesRun run = await commands.RunAsync(begun.Value, cancellation);
            if (run.Refusal is null)
            {
                return ViewOf(run);
            }
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    private ChangedSeriesView ViewOf(SeriesRun run) => ChangedSeriesView.Of(run.Series, run.Operation.Steps, time.Now());

    private async Task<Result<SeriesRun>> BeginAsync(
        Stored<Series> found, UpdateSeriesRequest request, OperationId operationId, RequestContext context, CancellationToken cancellation)
    {
        Instant now = time.Now();
        IReadOnlyList<Booking> standing = await commands.StandingAsync(found.Value, request.From, cancellation);
        Series series = WithEdited(found.Value, standing, request.From);
        SeriesId newId = EntityId.Derive<SeriesId>($"{operationId}|series", EntityId.Home(found.Value.Id));
        var change = new SeriesChange(request.ResourceId, request.LocalStart, request.LocalEnd, request.Recurrence);
        Result<SeriesSplit> split = series.SplitAt(
            request.From, newId, change, [.. standing.Select(SeriesCommands.Plain)], context.Caller.Subject, now);
        if (split.IsError)
        {
            return split.Error;
        }

        HashSet<BookingId> leaving = [.. split.Value.Moved.Select(m => m.BookingId), .. split.Value.Dropped.Select(d => d.BookingId)];
        KeptSlot[] leavingSlots = [.. standing.Where(b => leaving.Contains(b.Id)).SelectMany(AgendaSlot.AllOf)];
        Result<SeriesPlan?> added = await PlanAddedAsync(split.Value, leavingSlots, request, context, cancellation);
        if (added.IsError)
        {
            return added.Error;
        }

        Dictionary<BookingId, Booking> byId = standing.ToDictionary(b => b.Id);
        if (await RefuseMovesAsync(split.Value, byId, leaving, request, context, now, cancellation) is { } refusal)
        {
            return refusal;
        }

        SeriesOperation operation = Begin(split.Value, byId, added.Value, request, operationId, context, now);
        Series next = added.Value is { Skipped.Count: > 0 } plan ? split.Value.New.Exclude(plan.Skipped) : split.Value.New;
        return SeriesRun.Begin(
            operation, next, before: null, added.Value, operation.IsLong, new Stored<Series>(split.Value.Old, found.ETag));
    }

    /// <summary>
    /// Bookings that are not where the series would have them were changed by themselves, and stay as they are; but for the one that the
    /// change begins with.
    /// </summary>
    private static Series WithEdited(Series series, IReadOnlyList<Booking> standing, LocalDate from)
    {
        Dictionary<LocalDate, Occurrence> planned = series.Occurrences().ToDictionary(o => o.Date);
        Exclusion[] edited =
        [
            .. standing
                .Where(b => b.Series!.Date != from && planned.TryGetValue(b.Series.Date, out Occurrence? o) && b.Slot != new BookedSlot(series.ResourceId, o.Start, o.End))
                .Select(b => new Exclusion(b.Series!.Date, ExclusionReason.Edited)),
        ];
        return edited.Length == 0 ? series : series.Exclude(edited);
    }

    /// <summary>Null when no day is added.</summary>
    private async Task<Result<SeriesPlan?>> PlanAddedAsync(
        SeriesSplit split, IReadOnlyList<KeptSlot> leaving, UpdateSeriesRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (split.Added.Count == 0)
        {
            return Result<SeriesPlan?>.From(null);
        }

        HashSet<LocalDate> days = [.. split.Added.Select(o => o.Date)];
        Result<SeriesPlan> planned = await planner.PlanAsync(
            new SeriesWish(split.New.ResourceId, split.New.MemberId, request.OverridePolicy),
            _ => split.New.Schedule,
            split.New.BookingIdOf,
            o => days.Contains(o.Date),
            context.Caller,
            cancellation,
            leaving);
        if (planned.IsError)
        {
            return planned.Error;
        }

        if (RefuseElsewhere(split.New, planned.Value.Wish) is { } elsewhere)
        {
            return elsewhere;
        }

        Error? refusal = request.OnConflict == OnConflict.Skip && planned.Value.Occurrences.All(o => o.Refusal is null || SeriesPlan.CanSkip(o.Refusal))
            ? null
            : planned.Value.Refuse(OnConflict.Reject);
        return refusal is not null ? refusal : Result<SeriesPlan?>.From(planned.Value);
    }

    /// <summary>Null when the resource is where the series is: its bookings are, with all their agendas, in one partition.</summary>
    private static Error? RefuseElsewhere(Series series, BookingWish wish) => wish.Location.Id == series.LocationId
        ? null
        : Error.Invalid(ErrorCodes.InvalidValue, "/resourceId", "A series stays at its location: cancel it and book anew.");

    /// <summary>Null when the bookings can be moved, or those that cannot may stay where they are.</summary>
    private async Task<Error?> RefuseMovesAsync(
        SeriesSplit split,
        Dictionary<BookingId, Booking> standing,
        HashSet<BookingId> leaving,
        UpdateSeriesRequest request,
        RequestContext context,
        Instant now,
        CancellationToken cancellation)
    {
        if (split.Moved.Count == 0)
        {
            return null;
        }

        Occurrence first = split.Moved[0].To;
        Result<BookingWish> any = await wishes.PrepareAsync(
            split.New.ResourceId, first.Start, first.End, split.New.MemberId, context.Caller, cancellation);
        if (any.IsError)
        {
            return any.Error;
        }

        if (RefuseElsewhere(split.New, any.Value) is { } elsewhere)
        {
            return elsewhere;
        }

        KeptSlot[] slots = [.. split.Moved.Select(m => new KeptSlot(
            split.New.ResourceId, AgendaSlot.Of(m.BookingId, m.To.Time, Buffers.Of(any.Value.Resource))))];
        AgendaSheet sheet = await bookings.ReadAgendasAsync(split.New.LocationId, [.. slots.SelectMany(s => s.Keys).Distinct()], cancellation);
        sheet.Free(standing.Values.Where(b => leaving.Contains(b.Id)).SelectMany(AgendaSlot.AllOf));
        var refused = new List<(LocalDate Date, Error Error, SeriesConflict? Conflict)>();
        for (int i = 0; i < slots.Length; i++)
        {
            Booking booking = standing[split.Moved[i].BookingId];
            BookingWish wish = any.Value with { Time = split.Moved[i].To.Time };
            BookingTerms terms = (await wishes.ResourceAsync(booking.ResourceId, cancellation)).Terms;
            LocalDate date = split.Moved[i].To.Date;
            if (sheet.ConflictOf(slots[i].Resource, slots[i].Slot) is { } conflict)
            {
                refused.Add((date, CreateBookingHandler.Conflict(conflict, context.Caller), new SeriesConflict(date, conflict.Start, conflict.End)));
            }
            else if (RefuseMove(booking, terms, wish, request.OverridePolicy, context, now) is { } refusal)
            {
                refused.Add((date, refusal, null));
            }
        }

        if (refused.Count == 0 || request.OnConflict == OnConflict.Skip)
        {
            return null;
        }

        (LocalDate Date, Error Error, SeriesConflict? Conflict) worst = refused.FirstOrDefault(r => r.Conflict is not null, refused[0]);
        return worst.Error with
        {
            Extensions = new Dictionary<string, object?>(worst.Error.Extensions.Where(e => e.Key != "conflict"))
            {
                ["dates"] = refused.Where(r => r.Error.Code == worst.Error.Code).Select(r => r.Date).ToArray(),
                ["conflicts"] = refused.Select(r => r.Conflict).OfType<SeriesConflict>().ToArray(),
            },
        };
    }

    private static Error? RefuseMove(Booking booking, BookingTerms terms, BookingWish wish, bool overridePolicy, RequestContext context, Instant now) =>
        BookingChanges.Refuse(booking, terms, context.Caller, now)
        ?? BookingChanges.RefuseTarget(booking, wish.Resource, context.Caller)
        ?? BookingRules.RefuseInterval(wish.Time.Start, wish.Time.End, wish.Location.Calendar)
        ?? BookingRules.Allow(wish, context.Caller, overridePolicy, now).Error
        ?? BookingRules.RefuseStanding(wish.Member, wish.Time.Start, Money.Zero(wish.Rate.Currency));

    /// <summary>
    /// What goes makes room for what moves, and what moves later begins with the last, what moves earlier with the first, so that they are
    /// not in each other's way.
    /// </summary>
    private static SeriesOperation Begin(
        SeriesSplit split,
        Dictionary<BookingId, Booking> standing,
        SeriesPlan? added,
        UpdateSeriesRequest request,
        OperationId id,
        RequestContext context,
        Instant now)
    {
        IEnumerable<MovedBooking> moved = split.Moved.Count > 0 && split.Moved[0].To.Start > standing[split.Moved[0].BookingId].Start
            ? split.Moved.Reverse()
            : split.Moved;
        SeriesStep[] steps =
        [
            .. split.Dropped.Select(b => new SeriesStep(b.Date, b.BookingId, StepAction.Cancel)),
            .. moved.Select(m => new SeriesStep(m.To.Date, m.BookingId, StepAction.Move)),
            .. split.Kept.Select(b => new SeriesStep(b.Date, b.BookingId, StepAction.Keep)),
            .. (added?.Bookable ?? []).Select(o => new SeriesStep(o.Date, split.New.BookingIdOf(o.Date), StepAction.Book, o.IsToAccount, o.Override)),
        ];
        return new SeriesOperation(
            id,
            split.New.Id,
            SeriesTask.Update,
            OperationState.Running,
            request.OnConflict,
            new SiteCalendar(split.New.Schedule.TimeZone).DateOf(now),
            steps,
            Failure: null,
            context.Caller,
            new CancelBookingRequest(),
            request.OverridePolicy,
            context.Idempotency?.BodyHash,
            now,
            Version: 1);
    }
}
