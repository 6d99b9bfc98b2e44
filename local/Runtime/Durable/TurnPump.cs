namespace Flex.Local.Runtime.Durable;

/// <summary>
/// Runs an orchestrator's continuations one after the other on the thread of its turn. A continuation that arrives from
/// another thread comes from a task that is not durable; it is not run but remembered as a violation.
/// </summary>
internal sealed class TurnPump : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _queue = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private volatile bool _closed;
    private volatile bool _violated;

    /// <summary>True when something came back from outside while the turn ran.</summary>
    public bool Violated => _violated;

    /// <summary>True for code that runs as part of the turn: on its thread, not behind a ConfigureAwait(false).</summary>
    public bool IsCurrent => !_closed && Environment.CurrentManagedThreadId == _thread && Current == this;

    public void Violate() => _violated = true;

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            _violated = true;
        }
        else if (!_closed)
        {
            _queue.Enqueue((d, state));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("An orchestrator cannot be entered synchronously.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs an action under this context and then whatever it made ready.</summary>
    public void Run(Action action)
    {
        SynchronizationContext? outer = Current;
        SetSynchronizationContext(this);
        try
        {
            action();
            while (_queue.TryDequeue(out (SendOrPostCallback Callback, object? State) next))
            {
                next.Callback(next.State);
            }
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    /// <summary>
    /// Completes a durable task outside the context: ordinary awaits are posted and keep their order; those with
    /// ConfigureAwait(false) run at once, in the open, where <see cref="IsCurrent"/> shows them.
    /// </summary>
    public static void Complete(Action completion)
    {
        SynchronizationContext? outer = Current;
        SetSynchronizationContext(null);
        try
        {
            completion();
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    public void Close() => _closed = true;
}
