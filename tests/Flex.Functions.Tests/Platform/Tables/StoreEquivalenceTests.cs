using CsCheck;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Tables;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Functions.Tests.Platform.Tables;

/// <summary>Whatever is done to them, memory and Azure answer alike and hold the same rows.</summary>
public sealed class StoreEquivalenceTests(AzuriteFixture azurite)
{
    private const string Table = "things";

    private static int _partitions;

    private static readonly Gen<Step> AnyStep = Gen.Select(Gen.Enum<TableOperationKind>(), Gen.Int[0, 4], Gen.Bool, Gen.Int[0, 99], (kind, key, current, value) => new Step(kind, $"D|{key}", current, value));

    private static readonly Gen<Step[][]> AnyHistory = AnyStep.Array[1, 4].Array[1, 8];

    [Fact]
    public async Task Random_histories_end_alike_on_memory_and_Azure()
    {
        AzureTableStore azure = await azurite.NewStoreAsync();
        await AnyHistory.SampleAsync(
            async history =>
            {
                string partition = $"p{Interlocked.Increment(ref _partitions):D6}";
                var memorySide = new Side(new MemoryTableStore(), partition);
                var azureSide = new Side(azure, partition);
                foreach (Step[] steps in history)
                {
                    Step[] once = [.. steps.DistinctBy(s => s.Key)];
                    CommitResult expected = await memorySide.CommitAsync(once);
                    CommitResult actual = await azureSide.CommitAsync(once);
                    Assert.Equal((expected.Kind, expected.Key), (actual.Kind, actual.Key));
                    Assert.Equal(await memorySide.RowsAsync(), await azureSide.RowsAsync());
                }
            },
            iter: 40,
            threads: 1);
    }

    /// <param name="Current">Whether the version that is named is the current one or the one before.</param>
    private sealed record Step(TableOperationKind Kind, string Key, bool Current, int Value);

    /// <summary>A store with the versions it has given, because versions differ between stores.</summary>
    private sealed class Side(ITableStore store, string partition)
    {
        private readonly Dictionary<string, List<string>> _versions = [];

        public async Task<CommitResult> CommitAsync(Step[] steps)
        {
            var batch = new TableBatch(Table, partition);
            foreach (Step step in steps)
            {
                List<string> versions = _versions.GetValueOrDefault(step.Key) ?? [];
                string version = versions.Count == 0 ? "W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\"" : versions[step.Current ? ^1 : ^Math.Min(2, versions.Count)];
                _ = step.Kind switch
                {
                    TableOperationKind.Insert => batch.Insert(step.Key, step.Value),
                    TableOperationKind.Replace => batch.Replace(step.Key, step.Value, version),
                    _ => batch.Delete(step.Key, version),
                };
            }

            CommitResult result = await store.CommitAsync(batch, TestContext.Current.CancellationToken);
            foreach (TableRow row in await ReadAsync())
            {
                List<string> versions = _versions.TryGetValue(row.Key, out List<string>? known) ? known : _versions[row.Key] = [];
                if (versions.Count == 0 || versions[^1] != row.ETag)
                {
                    versions.Add(row.ETag);
                }
            }

            return result;
        }

        public async Task<(string Key, string Data)[]> RowsAsync() => [.. (await ReadAsync()).Select(r => (r.Key, r.Data))];

        private Task<IReadOnlyList<TableRow>> ReadAsync() =>
            store.ReadAsync(Table, partition, RowRange.All, TableLimits.MaxPage, TestContext.Current.CancellationToken);
    }
}
