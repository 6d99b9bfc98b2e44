using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;

namespace Flex.Exports;

/// <summary>
/// Exports the store once a night. It is called several times, so that a night whose first run was cut off has an export all the same.
/// Every partition whose outbox was not empty gets a sweep: nearly always for nothing, and it heals one that was lost.
/// </summary>
public sealed class NightlyExport(
    StoreExporter exporter, ExportArchive archive, IMessagePublisher publisher, IIdSource ids, TimeProvider time, ILogger<NightlyExport> log)
{
    public async Task RunAsync(CancellationToken cancellation)
    {
        string night = ExportArchive.NightOf(time.Now());
        if (await archive.ExistsAsync(night, cancellation))
        {
            return;
        }

        StoreExport done = await exporter.ExportAsync(archive, night, cancellation);
        foreach (OutboxSweep sweep in done.Outboxes)
        {
            await sweep.QueueAsync(publisher, ids, cancellation);
        }

        ExportMetrics.Count(done.Manifest);
        log.LogInformation("Export {Export} is complete: {Rows} rows in {Tables} tables.", night, done.Manifest.Rows(), done.Manifest.Tables.Count);
    }
}
