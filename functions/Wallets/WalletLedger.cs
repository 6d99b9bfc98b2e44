using Flex.Catalogue;
using Flex.Platform.Mail;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.Wallets;

/// <param name="Revision">Grows with every change of the booking; the first is 1.</param>
public sealed record DrawRequest(BookingId BookingId, long Revision, ResourceId ResourceId, RatedTime Rated)
{
    /// <summary>Has the last word on the price before anything is taken; null: every price will do.</summary>
    public Func<BookingPrice, Error?>? Refuse { get; init; }

    /// <summary>
    /// The price that a booking keeps when its change is refused, with what it has taken. The refusal is then on record: the same
    /// revision is refused for ever after, whoever asks, and the one after it is used up.
    /// </summary>
    public BookingPrice? Keeps { get; init; }
}

public enum DrawMode
{
    /// <summary>One refusal refuses all.</summary>
    AllOrNothing,

    /// <summary>Refused bookings are left out.</summary>
    Each,
}

/// <summary>Takes from wallets what bookings use and returns it, once per booking and revision whatever is repeated.</summary>
public sealed class WalletLedger(WalletStore wallets, SettingsStore settings, TimeProvider time)
{
    /// <summary>A commit holds 100 rows: the wallet, a mail, and one row for each booking.</summary>
    public const int MaxBookings = 90;

    /// <summary>Each lost round means that somebody else's taking or return went through.</summary>
    private const int MaxRounds = 100;

    private static readonly Dictionary<BookingId, Stored<Draw>> NoDraws = [];

    /// <summary>
    /// Prices the bookings in order, each against what the ones before it left, and commits all takings in one commit. What a booking had
    /// taken before (an edit) is returned first. Idempotent by booking and revision: a repeat answers the stored price. A released
    /// booking, or one that drew with a later revision, is refused with <c>invalid_transition</c>. One storage call for first revisions
    /// and a known wallet, else two; more when others write at the same time.
    /// </summary>
    /// <param name="known">The wallet just read, or null; an outdated one is read again and everything decided again.</param>
    public async Task<IReadOnlyList<Result<BookingPrice>>> DrawAsync(
        MemberTerms terms, StoredWallet? known, IReadOnlyList<DrawRequest> requests, DrawMode mode, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfZero(requests.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(requests.Count, MaxBookings);
        bool passesEnabled = (await settings.GetOperatorAsync(cancellation)).BookingPassesEnabled;
        if (known is not null && requests.All(r => r.Revision == 1))
        {
            // As if none of them had drawn before. Where one had, its row refuses the commit; and a refusal counts only when that is known.
            DrawPlan first = DrawPlan.Of(terms, known.Wallet, NoDraws, requests, mode, passesEnabled);
            if (!first.Answers.Any(a => a.IsError) && await TryCommitAsync(terms, known, NoDraws, first, cancellation))
            {
                return first.Answers;
            }
        }

        for (int round = 0; round < MaxRounds; round++)
        {
            (StoredWallet wallet, IReadOnlyDictionary<BookingId, Stored<Draw>> draws) =
                await wallets.ReadAsync(terms.Member.Id, requests.Select(r => r.BookingId), cancellation);
            DrawPlan plan = DrawPlan.Of(terms, wallet.Wallet, draws, requests, mode, passesEnabled);
            if (plan.Draws.Count == 0 || await TryCommitAsync(terms, wallet, draws, plan, cancellation))
            {
                return plan.Answers;
            }
        }

        throw new TransientFaultException($"The wallet of {terms.Member.Id} keeps changing.");
    }

    /// <summary>What <see cref="DrawAsync"/> would answer to each; nothing is taken. One storage call.</summary>
    public async Task<IReadOnlyList<Result<BookingPrice>>> PreviewAsync(
        MemberTerms terms, IReadOnlyList<DrawRequest> requests, CancellationToken cancellation)
    {
        bool passesEnabled = (await settings.GetOperatorAsync(cancellation)).BookingPassesEnabled;
        (StoredWallet wallet, IReadOnlyDictionary<BookingId, Stored<Draw>> draws) =
            await wallets.ReadAsync(terms.Member.Id, requests.Select(r => r.BookingId), cancellation);
        return DrawPlan.Of(terms, wallet.Wallet, draws, requests, DrawMode.Each, passesEnabled).Answers;
    }

    /// <summary>
    /// Returns all that the bookings have taken to where it came from, and marks them, also those that have not drawn yet, so that a late
    /// draw is refused. Repeats change nothing. One read, one commit.
    /// </summary>
    public async Task ReleaseAsync(MemberId member, IReadOnlyList<BookingId> bookings, CancellationToken cancellation)
    {
        foreach (BookingId[] some in bookings.Distinct().Chunk(MaxBookings))
        {
            await ReleaseSomeAsync(member, some, cancellation);
        }
    }

    private async Task ReleaseSomeAsync(MemberId member, IReadOnlyList<BookingId> bookings, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            (StoredWallet wallet, IReadOnlyDictionary<BookingId, Stored<Draw>> draws) = await wallets.ReadAsync(member, bookings, cancellation);
            BookingId[] open = [.. bookings.Where(b => draws.GetValueOrDefault(b) is not { Value.Price: null })];
            if (open.Length == 0)
            {
                return;
            }

            Wallet after = wallet.Wallet;
            TableBatch batch = WalletStore.Batch(member);
            foreach (BookingId booking in open)
            {
                Stored<Draw>? draw = draws.GetValueOrDefault(booking);
                after = after.Return(draw?.Value.Price?.Takings ?? []);
                WalletStore.Put(batch, new Draw(booking, draw?.Value.Revision ?? 0, null), draw?.ETag);
            }

            WalletStore.Put(batch, after.Prune(time.Now()), wallet.ETag);
            if (await wallets.TryCommitAsync(batch, cancellation))
            {
                return;
            }
        }

        throw new TransientFaultException($"The wallet of {member} keeps changing.");
    }

    private async Task<bool> TryCommitAsync(
        MemberTerms terms, StoredWallet wallet, IReadOnlyDictionary<BookingId, Stored<Draw>> draws, DrawPlan plan, CancellationToken cancellation)
    {
        TableBatch batch = WalletStore.Put(WalletStore.Batch(terms.Member.Id), plan.Wallet.Prune(time.Now()), wallet.ETag);
        foreach (Draw draw in plan.Draws)
        {
            WalletStore.Put(batch, draw, draws.GetValueOrDefault(draw.BookingId)?.ETag);
        }

        if (plan.RanOut is { } last)
        {
            batch.Send(WalletMail.OfLastMinutes(terms.Member, last).ToMessage());
        }

        return await wallets.TryCommitAsync(batch, cancellation);
    }
}
