using Flex.Bookings;
using Flex.Catalogue;
using Flex.Wallets;

namespace Flex.RecurringBookings;

/// <summary>Settles the prices of occurrences that have their slots: takes from the wallet what they draw.</summary>
public sealed class OccurrenceAccounts(WalletLedger ledger)
{
    /// <summary>
    /// What each of them costs, or why it cannot be accounted, in order. Idempotent by booking and version: what is drawn for an occurrence
    /// that has been moved since is returned. Nothing is taken for one that is refused or, when that refuses all, for any. No storage call
    /// where nothing draws.
    /// </summary>
    /// <param name="known">The wallet as it was read; null is not known.</param>
    public async Task<IReadOnlyList<Result<BookingPrice>>> DrawAsync(
        IReadOnlyList<Booking> bookings, IReadOnlyList<BookingWish> wishes, StoredWallet? known, DrawMode mode, CancellationToken cancellation)
    {
        var prices = new Result<BookingPrice>[bookings.Count];
        var drawing = new List<int>();
        for (int i = 0; i < bookings.Count; i++)
        {
            if (Takes(wishes[i]))
            {
                drawing.Add(i);
            }
            else
            {
                prices[i] = PlainOf(wishes[i]);
            }
        }

        if (mode == DrawMode.AllOrNothing && prices.Any(p => p.IsError))
        {
            drawing.ForEach(i => prices[i] = PlainOf(wishes[i]));
            return prices;
        }

        foreach (int[] some in drawing.Chunk(WalletLedger.MaxBookings))
        {
            DrawRequest[] requests = [.. some.Select(i => new DrawRequest(bookings[i].Id, bookings[i].Version, wishes[i].Resource.Id, wishes[i].Rated)
            {
                Refuse = price => RefuseStanding(wishes[i], price),
            })];
            IReadOnlyList<Result<BookingPrice>> drawn = await ledger.DrawAsync(wishes[some[0]].Terms, known, requests, mode, cancellation);
            known = null;
            for (int i = 0; i < some.Length; i++)
            {
                prices[some[i]] = drawn[i];
            }
        }

        return prices;
    }

    /// <summary>The wallet is asked for its price.</summary>
    public static bool Takes(BookingWish wish) => !wish.Rate.IsFree && wish.Terms.MayDraw(wish.Resource, wish.Time.Start);

    /// <summary>The regular price, where that can be charged.</summary>
    public static Result<BookingPrice> PlainOf(BookingWish wish)
    {
        BookingPrice plain = BookingPrice.Plain(RateRules.PriceOf(wish.Rated));
        return RefuseStanding(wish, plain) is { } refusal ? refusal : plain;
    }

    public static Error? RefuseStanding(BookingWish wish, BookingPrice price) => BookingRules.RefuseStanding(wish.Member, wish.Time.Start, price.Fee);
}
