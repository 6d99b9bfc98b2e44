using Flex.Bookings;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class AgendaGateTests
{
    private readonly AgendaGate _gate = new();

    [Fact]
    public async Task One_at_a_time_passes_for_a_key()
    {
        IDisposable first = await _gate.EnterAsync(["a"], Spaces.Cancellation);
        Task<IDisposable> second = _gate.EnterAsync(["a"], Spaces.Cancellation);

        Assert.False(second.IsCompleted);
        first.Dispose();

        (await second).Dispose();
    }

    [Fact]
    public async Task Other_keys_do_not_wait()
    {
        using IDisposable first = await _gate.EnterAsync(["a"], Spaces.Cancellation);

        using IDisposable second = await _gate.EnterAsync(["b"], Spaces.Cancellation);
    }

    [Fact]
    public async Task Keys_in_opposite_order_do_not_block_each_other_for_good()
    {
        for (int i = 0; i < 200; i++)
        {
            await Task.WhenAll(
                Task.Run(() => PassAsync(["a", "b"]), Spaces.Cancellation), Task.Run(() => PassAsync(["b", "a"]), Spaces.Cancellation));
        }

        async Task PassAsync(string[] keys)
        {
            using IDisposable pass = await _gate.EnterAsync(keys, Spaces.Cancellation);
        }
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_nothing_locked()
    {
        IDisposable holder = await _gate.EnterAsync(["b"], Spaces.Cancellation);
        using var impatience = new CancellationTokenSource();
        Task<IDisposable> waiting = _gate.EnterAsync(["a", "b"], impatience.Token);

        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        holder.Dispose();

        (await _gate.EnterAsync(["a", "b"], Spaces.Cancellation)).Dispose();
    }
}
