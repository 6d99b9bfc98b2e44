namespace Flex.Wallets;

/// <summary>
/// What one member can draw on for one resource at one time: the credits of the cycle that the start lies in, and the passes.
/// </summary>
/// <param name="Credits">Those that cover the resource, in the order of use: fewest resources first, then oldest.</param>
/// <param name="PassesActivated">The plan offers passes for any resource.</param>
/// <param name="PassesOffered">The plan offers passes for this resource.</param>
/// <param name="Passes">Passes the member owns that cover the resource and have minutes left, oldest first.</param>
public sealed record Allowance(IReadOnlyList<CreditBalance> Credits, bool PassesActivated, bool PassesOffered, IReadOnlyList<PassBalance> Passes)
{
    public static Allowance None { get; } = new([], false, false, []);

    /// <summary>Where the member buys passes: an address of this API; null is not known.</summary>
    public string? PurchaseLink { get; init; }

    /// <summary>Nothing of the wallet can matter: it need not be read and is not changed.</summary>
    public bool IsEmpty => Credits.Count == 0 && !PassesActivated && Passes.Count == 0;
}

/// <summary>A credit as it stands: either minutes or an amount.</summary>
/// <param name="Source">Names credit and cycle; see <see cref="Taking"/>.</param>
public sealed record CreditBalance(string Source, int? MinutesLeft, Money? AmountLeft, Money? PricePerHour);

public sealed record PassBalance(BookingPassId PassId, int MinutesLeft);

/// <summary>What a booking has taken from one credit or pass.</summary>
/// <param name="Source"><c>{membershipId}|{credit name}|{cycle start yyyyMMdd}</c>, <c>{grantId}</c> or <c>{passId}</c>.</param>
public sealed record Taking(string Source, int Minutes, Money? Amount);

/// <summary>
/// What a booking costs and what pays for it. All amounts are net. Regular = Discount + money credit + Fee, and what the minutes
/// taken would have cost is in none of them.
/// </summary>
/// <param name="Regular">The regular price of the minutes that no credit and no pass covers.</param>
/// <param name="Discount">Regular price minus the plan's price per hour for them.</param>
/// <param name="MoneyCredit">Paid from credits in money.</param>
/// <param name="Fee">What is charged.</param>
public sealed record BookingPrice(
    Money Regular, Money Discount, Money MoneyCredit, Money Fee, int CreditMinutes, int PassMinutes, IReadOnlyList<Taking> Takings)
{
    public static BookingPrice Free(Currency currency) => Plain(Money.Zero(currency));

    /// <summary>A regular price and nothing else.</summary>
    public static BookingPrice Plain(Money fee) => new(fee, Money.Zero(fee.Currency), Money.Zero(fee.Currency), fee, 0, 0, []);
}
