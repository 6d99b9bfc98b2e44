using System.Globalization;
using Flex.Bookings;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Mail;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using Flex.Wallets;
using Microsoft.Azure.Functions.Worker;
using NodaTime;

namespace Flex.RecurringBookings;

/// <summary>What members are told about their recurring bookings. Pure.</summary>
public static class SeriesMail
{
    /// <summary>REC-3: sent once for each occurrence that could not be accounted, at once for those of one day.</summary>
    public static OutgoingMail OfAttention(Member member, IReadOnlyList<Booking> failed) => new(
        $"{failed[0].Id}.needs-attention",
        member.Email,
        "A recurring booking needs your attention",
        $"""
        These occurrences could not be settled:

        {string.Join('\n', failed.Select(LineOf))}

        Until then their slots are kept for you; after that they are released. A membership in good standing, or enough booking
        passes, settle them by themselves.
        """);

    private static string LineOf(Booking booking)
    {
        var calendar = new SiteCalendar(booking.TimeZone);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{calendar.LocalOf(booking.Start):uuuu-MM-dd HH:mm}, kept until {calendar.LocalOf(booking.ActBy!.Value):uuuu-MM-dd HH:mm}");
    }
}

/// <summary>Accounts what has entered the horizon (REC-3): once each, however often it is asked to.</summary>
public sealed class SeriesAccountant(
    SeriesStore store, SeriesRunner runner, BookingStore bookings, BookingWishes wishes, OccurrenceAccounts accounts, IIdSource ids, TimeProvider time)
{
    /// <summary>Each with its charge or the look at it; and the series and a mail.</summary>
    private const int BookingsPerCommit = 30;

    /// <summary>
    /// Handles an entry of the index of due series. The next entry is written before the series says so, and this one goes last. Besides
    /// that, with nothing to account, three storage calls; else one for each occurrence, those of the wallet, and one for every 30.
    /// </summary>
    public async Task AccountAsync(DueSeries entry, CancellationToken cancellation)
    {
        if (await store.ReadAsync(entry.SeriesId, cancellation) is { } found)
        {
            for (int round = 0; !await TryAccountAsync(await runner.SettleAsync(found, cancellation), cancellation); round++)
            {
                found = round < CreateBookingHandler.MaxRounds
                    ? await store.RequireAsync(entry.SeriesId, cancellation)
                    : throw new TransientFaultException($"{entry.SeriesId} or its bookings keep changing.");
            }
        }

        await store.RemoveDueAsync(entry, cancellation);
    }

    /// <summary>Accounts one occurrence by hand: one that needs attention, or that the daily run has not come to yet.</summary>
    public async Task<Reply<BookingView>> AccountAsync(BookingId id, RequestContext context, CancellationToken cancellation)
    {
        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            Instant now = time.Now();
            if (await bookings.ReadAsync(id, cancellation) is not { } found)
            {
                return Error.NotFound("The booking");
            }

            Booking booking = found.Value;
            if (!booking.IsToAccount(now) || booking.Series!.AccountOn > new SiteCalendar(booking.TimeZone).DateOf(now))
            {
                Error refusal = BookingStates.Illegal(booking, "accounted", "tentative: an occurrence that is due to be accounted");
                return await bookings.ReplayOrAsync<BookingView>(EntityId.Home(id), context, refusal, cancellation);
            }

            BookingWish wish = await wishes.OfAsync(booking, cancellation);
            Result<BookingPrice> price = (await accounts.DrawAsync([booking], [wish], null, DrawMode.AllOrNothing, cancellation))[0];
            if (price.IsError)
            {
                return price.Error;
            }

            Booking confirmed = Confirm(booking, price.Value, wish, now);
            BookingView view = BookingView.Of(confirmed, now);
            TableBatch batch = BookingStore.Put(BookingStore.BatchFor(confirmed.LocationId), confirmed, found.ETag).Remember(context, view, now);
            BookingSettler.Announce(batch, confirmed, wish.Resource, now, isNew: false);
            CommitResult result = await bookings.CommitAsync(batch, cancellation);
            if (!BookingStore.IsRace(result))
            {
                return await bookings.ReplyAsync(batch, result, context, view, cancellation);
            }
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    /// <summary>False when somebody else was faster.</summary>
    private async Task<bool> TryAccountAsync(Stored<Series> series, CancellationToken cancellation)
    {
        Instant now = time.Now();
        LocalDate today = new SiteCalendar(series.Value.Schedule.TimeZone).DateOf(now);
        LocalDate[] dates = [.. series.Value.Entering(today).Union(series.Value.Attention).Order()];
        Stored<Booking>[] due = [.. (await runner.ReadAsync(dates.Select(series.Value.BookingIdOf), cancellation)).Where(b => b.Value.IsToAccount(now))];
        Booking[] before = [.. due.Select(b => b.Value)];
        IReadOnlyList<BookingWish> wished = due.Length == 0 ? [] : await wishes.OfAsync(before, cancellation);
        IReadOnlyList<Result<BookingPrice>> prices = await accounts.DrawAsync(before, wished, null, DrawMode.Each, cancellation);
        Booking[] after = [.. before.Select((b, i) => prices[i].IsError ? b.NeedAttention(now) : Confirm(b, prices[i].Value, wished[i], now))];
        Series accounted = series.Value.Account(
            today, [.. after.Where(b => b.Accounting == BookingAccounting.NeedsAttention).Select(b => b.Series!.Date).Order()]);
        if (accounted.NextAccountingOn is { } next)
        {
            await store.IndexDueAsync(accounted.Id, next, cancellation);
        }

        int[] changed = [.. Enumerable.Range(0, due.Length).Where(i => !ReferenceEquals(before[i], after[i]))];
        int[][] chunks = [.. changed.Chunk(BookingsPerCommit)];
        for (int chunk = 0; chunk < Math.Max(1, chunks.Length); chunk++)
        {
            TableBatch batch = BookingStore.BatchFor(accounted.LocationId);
            foreach (int i in chunk < chunks.Length ? chunks[chunk] : [])
            {
                BookingStore.Put(batch, after[i], due[i].ETag);
                BookingSettler.Announce(batch, after[i], wished[i].Resource, now, isNew: false);
            }

            Booking[] failed = chunk < chunks.Length ? [.. chunks[chunk].Select(i => after[i]).Where(b => b.Accounting == BookingAccounting.NeedsAttention)] : [];
            if (failed.Length > 0)
            {
                batch.Send(SeriesMail.OfAttention(wished[0].Member, failed).ToMessage());
            }

            if (chunk >= chunks.Length - 1 && !ReferenceEquals(accounted, series.Value))
            {
                SeriesStore.Put(batch, accounted, series.ETag);
            }

            if (batch.Operations.Count == 0)
            {
                break;
            }

            CommitResult result = await store.CommitAsync(batch, cancellation);
            if (BookingStore.IsRace(result))
            {
                return false;
            }

            result.Require();
        }

        return true;
    }

    private Booking Confirm(Booking booking, BookingPrice price, BookingWish wish, Instant now) =>
        booking.Confirm(price, EntityId.New<ChargeId>(ids, EntityId.Home(booking.CustomerId)), wish.Resource, now);
}

/// <summary>Handles <see cref="AccountSeries"/>.</summary>
public sealed class AccountSeriesHandler(SeriesAccountant accountant) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => AccountSeries.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        AccountSeries command = envelope.Read<AccountSeries>();
        return accountant.AccountAsync(new DueSeries(command.SeriesId, command.On), cancellation);
    }
}

/// <summary>Finds the series that are due on their location's local day. One storage call per 1,000 of them.</summary>
public sealed class DueSeriesRun(SeriesStore store, SettingsStore settings, IMessagePublisher publisher, TimeProvider time)
{
    public async Task RunAsync(CancellationToken cancellation)
    {
        Instant now = time.Now();
        Dictionary<string, LocalDate> todays = (await settings.ListLocationsAsync(cancellation))
            .DistinctBy(l => EntityId.Home(l.Id))
            .ToDictionary(l => EntityId.Home(l.Id), l => l.Calendar.DateOf(now));
        if (todays.Count == 0)
        {
            return;
        }

        await foreach (DueSeries due in store.ListDueAsync(todays.Values.Max(), cancellation))
        {
            // A location that was made a moment ago may not be known yet; the next hour knows it.
            if (todays.TryGetValue(EntityId.Home(due.SeriesId), out LocalDate today) && due.On <= today)
            {
                await publisher.PublishAsync(Queues.Bookings, new AccountSeries(due.SeriesId, due.On).ToEnvelope(), null, cancellation);
            }
        }
    }
}

/// <summary>The daily accounting of recurring bookings.</summary>
public sealed class RecurringBookingsTimers(DueSeriesRun due)
{
    /// <summary>At five past every hour, because days begin at different hours; a series is accounted in the first hour of its day.</summary>
    [Function("RecurringBookings_Hourly")]
    public Task RunHourly([TimerTrigger("0 5 * * * *")] TimerInfo timer, CancellationToken cancellation) => due.RunAsync(cancellation);
}
