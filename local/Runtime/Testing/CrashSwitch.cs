using Flex.Local.Runtime.Storage;

namespace Flex.Local.Runtime.Testing;

/// <summary>
/// Kills the simulated process at a chosen step. Steps are what a kill can fall between: before and after every commit (a
/// publish is one too) and every call that leaves the process. Once tripped, everything that would leave the dead process fails.
/// </summary>
public sealed class CrashSwitch : IDisposable
{
    private CancellationTokenSource _died = new();
    private long _remaining = -1;

    /// <summary>Steps so far, also when nothing is armed: how many places there are to die in.</summary>
    public long Steps { get; private set; }

    public bool IsTripped => _died.IsCancellationRequested;

    public CancellationToken Died => _died.Token;

    /// <summary>Dies at the step after <paramref name="steps"/> more.</summary>
    public void Arm(long steps) => _remaining = steps;

    /// <exception cref="SimulatedCrashException">The process dies here, or is dead already.</exception>
    public void Step()
    {
        if (!IsTripped)
        {
            Steps++;
            if (_remaining < 0 || _remaining-- > 0)
            {
                return;
            }

            _died.Cancel();
        }

        throw new SimulatedCrashException("The simulated process has been killed.");
    }

    public void Dispose() => _died.Dispose();

    /// <summary>The next process is alive and nothing is armed.</summary>
    internal void Reset()
    {
        _died.Dispose();
        _died = new CancellationTokenSource();
        _remaining = -1;
    }

    internal void Watch(MemoryTableStore tables)
    {
        tables.BeforeCommit = tables.AfterCommit = _ =>
        {
            Step();
            return Task.CompletedTask;
        };
    }

    /// <summary>Makes calls through the handler steps.</summary>
    internal HttpMessageHandler Watch(HttpMessageHandler inner) => new Watched(this, inner);

    private sealed class Watched(CrashSwitch crash, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            crash.Step();
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            crash.Step();
            return response;
        }
    }
}
