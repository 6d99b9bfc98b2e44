namespace Flex.Local.Runtime.Scheduling;

/// <summary>
/// A part of the runtime that keeps its schedule in memory and finds it again in the tables. Called once, before the first
/// unit of work runs and before the first request is served; an <see cref="IWorkSource"/> implements it beside its source.
/// </summary>
public interface ILoadable
{
    Task LoadAsync(CancellationToken cancellation);
}
