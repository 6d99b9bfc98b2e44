namespace Flex.Platform.Tables;

/// <summary>Row-key prefixes that have one meaning in every table; features add their own.</summary>
public static class RowKeys
{
    /// <summary>Outbox rows: messages committed and not yet known to be published.</summary>
    public const string Outbox = "O|";

    /// <summary>Inbox rows: ids of messages whose effect is in this partition.</summary>
    public const string Inbox = "M|";

    /// <summary>Idempotency rows: requests whose effect is in this partition, with their answer.</summary>
    public const string Idempotency = "K|";
}
