namespace Flex.Platform.Tables;

/// <summary>A document as it was read, with the version that a write of it must name.</summary>
public sealed record Stored<T>(T Value, string ETag)
{
    public static Stored<T>? From(TableRow? row) => row is null ? null : new Stored<T>(row.As<T>(), row.ETag);
}
