using Azure;
using Azure.Data.Tables;

namespace Flex.Platform.Tables;

/// <summary>
/// How a row's document lies in an entity: cut into the string columns <c>Data0</c>, <c>Data1</c>…, because one column
/// holds at most 32 Ki characters, plus <c>CommitId</c>, the commit that wrote it.
/// </summary>
internal static class TableDocument
{
    public const string CommitId = "CommitId";

    // The most columns a row has: one more than a full document needs, because a cut may fall short to keep a pair together.
    private static readonly string[] Columns = [.. Enumerable.Range(0, (TableLimits.MaxDataChars / TableLimits.MaxColumnChars) + 1).Select(i => "Data" + i)];

    public static TableEntity ToEntity(string partition, TableOperation operation, string commitId)
    {
        var entity = new TableEntity(partition, operation.Key) { [CommitId] = commitId };
        ReadOnlySpan<char> rest = operation.Data;
        for (int column = 0; column == 0 || rest.Length > 0; column++)
        {
            int length = Math.Min(rest.Length, TableLimits.MaxColumnChars);
            if (length < rest.Length && char.IsHighSurrogate(rest[length - 1]))
            {
                length--;
            }

            entity[Columns[column]] = rest[..length].ToString();
            rest = rest[length..];
        }

        return entity;
    }

    public static TableRow ToRow(TableEntity entity)
    {
        string first = entity.GetString(Columns[0]) ?? throw new DefectException($"Row '{entity.RowKey}' has no document.");
        string data = entity.ContainsKey(Columns[1])
            ? string.Concat(Columns.Select(entity.GetString))
            : first;
        return new TableRow(entity.PartitionKey, entity.RowKey, data, entity.ETag.ToString());
    }

    /// <summary>The OData filter of a range of one partition.</summary>
    public static string Filter(string partition, RowRange range)
    {
        string filter = $"PartitionKey eq '{Quote(partition)}'";
        if (range.From.EndsWith(RowRange.AfterMark))
        {
            // No key has control characters, so "from this key and the smallest character" is the same as "greater than this
            // key", and keeps control characters out of the address.
            filter += $" and RowKey gt '{Quote(range.From[..^1])}'";
        }
        else if (range.From.Length > 0)
        {
            filter += $" and RowKey ge '{Quote(range.From)}'";
        }

        return range.Until is null ? filter : filter + $" and RowKey lt '{Quote(range.Until)}'";
    }

    private static string Quote(string text) => text.Replace("'", "''", StringComparison.Ordinal);
}
