using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flex.Functions.Tests.Platform.Http;

public sealed class HealthTests
{
    private static readonly RequestContext Context = RequestContext.For(Caller.Anonymous);

    [Fact]
    public async Task Storage_that_answers_is_healthy()
    {
        var check = new HealthCheck(new Storage((_) => Task.FromResult<TableRow?>(null)), TimeProvider.System);

        Reply<HealthView> reply = await check.HandleAsync(Context, TestContext.Current.CancellationToken);

        Assert.Equal("healthy", reply.Value!.Status);
    }

    [Fact]
    public async Task Storage_that_fails_is_unavailable()
    {
        var check = new HealthCheck(new Storage(_ => throw new TransientFaultException("down")), TimeProvider.System);

        Reply<HealthView> reply = await check.HandleAsync(Context, TestContext.Current.CancellationToken);

        Assert.Equal(ErrorKind.Unavailable, reply.Error!.Kind);
    }

    [Fact]
    public async Task Storage_that_hangs_is_unavailable_after_the_limit()
    {
        var network = new FakeTimeProvider();
        var check = new HealthCheck(
            new Storage(async cancellation =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, network, cancellation);
                return null;
            }),
            network);

        Task<Reply<HealthView>> pending = check.HandleAsync(Context, TestContext.Current.CancellationToken);
        network.Advance(HealthCheck.Limit);

        Assert.Equal(ErrorKind.Unavailable, (await pending).Error!.Kind);
    }

    private sealed class Storage(Func<CancellationToken, Task<TableRow?>> find) : ITableStore
    {
        public Task<TableRow?> FindAsync(string table, string partition, string key, CancellationToken cancellation) => find(cancellation);

        public Task<IReadOnlyList<TableRow>> ReadAsync(string table, string partition, RowRange range, int limit, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation) => throw new NotSupportedException();
    }
}
