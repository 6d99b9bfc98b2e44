namespace Flex.Platform.Tables;

/// <summary>
/// Limits of Azure Table storage that the emulator does not enforce, so our own types do.
/// Source: learn.microsoft.com/azure/storage/tables/scalability-targets and .../rest/api/storageservices/performing-entity-group-transactions
/// </summary>
public static class TableLimits
{
    public const int MaxOperations = 100;
    public const int MaxPage = 1000;

    /// <summary>A key is at most 1 KiB (512 UTF-16 characters).</summary>
    public const int MaxKeyChars = 512;

    /// <summary>A string property is at most 64 KiB, that is 32 Ki UTF-16 characters; documents are cut into such columns.</summary>
    public const int MaxColumnChars = 32_000;

    /// <summary>A row is at most 1 MiB; 14 full columns and the keys stay below it.</summary>
    public const int MaxDataChars = MaxColumnChars * 14;

    /// <summary>A transaction's body is at most 4 MiB. UTF-8 JSON of the rows plus 2 KiB of framing each must stay below.</summary>
    public const int MaxBatchBytes = 4 * 1024 * 1024;
}
