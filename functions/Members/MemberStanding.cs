using NodaTime;

namespace Flex.Members;

/// <summary>What a member is, derived from their memberships.</summary>
public enum MemberStatus
{
    /// <summary>Never had a paid membership.</summary>
    Contact,
    Active,

    /// <summary>At least one membership is behind with its payment.</summary>
    Delinquent,

    /// <summary>Had a paid membership and has none now.</summary>
    Former,
}

/// <summary>A member's standing: a copy of what the memberships say. Pure.</summary>
public static class MemberStanding
{
    /// <summary>
    /// The member with the news; the same member when the membership's version is not newer than the one known, so that late and
    /// repeated messages change nothing.
    /// </summary>
    public static Member Apply(Member member, MembershipStanding news)
    {
        if (member.Standing.Any(s => s.MembershipId == news.MembershipId && s.Version >= news.Version))
        {
            return member;
        }

        return member with
        {
            Standing =
            [
                .. member.Standing.Where(s => s.MembershipId != news.MembershipId).Append(news)
                    .OrderBy(s => s.MembershipId.Value, StringComparer.Ordinal),
            ],
            Version = member.Version + 1,
        };
    }

    /// <summary>A paid membership that has begun and not ended: it may be behind with its payment or about to end.</summary>
    public static bool IsPaid(MembershipStanding standing) => !standing.IsDefault
        && standing.Status is MembershipStatus.Active or MembershipStatus.Delinquent or MembershipStatus.PendingCancellation;

    public static bool HasPaid(Member member) => member.Standing.Any(IsPaid);

    /// <summary>A member who has no paid membership left and lost one by downgrade.</summary>
    public static bool IsDowngraded(Member member) =>
        !HasPaid(member) && member.Standing.Any(s => !s.IsDefault && s.Status == MembershipStatus.Downgraded);

    /// <summary>True when the news took the member's last paid membership away by downgrade.</summary>
    public static bool HasLostLast(Member before, Member after, MembershipStanding news) =>
        news.Status == MembershipStatus.Downgraded && !ReferenceEquals(before, after) && !HasPaid(after);

    public static MemberStatus StatusOf(IReadOnlyList<MembershipStanding> standing)
    {
        if (standing.Any(s => !s.IsDefault && s.Status == MembershipStatus.Delinquent))
        {
            return MemberStatus.Delinquent;
        }

        if (standing.Any(IsPaid))
        {
            return MemberStatus.Active;
        }

        return standing.Any(s => !s.IsDefault && s.Status is MembershipStatus.Downgraded or MembershipStatus.Ended)
            ? MemberStatus.Former
            : MemberStatus.Contact;
    }
}

/// <summary>
/// Fact: the member's last paid membership was downgraded, and the member's record says so. Queue <c>bookings</c>: whoever lets
/// members do things by their standing can now undo what slipped in before.
/// </summary>
public sealed record MemberDowngraded(MemberId MemberId, Instant At)
{
    public const string Subject = "member.downgraded.v1";
}
