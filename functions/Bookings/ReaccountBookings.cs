using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <param name="From">First day, inclusive, on the clock of the member's location; left out: 31 days ago.</param>
/// <param name="To">Last day, inclusive; left out: open.</param>
public sealed record ReaccountRequest(LocalDate? From = null, LocalDate? To = null);

public enum ReaccountOutcome
{
    /// <summary>Its price is the second one.</summary>
    Changed,

    /// <summary>It costs and takes the same.</summary>
    Unchanged,

    /// <summary>The code says why; it stays as it was.</summary>
    Refused,
}

/// <summary>What one booking costs and takes, before and after.</summary>
/// <param name="After">The same as before when it is refused.</param>
/// <param name="Code">Why it is refused, e.g. <c>out_of_passes</c>; null when it is not.</param>
public sealed record ReaccountItem(
    BookingId BookingId,
    ResourceId ResourceId,
    Instant Start,
    Instant End,
    ReaccountOutcome Outcome,
    string? Code,
    ReaccountPrice Before,
    ReaccountPrice After);

/// <param name="Price">Net, to be paid.</param>
public sealed record ReaccountPrice(Money Price, Money RegularPrice, Money Discount, Money MoneyCredit, int CreditMinutes, int PassMinutes)
{
    public static ReaccountPrice Of(BookingPrice price) =>
        new(price.Fee, price.Regular, price.Discount, price.MoneyCredit, price.CreditMinutes, price.PassMinutes);
}

/// <summary>In the order of start.</summary>
public sealed record ReaccountView(IReadOnlyList<ReaccountItem> Results);

/// <summary>
/// Prices a member's bookings anew that are accounted and not invoiced (CRD-7): with today's rates and the wallet as it is, each in the
/// order of start once what it takes has gone back. To the booking it is a change that stays where it is, so it is finished the same way
/// when it is cut off; and the same request again does what is left.
/// </summary>
public sealed class ReaccountHandler(
    BookingStore bookings,
    BookingWishes wishes,
    BookingChanger changer,
    WalletLedger ledger,
    MemberStore members,
    SettingsStore settings,
    ITableStore tables,
    TimeProvider time)
{
    public const int MaxBookings = WalletLedger.MaxBookings;

    private const int DefaultDays = 31;

    /// <summary>Three storage calls with warm caches, and one for each booking of that time.</summary>
    public async Task<Reply<ReaccountView>> PreviewAsync(
        MemberId id, ReaccountRequest request, RequestContext context, CancellationToken cancellation)
    {
        Result<IReadOnlyList<(Booking Booking, BookingWish Wish)>> chosen = await ChooseAsync(id, request, cancellation);
        if (chosen.IsError)
        {
            return chosen.Error;
        }

        if (chosen.Value.Count == 0)
        {
            return new ReaccountView([]);
        }

        IReadOnlyList<Result<BookingPrice>> prices = await ledger.PreviewAsync(
            chosen.Value[0].Wish.Terms, [.. chosen.Value.Select(c => DrawOf(c.Booking, c.Wish))], cancellation);
        return new ReaccountView([.. chosen.Value.Select((c, i) => ItemOf(c.Booking, prices[i]))]);
    }

    /// <summary>As the preview, and for each booking two storage calls, or nine when it changes.</summary>
    public async Task<Reply<ReaccountView>> HandleAsync(
        MemberId id, ReaccountRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await bookings.FindReplayAsync<ReaccountView>(id.Value, context, cancellation) is { } replay)
        {
            return replay;
        }

        Result<IReadOnlyList<(Booking Booking, BookingWish Wish)>> chosen = await ChooseAsync(id, request, cancellation);
        if (chosen.IsError)
        {
            return chosen.Error;
        }

        var items = new List<ReaccountItem>();
        foreach ((Booking booking, BookingWish wish) in chosen.Value)
        {
            items.Add(await ReaccountAsync(booking.Id, wish, context.Caller.Subject, cancellation));
        }

        var view = new ReaccountView(items);
        TableBatch batch = BookingStore.BatchFor(id).Remember(context, view, time.Now());
        return await tables.ReplyAsync(batch, await bookings.CommitAsync(batch, cancellation), context, view, cancellation);
    }

    /// <summary>The bookings that are open to it, in the order of start, each with what prices it.</summary>
    private async Task<Result<IReadOnlyList<(Booking Booking, BookingWish Wish)>>> ChooseAsync(
        MemberId id, ReaccountRequest request, CancellationToken cancellation)
    {
        if (BookingReader.RefuseDays(new BookingFilter(id, From: request.From, To: request.To)) is { } refusal)
        {
            return refusal;
        }

        if (await members.FindAsync(id, cancellation) is not { } member)
        {
            return Error.NotFound("The member");
        }

        SiteCalendar calendar = (await settings.LocationAsync(member.LocationId, cancellation)).Calendar;
        Instant from = calendar.StartOfDay(request.From ?? calendar.DateOf(time.Now()).PlusDays(-DefaultDays));
        Instant? until = request.To is { } last ? calendar.StartOfDay(last.PlusDays(1)) : null;
        var open = new List<Booking>();
        await foreach (BookingEntry entry in bookings.ListByMemberAsync(id, from, until, cancellation))
        {
            Stored<Booking> found = await bookings.RequireAsync(entry.BookingId, cancellation);
            if (entry.IsOf(found.Value) && found.Value.RefuseReaccount() is null)
            {
                open.Add(found.Value);
            }
        }

        return open.Count > MaxBookings
            ? Error.Invalid(ErrorCodes.InvalidValue, "/to", $"{open.Count} bookings are open to it; at most {MaxBookings} at a time: name fewer days.")
            : Result<IReadOnlyList<(Booking, BookingWish)>>.From([.. open.Zip(await wishes.OfAsync(member, open, cancellation))]);
    }

    private async Task<ReaccountItem> ReaccountAsync(BookingId id, BookingWish wish, string by, CancellationToken cancellation)
    {
        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            Stored<Booking> found = await bookings.RequireAsync(id, cancellation);
            if (found.Value.Change is not null)
            {
                await changer.FinishAsync(found, cancellation);
                continue;
            }

            if (found.Value.RefuseReaccount() is { } closed)
            {
                return ItemOf(found.Value, closed);
            }

            Result<BookingPrice> price = (await ledger.PreviewAsync(wish.Terms, [DrawOf(found.Value, wish)], cancellation))[0];
            ReaccountItem item = ItemOf(found.Value, price);
            if (item.Outcome != ReaccountOutcome.Changed)
            {
                return item;
            }

            Booking pending = found.Value.Begin(ChangeOf(found.Value, wish, by, time.Now()));
            TableBatch batch = BookingStore.Put(BookingStore.BatchFor(pending.LocationId), pending, found.ETag).Send(BookingMessages.LookAtChange(pending));
            CommitResult result = await bookings.CommitAsync(batch, cancellation);
            if (BookingStore.IsRace(result))
            {
                continue;
            }

            result.Require();
            Result<Booking> finished = await changer.FinishAsync(await bookings.RequireAsync(id, cancellation), wish, context: null, cancellation);
            return ItemOf(found.Value, finished.IsError ? finished.Error : finished.Value.Price);
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    private static DrawRequest DrawOf(Booking booking, BookingWish wish) => new(booking.Id, booking.Version + 1, booking.ResourceId, wish.Rated)
    {
        Refuse = price => BookingRules.RefuseStanding(wish.Member, booking.Start, BookingChanges.ToPay(booking, price.Fee)),
    };

    private static BookingChange ChangeOf(Booking booking, BookingWish wish, string by, Instant now) => new(
        booking.ResourceId,
        booking.Start,
        booking.End,
        booking.Buffers,
        new FrozenRate(wish.Rate.Id, wish.Rate.TaxRateId),
        [],
        QuoteId: null,
        by,
        now,
        Revision: booking.Version + 1,
        RequestKey: null);

    private static ReaccountItem ItemOf(Booking booking, Result<BookingPrice> price)
    {
        BookingPrice after = price.IsError ? booking.Price : price.Value;
        bool isSame = after with { Takings = booking.Price.Takings } == booking.Price;
        return new ReaccountItem(
            booking.Id,
            booking.ResourceId,
            booking.Start,
            booking.End,
            price.IsError ? ReaccountOutcome.Refused : isSame ? ReaccountOutcome.Unchanged : ReaccountOutcome.Changed,
            price.Error?.Code,
            ReaccountPrice.Of(booking.Price),
            ReaccountPrice.Of(after));
    }
}
