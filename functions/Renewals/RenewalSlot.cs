using System.IO.Hashing;
using System.Text;

namespace Flex.Renewals;

/// <summary>
/// When in the day a membership is charged: one minute between 00:01 and 23:59 local time, the same for its whole life.
/// Spreads a day's renewals evenly over the day and keeps them off midnight.
/// </summary>
public static class RenewalSlot
{
    private const int Minutes = (24 * 60) - 1;

    /// <summary>Minute of the local day, 1 to 1439. The hash is part of the stored contract: changing it would move every member's time.</summary>
    public static int MinuteOf(MembershipId id) => 1 + (int)(XxHash64.HashToUInt64(Encoding.ASCII.GetBytes(id.Value)) % Minutes);
}
