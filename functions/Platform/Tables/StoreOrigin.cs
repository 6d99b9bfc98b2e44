using NodaTime;

namespace Flex.Platform.Tables;

/// <summary>What a restore writes down in the store it makes. The table is the restore's own and is not exported.</summary>
/// <param name="ExportStartedAt">Whatever was committed before is in the store.</param>
/// <param name="CompletedAt">Null while rows may be missing.</param>
public sealed record RestoreMark(string Export, Instant ExportStartedAt, Instant ExportCompletedAt, Instant StartedAt, Instant? CompletedAt)
{
    public const string Table = "restores";
    public const string Partition = "mark";
    public const string Key = "restore";
}

/// <summary>
/// Whether this store was restored from an export, so that others may know of things that were done through Flex and that the store
/// has lost. Read once per process, because a store is restored while no app runs on it.
/// </summary>
public sealed class StoreOrigin(ITableStore tables, TimeProvider time)
{
    /// <summary>Longer than anything that was due before a restore takes to be done again: a renewal's ladder ends after seven days.</summary>
    public static readonly Duration Caution = Duration.FromDays(30);

    private readonly OnFirstUse<RestoreMark?> _mark =
        new(async (table, cancellation) => (await tables.FindAsync(table, RestoreMark.Partition, RestoreMark.Key, cancellation))?.As<RestoreMark>());

    /// <summary>Since when something may be lost; null for a store that was not restored within <see cref="Caution"/>.</summary>
    public async Task<Instant?> LostSinceAsync(CancellationToken cancellation) =>
        await _mark.GetAsync(RestoreMark.Table, cancellation) is { } mark && time.Now() < (mark.CompletedAt ?? mark.StartedAt) + Caution
            ? mark.ExportStartedAt
            : null;
}
