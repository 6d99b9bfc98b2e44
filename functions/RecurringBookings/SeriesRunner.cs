using Flex.Bookings;
using Flex.Catalogue;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.RecurringBookings;

/// <summary>
/// Does the work on a series, for the request that asked for it and, should that die or be too long for it, by message: one commit after
/// another, each of some steps with the operation's own row. Bookings have derived ids, draws are idempotent, and the row's version lets one
/// commit of a step through; so any number of runners at once, cut off anywhere, come to the same end.
/// </summary>
public sealed class SeriesRunner(
    SeriesStore store,
    BookingStore bookings,
    BookingWishes wishes,
    OccurrenceAccounts accounts,
    WalletLedger ledger,
    BookingChanger changer,
    ChangeBookingHandler change,
    AgendaGate gate,
    IIdSource ids,
    TimeProvider time)
{
    /// <summary>Rows of a commit that are not of a single booking: operation, two series, three messages, the answer.</summary>
    private const int OtherRows = 8;

    /// <summary>A confirmed booking has itself, its charge and the look at its check-in.</summary>
    private const int RowsPerConfirmed = 3;

    /// <summary>Bookings are moved one by one.</summary>
    private const int MovesPerCommit = 10;

    private const int EndsPerCommit = 45;

    private const int ReadsAtOnce = 25;

    /// <summary>Each lost round means that somebody else has come further with this or another booking of the resource.</summary>
    private const int MaxRounds = 500;

    /// <summary>
    /// Goes on until the operation is done, or for as many commits as are given. Ends with <see cref="SeriesRun.Refusal"/> when the first
    /// commit would have shown that nothing can be done: then nothing is stored.
    /// </summary>
    public async Task<SeriesRun> RunAsync(SeriesRun run, int commits, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            if (run.Operation.State != OperationState.Running || run.Refusal is not null || commits == 0)
            {
                return run;
            }

            if (await StepAsync(run, cancellation))
            {
                commits--;
                round = 0;
            }
            else
            {
                await AgainAsync(run, cancellation);
            }
        }

        throw new TransientFaultException($"{run.Operation.Id} keeps meeting others.");
    }

    /// <summary>Stores what is to be done, without doing any of it.</summary>
    public async Task StartAsync(SeriesRun run, CancellationToken cancellation)
    {
        while (run.OperationETag is null && run.Refusal is null)
        {
            if (!await CommitAsync(run, BookingStore.BatchFor(run.Series.LocationId), run.Operation, cancellation))
            {
                await AgainAsync(run, cancellation);
            }
        }
    }

    /// <summary>Finishes what is being done to a series; the series as it is then. No storage call where nothing is.</summary>
    public async Task<Stored<Series>> SettleAsync(Stored<Series> series, CancellationToken cancellation)
    {
        while (series.Value.Running is { } running)
        {
            Stored<SeriesOperation> operation = await store.ReadAsync(running, cancellation) ?? throw new DefectException($"{running} does not exist.");
            await RunAsync(SeriesRun.Resume(operation, series), int.MaxValue, cancellation);
            series = await store.RequireAsync(series.Value.Id, cancellation);
        }

        return series;
    }

    /// <summary>The bookings that exist, by point reads side by side.</summary>
    public async Task<IReadOnlyList<Stored<Booking>>> ReadAsync(IEnumerable<BookingId> wanted, CancellationToken cancellation)
    {
        var read = new List<Stored<Booking>>();
        foreach (BookingId[] some in wanted.Chunk(ReadsAtOnce))
        {
            read.AddRange((await Task.WhenAll(some.Select(id => bookings.ReadAsync(id, cancellation)))).OfType<Stored<Booking>>());
        }

        return read;
    }

    /// <summary>Takes the run to where storage is; to its beginning, where nothing is stored.</summary>
    private async Task AgainAsync(SeriesRun run, CancellationToken cancellation)
    {
        run.Outdate();
        if (await store.ReadAsync(run.Operation.Id, cancellation) is { } operation)
        {
            run.Again(operation, await store.RequireAsync(operation.Value.SeriesId, cancellation));
        }
        else if (run.SeriesETag is not null)
        {
            run.Refusal = Error.Stale();
        }
    }

    /// <summary>One commit; false when somebody else was faster.</summary>
    private Task<bool> StepAsync(SeriesRun run, CancellationToken cancellation)
    {
        IReadOnlyList<SeriesStep> next = run.Operation.Next();
        return (next.Count == 0 ? StepState.Done : next[0].State, next.Count == 0 ? StepAction.Keep : next[0].Action) switch
        {
            (StepState.Releasing, _) => ReleaseAsync(run, next, cancellation),
            (StepState.Placed, _) => AccountAsync(run, next, cancellation),
            (StepState.Pending, StepAction.Book) => PlaceAsync(run, next, cancellation),
            (StepState.Pending, StepAction.Cancel) => CancelAsync(run, next, cancellation),
            (StepState.Pending, _) => CarryAsync(run, next, cancellation),
            _ => CommitAsync(run, BookingStore.BatchFor(run.Series.LocationId), run.Operation with { Version = run.Operation.Version + 1 }, cancellation),
        };
    }

    /// <summary>Takes the slots of as many occurrences as fit a commit; of all, priced and charged, where nothing has to be drawn first.</summary>
    private async Task<bool> PlaceAsync(SeriesRun run, IReadOnlyList<SeriesStep> pending, CancellationToken cancellation)
    {
        Instant now = time.Now();
        Dictionary<LocalDate, Occurrence> occurrences = run.Series.Occurrences().ToDictionary(o => o.Date);
        if (IsOutdated(pending, occurrences))
        {
            return false;
        }

        Result<BookingWish> any = run.Plan?.Wish ?? await PrepareAsync(run, occurrences[pending[0].Date], cancellation);
        if (any.IsError)
        {
            return await RefuseAsync(run, pending.ToDictionary(s => s.Date, _ => any.Error), cancellation);
        }

        bool isAtOnce = run.OperationETag is null && run.Plan!.Bookable.All(o => !o.Takes)
            && Fit(pending, run, occurrences, s => s.IsToAccount ? RowsPerConfirmed : 1).Count == pending.Count;
        List<SeriesStep> chunk = isAtOnce ? [.. pending] : Fit(pending, run, occurrences, _ => 1);
        var placed = chunk.Select(step => Place(run, step, any.Value with { Time = occurrences[step.Date].Time }, isAtOnce && step.IsToAccount, now)).ToList();
        KeptSlot[] slots = [.. placed.Select(b => new KeptSlot(b.ResourceId, AgendaSlot.Of(b)))];
        AgendaKey[] keys = [.. slots.SelectMany(s => s.Keys).Distinct()];

        using IDisposable pass = await gate.EnterAsync(BookingStore.GateKeys(keys), cancellation);
        AgendaSheet sheet = run.IsFresh ? run.Plan!.Sheet : await bookings.ReadAgendasAsync(run.Series.LocationId, keys, cancellation);
        Dictionary<LocalDate, Error> refusals = [];
        for (int i = 0; i < placed.Count; i++)
        {
            if (sheet.ConflictOf(slots[i].Resource, slots[i].Slot) is { } conflict)
            {
                refusals.Add(chunk[i].Date, CreateBookingHandler.Conflict(conflict, run.Operation.Caller));
            }
            else
            {
                sheet.Take(slots[i].Resource, slots[i].Slot);
            }
        }

        if (refusals.Count == chunk.Count || (refusals.Count > 0 && run.Operation.OnConflict == OnConflict.Reject))
        {
            return await RefuseAsync(run, refusals, cancellation);
        }

        placed = [.. placed.Where((_, i) => !refusals.ContainsKey(chunk[i].Date))];
        SeriesOperation after = run.Operation.With(chunk.Select(s => refusals.TryGetValue(s.Date, out Error? refusal)
            ? s.Refuse(refusal.Code)
            : s with { State = s.IsToAccount && !isAtOnce ? StepState.Placed : StepState.Done }));
        TableBatch batch = BookingStore.Put(BookingStore.BatchFor(run.Series.LocationId), sheet);
        foreach (Booking booking in placed)
        {
            BookingStore.Put(batch, booking, etag: null);
            BookingSettler.Announce(batch, booking, any.Value.Resource, now, isNew: false);
        }

        batch.Send(BookingMessages.Made(placed));
        return await CommitAsync(run, batch, after, cancellation, placed);
    }

    /// <summary>Settles the prices of the occurrences inside the horizon.</summary>
    private async Task<bool> AccountAsync(SeriesRun run, IReadOnlyList<SeriesStep> placed, CancellationToken cancellation)
    {
        Instant now = time.Now();
        Dictionary<BookingId, Stored<Booking>> found = await KnownAsync(run, placed, cancellation);
        SeriesStep[] over = [.. placed.Where(s => !found[s.BookingId].Value.IsToAccount(now))];
        if (over.Length > 0)
        {
            // Somebody has cancelled them meanwhile, or another runner has been here.
            return await CommitAsync(
                run,
                BookingStore.BatchFor(run.Series.LocationId),
                run.Operation.With(over.Select(s => found[s.BookingId].Value.HoldsSlot()
                    ? s with { State = StepState.Done }
                    : s with { State = StepState.Refused, Code = ErrorCodes.InvalidTransition })),
                cancellation);
        }

        Booking[] open = [.. placed.Select(s => found[s.BookingId].Value)];
        IReadOnlyList<BookingWish> wished = run.Plan is { } plan
            ? [.. open.Select(b => plan.Wish with { Time = new Interval(b.Start, b.End) })]
            : await wishes.OfAsync(open, cancellation);
        if (open.Any(b => !run.Prices.ContainsKey(b.Id)))
        {
            DrawMode mode = run.Operation.OnConflict == OnConflict.Reject ? DrawMode.AllOrNothing : DrawMode.Each;
            IReadOnlyList<Result<BookingPrice>> drawn = await accounts.DrawAsync(open, wished, run.Plan?.Wallet, mode, cancellation);
            Dictionary<LocalDate, Error> refusals = placed.Zip(drawn).Where(p => p.Second.IsError).ToDictionary(p => p.First.Date, p => p.Second.Error!);
            if (refusals.Count > 0)
            {
                return await RefuseAsync(run, refusals, cancellation);
            }

            for (int i = 0; i < open.Length; i++)
            {
                run.Prices[open[i].Id] = drawn[i].Value;
            }
        }

        int count = Math.Min(open.Length, (TableLimits.MaxOperations - OtherRows) / RowsPerConfirmed);
        TableBatch batch = BookingStore.BatchFor(run.Series.LocationId);
        for (int i = 0; i < count; i++)
        {
            Booking confirmed = Confirm(open[i], run.Prices[open[i].Id], wished[i], now);
            BookingStore.Put(batch, confirmed, found[confirmed.Id].ETag);
            BookingSettler.Announce(batch, confirmed, wished[i].Resource, now, isNew: false);
        }

        return await CommitAsync(run, batch, run.Operation.With(placed.Take(count).Select(s => s with { State = StepState.Done })), cancellation);
    }

    /// <summary>
    /// Gives up slots that were taken for a series which is not to be, or for days it is to leave out. A draw that is still on its way is
    /// returned or, once the wallet has been told, refused.
    /// </summary>
    private Task<bool> ReleaseAsync(SeriesRun run, IReadOnlyList<SeriesStep> releasing, CancellationToken cancellation) => EndAsync(
        run,
        [.. releasing.Take(EndsPerCommit)],
        (booking, now) => booking.Cancel(BookingCancelReason.SeriesNotMade, now) ?? booking,
        (step, _) => step with { State = StepState.Refused },
        cancellation);

    /// <summary>Cancels what is to be cancelled, each as it would be by itself (REC-4).</summary>
    private async Task<bool> CancelAsync(SeriesRun run, IReadOnlyList<SeriesStep> pending, CancellationToken cancellation)
    {
        SeriesStep[] some = [.. pending.Take(EndsPerCommit)];
        foreach (Stored<Booking> moving in (await KnownAsync(run, some, cancellation)).Values.Where(b => b.Value.Change is not null))
        {
            await changer.FinishAsync(moving, cancellation);
            run.Known.Remove(moving.Value.Id);
        }

        Dictionary<BookingId, BookingTerms> terms = [];
        foreach (Stored<Booking> found in (await KnownAsync(run, some, cancellation)).Values)
        {
            terms[found.Value.Id] = (await wishes.ResourceAsync(found.Value.ResourceId, cancellation)).Terms;
        }

        SeriesOperation operation = run.Operation;
        return await EndAsync(
            run,
            some,
            (booking, _) => BookingCancellation.Decide(booking, terms[booking.Id], operation.Cancellation!, operation.Caller, operation.At),
            (step, ended) => step with { State = ended.IsError ? StepState.Refused : StepState.Done, Code = ended.Error?.Code },
            cancellation);
    }

    /// <summary>Moves bookings, each as it would be by itself (BKG-7), and has those and the ones that stay belong to the new series.</summary>
    private async Task<bool> CarryAsync(SeriesRun run, IReadOnlyList<SeriesStep> pending, CancellationToken cancellation)
    {
        bool isMove = pending[0].Action == StepAction.Move;
        SeriesStep[] some = [.. pending.Take(isMove ? MovesPerCommit : TableLimits.MaxOperations - OtherRows)];
        Dictionary<LocalDate, Occurrence> occurrences = run.Series.Occurrences().ToDictionary(o => o.Date);
        if (isMove && IsOutdated(some, occurrences))
        {
            return false;
        }

        Dictionary<LocalDate, string> refusals = [];
        foreach (SeriesStep step in isMove ? some : [])
        {
            Occurrence to = occurrences[step.Date];
            var request = new ChangeBookingRequest(run.Series.ResourceId, to.Start, to.End, OverridePolicy: run.Operation.OverridePolicy);
            Reply<BookingChangeView> reply = await change.HandleAsync(step.BookingId, request, RequestContext.For(run.Operation.Caller), cancellation);
            if (reply.Error is { } refusal)
            {
                refusals.Add(step.Date, refusal.Code);
            }
        }

        run.Known.Clear();
        Dictionary<BookingId, Stored<Booking>> found = await KnownAsync(run, some, cancellation);
        TableBatch batch = BookingStore.BatchFor(run.Series.LocationId);
        foreach ((SeriesStep step, Stored<Booking> booking) in some.Select(s => (s, found[s.BookingId])))
        {
            Booking carried = booking.Value with { Series = booking.Value.Series! with { SeriesId = run.Series.Id }, Version = booking.Value.Version + 1 };
            BookingStore.Put(batch, carried, booking.ETag);
        }

        return await CommitAsync(
            run,
            batch,
            run.Operation.With(some.Select(s => refusals.TryGetValue(s.Date, out string? code)
                ? s with { State = StepState.Refused, Code = code }
                : s with { State = StepState.Done })),
            cancellation);
    }

    /// <summary>Ends bookings in one commit: slots are free, charges dropped, the wallet gets back what they took.</summary>
    private async Task<bool> EndAsync(
        SeriesRun run,
        IReadOnlyList<SeriesStep> some,
        Func<Booking, Instant, Result<Booking>> end,
        Func<SeriesStep, Result<Booking>, SeriesStep> mark,
        CancellationToken cancellation)
    {
        Instant now = time.Now();
        Dictionary<BookingId, Stored<Booking>> found = await KnownAsync(run, some, cancellation);
        HashSet<AgendaKey> keys = [];
        var chunk = new List<SeriesStep>();
        int rows = OtherRows;
        foreach (SeriesStep step in some)
        {
            Booking booking = found[step.BookingId].Value;
            AgendaKey[] more = [.. AgendaSlot.AllOf(booking).SelectMany(s => s.Keys).Except(keys)];
            rows += 1 + booking.Charges.Count + more.Length;
            if (chunk.Count > 0 && rows > TableLimits.MaxOperations)
            {
                break;
            }

            keys.UnionWith(more);
            chunk.Add(step);
        }

        using IDisposable pass = await gate.EnterAsync(BookingStore.GateKeys(keys), cancellation);
        AgendaSheet sheet = await bookings.ReadAgendasAsync(run.Series.LocationId, keys, cancellation);
        TableBatch batch = BookingStore.BatchFor(run.Series.LocationId);
        var steps = new List<SeriesStep>();
        var returning = new List<Booking>();
        foreach (SeriesStep step in chunk)
        {
            Stored<Booking> booking = found[step.BookingId];
            Result<Booking> ended = end(booking.Value, now);
            steps.Add(mark(step, ended));
            if (ended.IsError || ReferenceEquals(ended.Value, booking.Value))
            {
                continue;
            }

            sheet.Free(AgendaSlot.AllOf(booking.Value));
            BookingStore.Put(batch, ended.Value, booking.ETag).Send(BookingMessages.OfCharges(booking.Value, ended.Value, resourceName: string.Empty));
            if (ended.Value.State == BookingState.Cancelled && booking.Value.MayHaveDrawn)
            {
                returning.Add(ended.Value);
            }
        }

        BookingStore.Put(batch, sheet);
        if (returning.Count > 0)
        {
            batch.Send(BookingMessages.Return(returning));
        }

        if (!await CommitAsync(run, batch, run.Operation.With(steps), cancellation))
        {
            return false;
        }

        await ledger.ReleaseAsync(run.Series.MemberId, [.. returning.Select(b => b.Id)], cancellation);
        return true;
    }

    /// <summary>The steps cannot be done. Nothing is stored when by that nothing at all would be.</summary>
    private async Task<bool> RefuseAsync(SeriesRun run, IReadOnlyDictionary<LocalDate, Error> refusals, CancellationToken cancellation)
    {
        SeriesOperation after = run.Operation.Refuse(refusals);
        if (run.OperationETag is null && after.Steps.All(s => s.State == StepState.Refused))
        {
            run.Refusal = refusals.OrderBy(r => r.Key).First().Value;
            return true;
        }

        return await CommitAsync(run, BookingStore.BatchFor(run.Series.LocationId), after, cancellation);
    }

    /// <summary>
    /// Commits the operation as it is after some steps and, with the first and the last of them, the series. False when somebody else was
    /// faster.
    /// </summary>
    /// <param name="placed">New bookings of the batch.</param>
    private async Task<bool> CommitAsync(
        SeriesRun run, TableBatch batch, SeriesOperation after, CancellationToken cancellation, IReadOnlyList<Booking>? placed = null)
    {
        bool isFirst = run.OperationETag is null;
        (SeriesOperation operation, Series series) = after.Conclude(run.Series);
        bool isDone = operation.State != OperationState.Running;
        if (series.NextAccountingOn is { } on && (isFirst || on != run.Series.NextAccountingOn))
        {
            await store.IndexDueAsync(series.Id, on, cancellation);
        }

        SeriesStore.Put(batch, operation, run.OperationETag);
        if (isFirst || !ReferenceEquals(series, run.Series))
        {
            SeriesStore.Put(batch, series, run.SeriesETag);
        }

        if (isFirst)
        {
            Begin(run, batch, operation, series);
        }

        SeriesRun next = run.To(operation, series);
        if (isDone || run.IsDeferred)
        {
            run.Remember?.Invoke(batch, next);
        }

        CommitResult result = await store.CommitAsync(batch, cancellation);
        if (result.IsDuplicateOf(RowKeys.Idempotency))
        {
            // The key has been used for something else; who sent it twice gets to know that. The work goes on.
            run.Remember = null;
            return false;
        }

        if (BookingStore.IsRace(result) || BookingStore.IsRepeat(result) || SeriesStore.IsRepeat(result))
        {
            return false;
        }

        result.Require();
        await CommittedAsync(run, next, batch, result, placed ?? [], cancellation);
        return true;
    }

    /// <summary>What else belongs to the first commit: the message for the case that nothing comes after it.</summary>
    private static void Begin(SeriesRun run, TableBatch batch, SeriesOperation operation, Series series)
    {
        if (run.Ended is { } ended)
        {
            SeriesStore.Put(batch, ended.Value, ended.ETag);
        }

        if (operation.State == OperationState.Running)
        {
            batch.Send(SeriesMessages.Continue(operation, run.IsDeferred ? null : SeriesMessages.Patience));
        }

        if (run.SeriesETag is null)
        {
            batch.Send(SeriesMessages.Made(series));
        }
    }

    private async Task CommittedAsync(
        SeriesRun run, SeriesRun next, TableBatch batch, CommitResult result, IReadOnlyList<Booking> placed, CancellationToken cancellation)
    {
        Dictionary<string, string> versions = batch.Operations.Zip(result.ETags).Where(o => o.Second is not null).ToDictionary(o => o.First.Key, o => o.Second!);
        string? operation = versions.GetValueOrDefault(SeriesStore.KeyOf(next.Operation.Id));
        if (operation is null)
        {
            await AgainAsync(run, cancellation);
            return;
        }

        run.Committed(next, operation, versions.GetValueOrDefault(SeriesStore.KeyOf(next.Series.Id), run.SeriesETag!));
        run.Known.Clear();
        foreach (Booking booking in placed)
        {
            run.Known[booking.Id] = new Stored<Booking>(booking, versions[BookingStore.KeyOf(booking.Id)]);
        }
    }

    private async Task<Dictionary<BookingId, Stored<Booking>>> KnownAsync(SeriesRun run, IReadOnlyList<SeriesStep> steps, CancellationToken cancellation)
    {
        foreach (Stored<Booking> booking in await ReadAsync(steps.Select(s => s.BookingId).Where(id => !run.Known.ContainsKey(id)), cancellation))
        {
            run.Known[booking.Value.Id] = booking;
        }

        return run.Known;
    }

    /// <summary>The operation was read before the series, and another runner has left days out between the two.</summary>
    private static bool IsOutdated(IReadOnlyList<SeriesStep> pending, Dictionary<LocalDate, Occurrence> occurrences) =>
        !pending.All(s => occurrences.ContainsKey(s.Date));

    /// <summary>As many of the steps, in order, as one commit takes.</summary>
    private static List<SeriesStep> Fit(
        IReadOnlyList<SeriesStep> pending, SeriesRun run, Dictionary<LocalDate, Occurrence> occurrences, Func<SeriesStep, int> rowsOf)
    {
        var fitting = new List<SeriesStep>();
        HashSet<YearMonth> months = [];
        int rows = OtherRows;
        foreach (SeriesStep step in pending)
        {
            // Buffers of at most a day on either side.
            Occurrence o = occurrences[step.Date];
            YearMonth[] more = [.. AgendaSlot.Months(o.Start - Duration.FromDays(1), o.End + Duration.FromDays(1)).Except(months)];
            rows += rowsOf(step) + more.Length;
            if (fitting.Count > 0 && rows > TableLimits.MaxOperations)
            {
                break;
            }

            months.UnionWith(more);
            fitting.Add(step);
        }

        return fitting;
    }

    private Task<Result<BookingWish>> PrepareAsync(SeriesRun run, Occurrence occurrence, CancellationToken cancellation) => wishes.PrepareAsync(
        run.Series.ResourceId, occurrence.Start, occurrence.End, run.Series.MemberId, run.Operation.Caller, cancellation);

    private Booking Place(SeriesRun run, SeriesStep step, BookingWish wish, bool isFinal, Instant now)
    {
        SeriesOperation operation = run.Operation;
        BookingPrice price = BookingPrice.Plain(RateRules.PriceOf(wish.Rated));
        Booking booking = Booking.Wish(step.BookingId, wish, price, operation.Caller.Subject, now) with
        {
            Series = new OccurrenceOf(run.Series.Id, step.Date, LocalDate.Max(operation.Day, AccountingHorizon.EntryOf(step.Date))),
            Overrides = step.Override is { } rule ? [new PolicyOverride(rule, operation.Caller.Subject, operation.At)] : [],
        };
        if (isFinal)
        {
            run.Prices[booking.Id] = price;
        }

        return isFinal ? Confirm(booking, price, wish, now) : booking.AwaitAccounting();
    }

    private Booking Confirm(Booking booking, BookingPrice price, BookingWish wish, Instant now) =>
        booking.Confirm(price, EntityId.New<ChargeId>(ids, EntityId.Home(booking.CustomerId)), wish.Resource, now);
}
