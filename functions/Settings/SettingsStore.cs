using Flex.Platform;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Settings;

/// <summary>
/// The operator's settings, locations and tax rates: table <c>settings</c>, one partition <c>operator</c>, a few hundred rows at
/// most. Keys: <c>D|operator</c>, <c>D|location|{id}</c>, <c>D|tax|{id}</c>, <c>K|</c> idempotency.
/// What other features ask (Get…, Find…, List…) is answered from a snapshot: no storage call while it is younger than
/// <see cref="Staleness"/>; a change made by another process may be unseen for that long, a new row never (a miss is looked up again).
/// What is about to be changed (Read…) always comes from storage.
/// </summary>
public sealed class SettingsStore(ITableStore tables, TimeProvider time) : IDisposable
{
    public const string Table = "settings";
    public const string Partition = "operator";

    /// <summary>How long another process's change may stay unseen.</summary>
    public static readonly Duration Staleness = Duration.FromSeconds(30);

    private const string OperatorKey = "D|operator";
    private const string LocationPrefix = "D|location|";
    private const string TaxPrefix = "D|tax|";

    private readonly SnapshotCache<Snapshot> _cache = new(time, Staleness, cancellation => LoadAsync(tables, cancellation));

    public async Task<OperatorSettings> GetOperatorAsync(CancellationToken cancellation) => (await _cache.GetAsync(cancellation)).Operator;

    public Task<Location?> FindLocationAsync(LocationId id, CancellationToken cancellation) =>
        FindAsync(s => s.Locations.GetValueOrDefault(id), cancellation);

    /// <summary>The location that something stored refers to, which therefore exists: locations are never deleted.</summary>
    public async Task<Location> LocationAsync(LocationId id, CancellationToken cancellation) =>
        await FindLocationAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");

    /// <summary>All locations in the order of their creation.</summary>
    public async Task<IReadOnlyList<Location>> ListLocationsAsync(CancellationToken cancellation) =>
        [.. (await _cache.GetAsync(cancellation)).Locations.Values.OrderBy(l => l.Id.Value, StringComparer.Ordinal)];

    public Task<TaxRate?> FindTaxRateAsync(TaxRateId id, CancellationToken cancellation) =>
        FindAsync(s => s.TaxRates.GetValueOrDefault(id), cancellation);

    /// <summary>The stored settings; without an ETag as long as nobody has saved any.</summary>
    public async Task<(OperatorSettings Settings, string? ETag)> ReadOperatorAsync(CancellationToken cancellation) =>
        await tables.FindAsync(Table, Partition, OperatorKey, cancellation) is { } row
            ? (row.As<OperatorSettings>(), row.ETag)
            : (OperatorSettings.Initial, null);

    public async Task<Stored<Location>?> ReadLocationAsync(LocationId id, CancellationToken cancellation) =>
        Stored<Location>.From(await tables.FindAsync(Table, Partition, LocationPrefix + id, cancellation));

    public async Task<TaxRate?> ReadTaxRateAsync(TaxRateId id, CancellationToken cancellation) =>
        (await tables.FindAsync(Table, Partition, TaxPrefix + id, cancellation))?.As<TaxRate>();

    /// <summary>At most <paramref name="limit"/> locations with ids after <paramref name="after"/> (null: from the first).</summary>
    public Task<IReadOnlyList<Location>> PageLocationsAsync(string? after, int limit, CancellationToken cancellation) =>
        PageAsync<Location>(LocationPrefix, after, limit, cancellation);

    public Task<IReadOnlyList<TaxRate>> PageTaxRatesAsync(string? after, int limit, CancellationToken cancellation) =>
        PageAsync<TaxRate>(TaxPrefix, after, limit, cancellation);

    public static TableBatch Save(OperatorSettings settings, string? etag) => Batch().Put(OperatorKey, settings, etag);

    public static TableBatch Insert(Location location) => Batch().Insert(LocationPrefix + location.Id, location);

    public static TableBatch Replace(Location location, string etag) => Batch().Replace(LocationPrefix + location.Id, location, etag);

    public static TableBatch Insert(TaxRate rate) => Batch().Insert(TaxPrefix + rate.Id, rate);

    /// <summary>Commits a batch of this store together with the answer to the request, and forgets the snapshot whatever the outcome.</summary>
    public async Task<Reply<T>> CommitAsync<T>(TableBatch batch, RequestContext context, T answer, CancellationToken cancellation)
    {
        try
        {
            CommitResult result = await tables.CommitAsync(batch.Remember(context, answer, time.Now()), cancellation);
            return await tables.ReplyAsync(batch, result, context, answer, cancellation);
        }
        finally
        {
            _cache.Invalidate();
        }
    }

    /// <summary>The answer of the first request with this Idempotency-Key, or else the refusal.</summary>
    public Task<Reply<T>> ReplayOrAsync<T>(RequestContext context, Error refusal, CancellationToken cancellation) =>
        tables.ReplayOrAsync<T>(Table, Partition, context, refusal, cancellation);

    public void Dispose() => _cache.Dispose();

    private static TableBatch Batch() => new(Table, Partition);

    private static async Task<Snapshot> LoadAsync(ITableStore tables, CancellationToken cancellation)
    {
        OperatorSettings settings = OperatorSettings.Initial;
        var locations = new Dictionary<LocationId, Location>();
        var taxRates = new Dictionary<TaxRateId, TaxRate>();
        await foreach (TableRow row in tables.ReadAllAsync(Table, Partition, RowRange.Prefix("D|"), cancellation))
        {
            if (row.Key == OperatorKey)
            {
                settings = row.As<OperatorSettings>();
            }
            else if (row.Key.StartsWith(LocationPrefix, StringComparison.Ordinal))
            {
                Location location = row.As<Location>();
                locations.Add(location.Id, location);
            }
            else
            {
                TaxRate rate = row.As<TaxRate>();
                taxRates.Add(rate.Id, rate);
            }
        }

        return new Snapshot(settings, locations, taxRates);
    }

    private async Task<T?> FindAsync<T>(Func<Snapshot, T?> find, CancellationToken cancellation)
        where T : class
    {
        Snapshot snapshot = await _cache.GetAsync(cancellation);
        return find(snapshot) ?? find(await _cache.NewerThanAsync(snapshot, cancellation));
    }

    private async Task<IReadOnlyList<T>> PageAsync<T>(string prefix, string? after, int limit, CancellationToken cancellation)
    {
        RowRange range = RowRange.Prefix(prefix);
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            Table, Partition, after is null ? range : range.After(prefix + after), limit, cancellation);
        return [.. rows.Select(r => r.As<T>())];
    }

    private sealed record Snapshot(
        OperatorSettings Operator, IReadOnlyDictionary<LocationId, Location> Locations, IReadOnlyDictionary<TaxRateId, TaxRate> TaxRates);
}
