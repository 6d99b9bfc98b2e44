using Flex.Bookings;
using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.Local.Audit;

/// <summary>What is used of wallets is what bookings have taken, never more than was given, and no booking takes twice.</summary>
internal static class WalletAudit
{
    /// <summary>What holds between any two commits of the wallets' table.</summary>
    /// <param name="plans">The plan that a membership keeps; null is not known.</param>
    public static IEnumerable<Finding> Check(
        IEnumerable<TableRow> rows, IReadOnlyDictionary<BookingId, Booking> bookings, Func<MembershipId, Plan?> plans, Instant now) =>
        rows.GroupBy(r => r.Partition).SelectMany(member => CheckMember(member.Key, [.. member], bookings, plans, now));

    /// <summary>Of a world at rest: bookings that stand, and only they, have taken what they say.</summary>
    public static IEnumerable<Finding> CheckAtRest(IEnumerable<TableRow> rows, IReadOnlyDictionary<BookingId, Booking> bookings)
    {
        Dictionary<BookingId, (string Member, Draw Draw)> drawn = rows.Where(IsDraw)
            .Select(r => (r.Partition, Draw: r.As<Draw>()))
            .ToDictionary(d => d.Draw.BookingId);
        foreach ((string member, Draw draw) in drawn.Values.Where(d => d.Draw.Price is { Takings.Count: > 0 }))
        {
            Booking? booking = bookings.GetValueOrDefault(draw.BookingId);
            if (booking is null || !BookingAudit.Stands(booking) || booking.MemberId.Value != member)
            {
                yield return new Finding("draw", $"{member} has paid for {draw.BookingId}, which is {booking?.State.ToString() ?? "unknown"}.");
            }
        }

        foreach (Booking booking in bookings.Values.Where(b => BookingAudit.Stands(b) && b.Accounting is not (BookingAccounting.Waived or BookingAccounting.NeedsAttention)))
        {
            IReadOnlyList<Taking> taken = drawn.GetValueOrDefault(booking.Id).Draw?.Price?.Takings ?? [];
            if (!taken.SequenceEqual(booking.Price.Takings))
            {
                yield return new Finding("draw", $"{booking.Id} is paid from {Text(booking.Price.Takings)}; it has taken {Text(taken)}.");
            }
        }
    }

    private static IEnumerable<Finding> CheckMember(
        string member, TableRow[] rows, IReadOnlyDictionary<BookingId, Booking> bookings, Func<MembershipId, Plan?> plans, Instant now)
    {
        Wallet wallet = rows.FirstOrDefault(r => r.Key == "W")?.As<Wallet>() ?? Wallet.Empty;
        Draw[] draws = [.. rows.Where(IsDraw).Select(r => r.As<Draw>())];
        foreach (Draw draw in draws.Where(d => d.Price is not null && !bookings.ContainsKey(d.BookingId)))
        {
            yield return new Finding("draw", $"{draw.BookingId} has drawn on the wallet of {member} and does not exist.");
        }

        Dictionary<string, Source> sources = Sources(wallet, plans).ToDictionary(s => s.Name, StringComparer.Ordinal);
        ILookup<string, (BookingId Booking, Taking Taking)> taken = draws
            .SelectMany(d => (d.Price?.Takings ?? []).Select(t => (d.BookingId, t)))
            .ToLookup(t => t.t.Source, StringComparer.Ordinal);
        foreach (string name in sources.Keys.Union(taken.Select(t => t.Key), StringComparer.Ordinal))
        {
            (int minutes, long amount) = (taken[name].Sum(t => t.Taking.Minutes), taken[name].Sum(t => t.Taking.Amount?.Minor ?? 0));
            if (!sources.TryGetValue(name, out Source? source))
            {
                bool isPruned = taken[name].All(t => bookings.GetValueOrDefault(t.Booking)?.Start < now - Wallet.Retention);
                if (!isPruned)
                {
                    yield return new Finding("wallet", $"{member} has nothing called {name}; bookings have taken {minutes} minutes and {amount} from it.");
                }
            }
            else if ((source.UsedMinutes, source.UsedAmount) != (minutes, amount))
            {
                yield return new Finding(
                    "wallet", $"{member} has used {source.UsedMinutes} minutes and {source.UsedAmount} of {name}; bookings have taken {minutes} and {amount}.");
            }
            else if (minutes < 0 || amount < 0 || minutes > source.Minutes || amount > source.Amount)
            {
                yield return new Finding("wallet", $"{member} has used {minutes} minutes and {amount} of {name}, which holds {source.Minutes} and {source.Amount}.");
            }
        }
    }

    private static IEnumerable<Source> Sources(Wallet wallet, Func<MembershipId, Plan?> plans)
    {
        foreach (CreditUse use in wallet.Used)
        {
            string[] parts = use.Source.Split('|');
            PlanCredit? credit = plans(EntityId.Parse<MembershipId>(parts[0]))?.Credits.FirstOrDefault(c => c.Name == string.Join('|', parts[1..^1]));
            (int minutes, long amount) = credit is null ? (int.MaxValue, long.MaxValue) : (credit.Minutes ?? 0, credit.Amount?.Minor ?? 0);
            yield return new Source(use.Source, minutes, amount, use.Minutes, use.Amount?.Minor ?? 0);
        }

        foreach (CreditGrant grant in wallet.Grants)
        {
            yield return new Source(grant.Id.Value, grant.Minutes ?? 0, grant.Amount?.Minor ?? 0, grant.UsedMinutes, grant.UsedAmount?.Minor ?? 0);
        }

        foreach (BookingPass pass in wallet.Passes)
        {
            yield return new Source(pass.Id.Value, pass.Minutes, 0, pass.UsedMinutes, 0);
        }
    }

    private static bool IsDraw(TableRow row) => row.Key.StartsWith("V|", StringComparison.Ordinal);

    private static string Text(IEnumerable<Taking> takings) => $"[{string.Join(", ", takings)}]";

    /// <summary>A credit, grant or pass: what it holds and what is used of it. Amounts in minor units.</summary>
    private sealed record Source(string Name, int Minutes, long Amount, int UsedMinutes, long UsedAmount);
}
