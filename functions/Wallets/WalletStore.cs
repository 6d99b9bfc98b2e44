using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Wallets;

/// <summary>
/// Wallets: table <c>wallets</c>, partition the member's id. Keys: <c>W</c> the wallet, whose version serialises everything that is taken,
/// returned or given; <c>V|{bookingId}</c> what a booking has taken, next to it so that one range read gets both; <c>P|{invoiceId}</c>
/// a purchase of passes; <c>K|</c> idempotency; <c>O|</c> outbox.
/// </summary>
public sealed class WalletStore(ITableStore tables, Committer committer)
{
    public const string Table = "wallets";

    private const string WalletKey = "W";
    private const string DrawPrefix = "V|";
    private const string PurchasePrefix = "P|";

    /// <summary>One point read.</summary>
    public async Task<StoredWallet> ReadAsync(MemberId member, CancellationToken cancellation) =>
        Stored(await tables.FindAsync(Table, member.Value, WalletKey, cancellation));

    /// <summary>
    /// The wallet and what the bookings have taken. One range read, from the first of the bookings to the wallet: what lies between are the
    /// member's later bookings, so it is a second one only where there are 1,000 of them.
    /// </summary>
    public async Task<(StoredWallet Wallet, IReadOnlyDictionary<BookingId, Stored<Draw>> Draws)> ReadAsync(
        MemberId member, IEnumerable<BookingId> bookings, CancellationToken cancellation)
    {
        HashSet<string> wanted = [.. bookings.Select(DrawKey)];
        var range = new RowRange(wanted.Min(StringComparer.Ordinal)!, RowRange.Prefix(WalletKey).Until);
        TableRow? wallet = null;
        var draws = new Dictionary<BookingId, Stored<Draw>>();
        await foreach (TableRow row in tables.ReadAllAsync(Table, member.Value, range, cancellation))
        {
            if (row.Key == WalletKey)
            {
                wallet = row;
            }
            else if (wanted.Contains(row.Key))
            {
                Draw draw = row.As<Draw>();
                draws.Add(draw.BookingId, new Stored<Draw>(draw, row.ETag));
            }
        }

        return (Stored(wallet), draws);
    }

    public async Task<Stored<PassPurchase>?> ReadPurchaseAsync(MemberId member, InvoiceId invoice, CancellationToken cancellation) =>
        Stored<PassPurchase>.From(await tables.FindAsync(Table, member.Value, PurchasePrefix + invoice, cancellation));

    public static TableBatch Batch(MemberId member) => new(Table, member.Value);

    public static TableBatch Put(TableBatch batch, Wallet wallet, string? etag) => batch.Put(WalletKey, wallet, etag);

    public static TableBatch Put(TableBatch batch, Draw draw, string? etag) => batch.Put(DrawKey(draw.BookingId), draw, etag);

    public static TableBatch Put(TableBatch batch, PassPurchase purchase, string? etag) => batch.Put(PurchasePrefix + purchase.InvoiceId, purchase, etag);

    /// <summary>False when somebody else was faster: read and decide again.</summary>
    public async Task<bool> TryCommitAsync(TableBatch batch, CancellationToken cancellation)
    {
        CommitResult result = await committer.CommitAsync(batch, cancellation);
        if (IsRace(result))
        {
            return false;
        }

        result.Require();
        return true;
    }

    /// <summary>Commits the batch together with the answer to the request; null when somebody else was faster.</summary>
    public async Task<Reply<T>?> TryCommitAsync<T>(TableBatch batch, RequestContext context, T answer, Instant now, CancellationToken cancellation)
    {
        CommitResult result = await committer.CommitAsync(batch.Remember(context, answer, now), cancellation);
        return IsRace(result) ? null : await tables.ReplyAsync(batch, result, context, answer, cancellation);
    }

    /// <summary>The answer of the first request with this Idempotency-Key, or else the refusal.</summary>
    public Task<Reply<T>> ReplayOrAsync<T>(MemberId member, RequestContext context, Error refusal, CancellationToken cancellation) =>
        tables.ReplayOrAsync<T>(Table, member.Value, context, refusal, cancellation);

    private static StoredWallet Stored(TableRow? row) => row is null ? new StoredWallet(Wallet.Empty, null) : new StoredWallet(row.As<Wallet>(), row.ETag);

    private static bool IsRace(CommitResult result) =>
        result.Kind == CommitKind.Stale || result.IsDuplicateOf(WalletKey) || result.IsDuplicateOf(DrawPrefix) || result.IsDuplicateOf(PurchasePrefix);

    private static string DrawKey(BookingId id) => DrawPrefix + id;
}

/// <summary>A wallet as it was read; without an ETag as long as nothing was ever taken or given.</summary>
public sealed record StoredWallet(Wallet Wallet, string? ETag);

/// <summary>What a booking has taken and what it costs.</summary>
/// <param name="Revision">Of the booking, when it drew.</param>
/// <param name="Price">Null: it was released, and draws no more.</param>
public sealed record Draw(BookingId BookingId, long Revision, BookingPrice? Price);
