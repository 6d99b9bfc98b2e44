using Flex.Invoicing;
using Flex.Platform.Http;
using Flex.Settings;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <summary>What a booking would cost and whether it could be made now (BKG-8). All amounts but <paramref name="Total"/> are net.</summary>
/// <param name="Available">Nobody else has the resource at that time.</param>
/// <param name="Conflict">What is in the way; null when it is available.</param>
/// <param name="ApprovalRequired">Staff have to approve it first.</param>
/// <param name="PaymentRequired">It has to be paid now: book it with <c>hold</c>, then pay.</param>
/// <param name="Price">What would be charged.</param>
/// <param name="Taxes">On the price, by component.</param>
/// <param name="Total">The price with its taxes.</param>
/// <param name="Remaining">What the member has left for this resource after this booking (BPS-10).</param>
/// <param name="QuoteId">Whoever books with it pays this price or is refused as <c>quote_stale</c>.</param>
public sealed record BookingPreviewView(
    ResourceId ResourceId,
    LocationId LocationId,
    MemberId MemberId,
    Instant Start,
    Instant End,
    string TimeZone,
    LocalDateTime LocalStart,
    bool Available,
    BookingConflictView? Conflict,
    bool ApprovalRequired,
    bool PaymentRequired,
    Money Price,
    IReadOnlyList<TaxAmount> Taxes,
    Money Total,
    Money RegularPrice,
    Money Discount,
    Money MoneyCredit,
    int CreditMinutes,
    int PassMinutes,
    RemainingView Remaining,
    string QuoteId,
    Instant QuoteExpiresAt);

/// <param name="BookingId">Staff only.</param>
public sealed record BookingConflictView(Instant Start, Instant End, BookingId? BookingId);

/// <param name="CreditMinutes">In the credit cycle that the start lies in.</param>
/// <param name="MoneyCredit">In the same cycle, net.</param>
/// <param name="PassMinutes">On booking passes.</param>
public sealed record RemainingView(int CreditMinutes, Money MoneyCredit, int PassMinutes)
{
    /// <summary>What the wallet holds for the wish once it has been taken from.</summary>
    public static RemainingView Of(PricedWish priced, bool passesEnabled)
    {
        BookingWish wish = priced.Wish;
        Allowance left = priced.Wallet is { } wallet
            ? wallet.Wallet.Take(priced.Price.Takings, wish.Time.Start).AllowanceFor(wish.Terms, wish.Resource.Id, wish.Time.Start, passesEnabled)
            : Allowance.None;
        Currency currency = wish.Rate.Currency;
        return new RemainingView(
            left.Credits.Sum(c => c.MinutesLeft ?? 0),
            left.Credits.Select(c => c.AmountLeft).OfType<Money>().Where(m => m.Currency.Equals(currency)).Aggregate(Money.Zero(currency), Money.Add),
            left.Passes.Sum(p => p.MinutesLeft));
    }
}

/// <summary>
/// Answers what creating a booking would, and changes nothing: the same request, the same refusals but for a slot that is taken and a
/// payment that is due, which it tells of. Three storage calls: the member, the wallet where it matters, the agenda.
/// </summary>
public sealed class PreviewBookingHandler(
    BookingWishes wishes, BookingStore bookings, BookingQuotes quotes, BookingTax tax, SettingsStore settings, TimeProvider time)
{
    public async Task<Reply<BookingPreviewView>> HandleAsync(CreateBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        Result<BookingWish> wish = await wishes.PrepareAsync(
            request.ResourceId, request.Start, request.End, request.MemberId, context.Caller, cancellation);
        if (wish.IsError)
        {
            return wish.Error;
        }

        Instant now = time.Now();
        Result<IReadOnlyList<PolicyOverride>> allowed = BookingRules.Allow(wish.Value, context.Caller, request.OverridePolicy, now);
        if (allowed.IsError)
        {
            return allowed.Error;
        }

        Result<PricedWish> priced = await wishes.PriceAsync(wish.Value, cancellation);
        if (priced.IsError)
        {
            return priced.Error;
        }

        if (request.QuoteId is { } quote && quotes.Refuse(quote, priced.Value, now) is { } stale)
        {
            return stale;
        }

        Error? standing = BookingRules.RefuseStanding(wish.Value.Member, wish.Value.Time.Start, priced.Value.Price.Fee);
        return standing is null || standing.Code == ErrorCodes.PaymentRequired
            ? await ViewAsync(priced.Value, context, standing is not null, now, cancellation)
            : standing;
    }

    private async Task<BookingPreviewView> ViewAsync(
        PricedWish priced, RequestContext context, bool paymentRequired, Instant now, CancellationToken cancellation)
    {
        (BookingWish wish, BookingPrice price) = (priced.Wish, priced.Price);
        AgendaSlot? taken = await bookings.FindConflictAsync(wish, cancellation);
        LocalDateTime start = wish.Location.Calendar.LocalOf(wish.Time.Start);
        InvoiceTotals totals = await tax.OfAsync(price.Fee, wish.Rate.TaxRateId, wish.Location.Id, start.Date, cancellation);
        return new BookingPreviewView(
            wish.Resource.Id,
            wish.Location.Id,
            wish.Member.Id,
            wish.Time.Start,
            wish.Time.End,
            wish.Location.TimeZone,
            start,
            taken is null,
            taken is null ? null : new BookingConflictView(taken.Start, taken.End, context.Caller.IsStaff ? taken.Booking : null),
            wish.Resource.Terms.RequiresApproval && !context.Caller.IsStaff,
            paymentRequired,
            price.Fee,
            totals.Taxes,
            totals.Total,
            price.Regular,
            price.Discount,
            price.MoneyCredit,
            price.CreditMinutes,
            price.PassMinutes,
            RemainingView.Of(priced, (await settings.GetOperatorAsync(cancellation)).BookingPassesEnabled),
            quotes.Issue(priced, now),
            now + BookingQuotes.Validity);
    }
}
