using Microsoft.Azure.Functions.Worker;

namespace Flex.Exports;

public sealed class ExportsTimers(NightlyExport nightly, RestoredMessages restored)
{
    /// <summary>The first run exports; the others find that done, or go on with what was cut off.</summary>
    [Function("Exports_Nightly")]
    public Task ExportNightly([TimerTrigger("0 40 1-3 * * *")] TimerInfo timer, CancellationToken cancellation) => nightly.RunAsync(cancellation);

    /// <summary>When the app starts on a store that was restored while it was stopped; one read on any other. Daily if that start failed.</summary>
    [Function("Exports_QueueRestored")]
    public Task QueueRestored([TimerTrigger("0 20 0 * * *", RunOnStartup = true)] TimerInfo timer, CancellationToken cancellation) =>
        restored.QueueAsync(cancellation);
}
