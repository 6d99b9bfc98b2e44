namespace Flex.Platform.Tables;

/// <summary>A document together with the version that was read, so that it can be replaced if nobody else did.</summary>
public sealed record Stored<T>(T Value, string ETag)
{
    public static Stored<T>? From(TableRow? row) => row is null ? null : new Stored<T>(row.As<T>(), row.ETag);
}
