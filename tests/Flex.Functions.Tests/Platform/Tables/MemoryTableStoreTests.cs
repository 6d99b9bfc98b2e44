using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Platform.Tables;

/// <summary>What the memory store has beyond the port.</summary>
public sealed class MemoryTableStoreTests
{
    private readonly MemoryTableStore _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fault_before_the_commit_means_it_never_arrived()
    {
        _store.BeforeCommit = _ => throw new TransientFaultException("down");

        await Assert.ThrowsAsync<TransientFaultException>(() => _store.CommitAsync(Batch("D|1"), Cancellation));

        Assert.Empty(_store.Snapshot("things", "home01"));
    }

    [Fact]
    public async Task A_fault_after_the_commit_is_a_lost_answer()
    {
        _store.AfterCommit = _ => throw new TransientFaultException("reset");

        await Assert.ThrowsAsync<TransientFaultException>(() => _store.CommitAsync(Batch("D|1"), Cancellation));

        Assert.Single(_store.Snapshot("things", "home01"));
    }

    [Fact]
    public async Task A_refusal_is_not_followed_by_the_hook_after_commits()
    {
        int after = 0;
        _store.AfterCommit = _ => Task.FromResult(after++);

        await _store.CommitAsync(Batch("D|1"), Cancellation);
        await _store.CommitAsync(Batch("D|1"), Cancellation);

        Assert.Equal(1, after);
    }

    [Fact]
    public async Task A_clone_lives_its_own_life()
    {
        await _store.CommitAsync(Batch("D|1"), Cancellation);
        MemoryTableStore clone = _store.Clone();
        IReadOnlyList<TableRow> before = _store.Snapshot("things", "home01");

        (await clone.CommitAsync(new TableBatch("things", "home01").Replace("D|1", "changed", before[0].ETag).Insert("D|2", "new"), Cancellation)).Require();

        Assert.Equal(before, _store.Snapshot("things", "home01"));
        Assert.Equal(2, clone.Snapshot("things", "home01").Count);
        Assert.DoesNotContain(clone.Snapshot("things", "home01"), r => r.ETag == before[0].ETag);
    }

    [Fact]
    public async Task Calls_are_counted_and_snapshots_are_not()
    {
        await _store.CommitAsync(Batch("D|1"), Cancellation);
        await _store.FindAsync("things", "home01", "D|1", Cancellation);
        await _store.ReadAsync("things", "home01", RowRange.All, 1, Cancellation);
        _store.Snapshot("things", "home01");

        Assert.Equal(3, _store.Calls);
    }

    private static TableBatch Batch(string key) => new TableBatch("things", "home01").Insert(key, "data");
}
