using Flex.Platform.Tables;

namespace Flex.CalendarFeeds;

/// <summary>
/// Calendar feeds: table <c>feeds</c>, one partition <c>feeds</c>, so that an old token goes in the commit that brings the new one.
/// Keys: <c>T|{token's hash}</c>, which is how a feed is found, and <c>S|{member or resource id}</c>, whose ETag serialises the
/// changes. Both hold the feed.
/// </summary>
public sealed class CalendarFeedStore(ITableStore tables)
{
    public const string Table = "feeds";
    public const string Partition = "feeds";

    private const string SubjectPrefix = "S|";
    private const string TokenPrefix = "T|";

    /// <summary>One point read.</summary>
    public async Task<CalendarFeed?> FindByHashAsync(string tokenHash, CancellationToken cancellation) =>
        (await tables.FindAsync(Table, Partition, TokenPrefix + tokenHash, cancellation))?.As<CalendarFeed>();

    /// <summary>One point read.</summary>
    public async Task<CalendarFeed?> FindAsync(string subject, CancellationToken cancellation) =>
        (await tables.FindAsync(Table, Partition, SubjectPrefix + subject, cancellation))?.As<CalendarFeed>();

    /// <summary>
    /// Puts the feed, or none, in the place of the one there is, whose token so stops working. False when another writer was faster.
    /// Two storage calls, three when there is one; none to write when there is none and shall be none.
    /// </summary>
    public async Task<bool> TryPutAsync(string subject, CalendarFeed? feed, CancellationToken cancellation)
    {
        TableRow? current = await tables.FindAsync(Table, Partition, SubjectPrefix + subject, cancellation);
        var batch = new TableBatch(Table, Partition);
        if (current is not null)
        {
            if (await tables.FindAsync(Table, Partition, TokenPrefix + current.As<CalendarFeed>().TokenHash, cancellation) is not { } token)
            {
                return false;
            }

            batch.Delete(token.Key, token.ETag);
        }

        if (feed is not null)
        {
            batch.Put(SubjectPrefix + subject, feed, current?.ETag).Insert(TokenPrefix + feed.TokenHash, feed);
        }
        else if (current is not null)
        {
            batch.Delete(current.Key, current.ETag);
        }
        else
        {
            return true;
        }

        CommitResult result = await tables.CommitAsync(batch, cancellation);
        if (result.Kind == CommitKind.Stale || result.IsDuplicateOf(SubjectPrefix))
        {
            return false;
        }

        result.Require();
        return true;
    }
}
