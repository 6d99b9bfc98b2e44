namespace Flex.Platform.Tables;

/// <summary>
/// What can be a key or a table's name. Source: learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model.
/// We never use empty keys although the service has them.
/// </summary>
public static class TableKeys
{
    /// <summary>1 to 512 characters without / \ # ? and control characters. No row has another key, so looking for one finds nothing.</summary>
    public static bool IsValid(string key) =>
        key.Length is > 0 and <= TableLimits.MaxKeyChars
        && !key.AsSpan().ContainsAny("/\\#?")
        && !key.Any(char.IsControl);

    /// <summary>3 to 63 letters and digits, the first a letter.</summary>
    public static bool IsTableName(string name) =>
        name.Length is >= 3 and <= 63 && char.IsAsciiLetter(name[0]) && name.All(char.IsAsciiLetterOrDigit);

    public static void Require(string key)
    {
        if (!IsValid(key))
        {
            throw new DefectException($"'{key}' is not a valid table key.");
        }
    }
}
