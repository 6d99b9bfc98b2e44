using System.Collections.Concurrent;
using System.Globalization;
using Flex.Platform;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Catalogue;

/// <summary>
/// Plans, resources and rates: table <c>catalogue</c>, one partition <c>catalogue</c>, a few thousand rows at most. Keys:
/// <c>D|plan|{id}</c>, <c>D|resource|{id}</c>, <c>D|rate|{id}</c>, <c>D|default|{locationId}</c> (which plan is the default; its
/// version serialises who moves the flag), <c>V|{planId}|{version}</c> a plan as it was, <c>K|</c> idempotency.
/// What other features ask (Find…, List…) is answered from a snapshot: no storage call while it is younger than
/// <see cref="Staleness"/>; a change made by another process may be unseen for that long, a new row never (a miss is looked up again).
/// What is about to be changed (Read…) always comes from storage.
/// </summary>
public sealed class CatalogueStore(ITableStore tables, TimeProvider time) : IDisposable
{
    public const string Table = "catalogue";
    public const string Partition = "catalogue";

    /// <summary>How long another process's change may stay unseen.</summary>
    public static readonly Duration Staleness = Duration.FromSeconds(30);

    /// <summary>A bound for memory; far more than memberships refer to.</summary>
    private const int MaxVersionsKept = 10_000;

    private const string PlanPrefix = "D|plan|";
    private const string ResourcePrefix = "D|resource|";
    private const string RatePrefix = "D|rate|";
    private const string DefaultPrefix = "D|default|";

    private readonly SnapshotCache<Snapshot> _cache = new(time, Staleness, cancellation => LoadAsync(tables, cancellation));
    private readonly ConcurrentDictionary<(PlanId Id, long Version), Plan> _versions = new();

    public Task<Plan?> FindPlanAsync(PlanId id, CancellationToken cancellation) => FindAsync(s => s.Plans.GetValueOrDefault(id), cancellation);

    /// <summary>The plan everyone at the location falls back to; null until staff have made one.</summary>
    public Task<Plan?> FindDefaultPlanAsync(LocationId location, CancellationToken cancellation) =>
        FindAsync(s => s.Plans.Values.SingleOrDefault(p => p.IsDefault && p.LocationId == location), cancellation);

    public Task<Resource?> FindResourceAsync(ResourceId id, CancellationToken cancellation) =>
        FindAsync(s => s.Resources.GetValueOrDefault(id), cancellation);

    /// <summary>A location's resources in the order of their ids.</summary>
    public async Task<IReadOnlyList<Resource>> ListResourcesAsync(LocationId location, CancellationToken cancellation) =>
        [.. (await _cache.GetAsync(cancellation)).Resources.Values.Where(r => r.LocationId == location).OrderBy(r => r.Id.Value, StringComparer.Ordinal)];

    public Task<Rate?> FindRateAsync(RateId id, CancellationToken cancellation) => FindAsync(s => s.Rates.GetValueOrDefault(id), cancellation);

    /// <summary>
    /// The plan as it was at a version. Versions never change: the current one comes from the snapshot, an earlier one by one point
    /// read and from then on from memory.
    /// </summary>
    public async Task<Plan?> FindPlanVersionAsync(PlanId id, long version, CancellationToken cancellation)
    {
        if (_versions.TryGetValue((id, version), out Plan? known))
        {
            return known;
        }

        if ((await _cache.GetAsync(cancellation)).Plans.GetValueOrDefault(id) is { } current && current.Version == version)
        {
            return current;
        }

        if ((await tables.FindAsync(Table, Partition, VersionKey(id, version), cancellation))?.As<Plan>() is not { } plan)
        {
            return null;
        }

        if (_versions.Count >= MaxVersionsKept)
        {
            _versions.Clear();
        }

        _versions[(id, version)] = plan;
        return plan;
    }

    public async Task<Stored<Plan>?> ReadPlanAsync(PlanId id, CancellationToken cancellation) =>
        Stored<Plan>.From(await tables.FindAsync(Table, Partition, PlanPrefix + id, cancellation));

    public async Task<Stored<Resource>?> ReadResourceAsync(ResourceId id, CancellationToken cancellation) =>
        Stored<Resource>.From(await tables.FindAsync(Table, Partition, ResourcePrefix + id, cancellation));

    public async Task<Stored<Rate>?> ReadRateAsync(RateId id, CancellationToken cancellation) =>
        Stored<Rate>.From(await tables.FindAsync(Table, Partition, RatePrefix + id, cancellation));

    public async Task<Stored<DefaultPlan>?> ReadDefaultAsync(LocationId location, CancellationToken cancellation) =>
        Stored<DefaultPlan>.From(await tables.FindAsync(Table, Partition, DefaultPrefix + location, cancellation));

    /// <summary>At most <paramref name="limit"/> plans that match, with ids after <paramref name="after"/> (null: from the first).</summary>
    public Task<IReadOnlyList<Plan>> PagePlansAsync(Func<Plan, bool> match, string? after, int limit, CancellationToken cancellation) =>
        PageAsync(PlanPrefix, match, after, limit, cancellation);

    public Task<IReadOnlyList<Resource>> PageResourcesAsync(Func<Resource, bool> match, string? after, int limit, CancellationToken cancellation) =>
        PageAsync(ResourcePrefix, match, after, limit, cancellation);

    public Task<IReadOnlyList<Rate>> PageRatesAsync(Func<Rate, bool> match, string? after, int limit, CancellationToken cancellation) =>
        PageAsync(RatePrefix, match, after, limit, cancellation);

    public static TableBatch Batch() => new(Table, Partition);

    /// <summary>Writes the plan and its snapshot.</summary>
    public static TableBatch Put(TableBatch batch, Plan plan, string? etag) =>
        batch.Put(PlanPrefix + plan.Id, plan, etag).Insert(VersionKey(plan.Id, plan.Version), plan);

    public static TableBatch Put(TableBatch batch, LocationId location, DefaultPlan plan, string? etag) => batch.Put(DefaultPrefix + location, plan, etag);

    public static TableBatch Put(TableBatch batch, Resource resource, string? etag) => batch.Put(ResourcePrefix + resource.Id, resource, etag);

    public static TableBatch Put(TableBatch batch, Rate rate, string? etag) => batch.Put(RatePrefix + rate.Id, rate, etag);

    /// <summary>Commits the batch together with the answer to the request, and forgets the snapshot whatever the outcome.</summary>
    public async Task<Reply<T>> CommitAsync<T>(TableBatch batch, RequestContext context, T answer, CancellationToken cancellation)
    {
        CommitResult result = await TryCommitAsync(batch.Remember(context, answer, time.Now()), cancellation);
        return await tables.ReplyAsync(batch, result, context, answer, cancellation);
    }

    /// <summary>As <see cref="CommitAsync{T}"/>; null when somebody else moved the default plan or changed a row meanwhile: decide again.</summary>
    public async Task<Reply<T>?> TryCommitAsync<T>(TableBatch batch, RequestContext context, T answer, CancellationToken cancellation)
    {
        CommitResult result = await TryCommitAsync(batch.Remember(context, answer, time.Now()), cancellation);
        return result.Kind == CommitKind.Stale || result.IsDuplicateOf(DefaultPrefix)
            ? null
            : await tables.ReplyAsync(batch, result, context, answer, cancellation);
    }

    /// <summary>The answer of the first request with this Idempotency-Key, or else the refusal.</summary>
    public Task<Reply<T>> ReplayOrAsync<T>(RequestContext context, Error refusal, CancellationToken cancellation) =>
        tables.ReplayOrAsync<T>(Table, Partition, context, refusal, cancellation);

    public void Dispose() => _cache.Dispose();

    private static string VersionKey(PlanId id, long version) => string.Create(CultureInfo.InvariantCulture, $"V|{id}|{version:D10}");

    private static async Task<Snapshot> LoadAsync(ITableStore tables, CancellationToken cancellation)
    {
        var plans = new Dictionary<PlanId, Plan>();
        var resources = new Dictionary<ResourceId, Resource>();
        var rates = new Dictionary<RateId, Rate>();
        await foreach (TableRow row in tables.ReadAllAsync(Table, Partition, RowRange.Prefix("D|"), cancellation))
        {
            if (row.Key.StartsWith(PlanPrefix, StringComparison.Ordinal))
            {
                Plan plan = row.As<Plan>();
                plans.Add(plan.Id, plan);
            }
            else if (row.Key.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            {
                Resource resource = row.As<Resource>();
                resources.Add(resource.Id, resource);
            }
            else if (row.Key.StartsWith(RatePrefix, StringComparison.Ordinal))
            {
                Rate rate = row.As<Rate>();
                rates.Add(rate.Id, rate);
            }
        }

        return new Snapshot(plans, resources, rates);
    }

    private async Task<CommitResult> TryCommitAsync(TableBatch batch, CancellationToken cancellation)
    {
        try
        {
            return await tables.CommitAsync(batch, cancellation);
        }
        finally
        {
            _cache.Invalidate();
        }
    }

    private async Task<T?> FindAsync<T>(Func<Snapshot, T?> find, CancellationToken cancellation)
        where T : class
    {
        Snapshot snapshot = await _cache.GetAsync(cancellation);
        return find(snapshot) ?? find(await _cache.NewerThanAsync(snapshot, cancellation));
    }

    private async Task<IReadOnlyList<T>> PageAsync<T>(
        string prefix, Func<T, bool> match, string? after, int limit, CancellationToken cancellation)
    {
        RowRange range = RowRange.Prefix(prefix);
        var found = new List<T>();
        await foreach (TableRow row in tables.ReadAllAsync(
            Table, Partition, after is null ? range : range.After(prefix + after), cancellation))
        {
            T item = row.As<T>();
            if (match(item))
            {
                found.Add(item);
            }

            if (found.Count == limit)
            {
                break;
            }
        }

        return found;
    }

    private sealed record Snapshot(
        IReadOnlyDictionary<PlanId, Plan> Plans, IReadOnlyDictionary<ResourceId, Resource> Resources, IReadOnlyDictionary<RateId, Rate> Rates);
}

/// <summary>Which plan is a location's default.</summary>
public sealed record DefaultPlan(PlanId PlanId);
