using Flex.Platform.Blobs;
using Flex.Platform.Http;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Exports;

/// <param name="Id">The night's date in UTC, e.g. <c>2026-11-22</c>.</param>
/// <param name="StartedAt">Whatever was committed before is in the export.</param>
/// <param name="CompletedAt">Nothing that was committed afterwards is in the export.</param>
/// <param name="Bytes">Before compression.</param>
public sealed record ExportView(string Id, Instant StartedAt, Instant CompletedAt, int Tables, long Rows, long Bytes);

/// <param name="LinksExpireAt">When the parts' links end; ask again for fresh ones.</param>
public sealed record ExportDetails(
    string Id, int FormatVersion, Instant StartedAt, Instant CompletedAt, IReadOnlyList<ExportedTableView> Tables, Instant LinksExpireAt);

public sealed record ExportedTableView(string Name, long Rows, int Torn, IReadOnlyList<ExportedPartView> Parts);

/// <param name="Bytes">Before compression.</param>
/// <param name="Sha256">Of the content before compression.</param>
/// <param name="Link">Reads this part, a gzip file of JSON lines, by whoever has the link.</param>
public sealed record ExportedPartView(string Name, int Rows, long Bytes, string Sha256, Uri Link);

/// <summary>The exports there are. They hold everything about everybody, so only owners get here, and every handing out of links is logged.</summary>
public sealed class ExportReader(ExportArchive archive, ISignedLinks links, ILogger<ExportReader> log)
{
    /// <summary>Long enough to begin the downloads; one that has begun goes on.</summary>
    public static readonly Duration LinkLifetime = Duration.FromMinutes(10);

    /// <summary>Complete exports, newest first. One call and one more per export of the page.</summary>
    public async Task<Reply<PageOf<ExportView>>> ListAsync(NoQuery query, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        IReadOnlyList<string> names = await archive.ListAsync(cancellation);
        PageOf<string> page = paging.Page<string>(
            [.. names.Where(n => paging.After is null || string.CompareOrdinal(n, paging.After) < 0).Take(paging.Take)], n => n);
        var views = new List<ExportView>(page.Results.Count);
        foreach (string name in page.Results)
        {
            if (await archive.FindAsync(name, cancellation) is { } export)
            {
                views.Add(new ExportView(export.Id, export.StartedAt, export.CompletedAt, export.Tables.Count, export.Rows(), export.Bytes()));
            }
        }

        return new PageOf<ExportView>(views, page.CursorNext, page.CursorPrev, page.HasMore);
    }

    public async Task<Reply<ExportDetails>> GetAsync(string id, RequestContext context, CancellationToken cancellation)
    {
        if (!ExportArchive.IsName(id) || await archive.FindAsync(id, cancellation) is not { } export)
        {
            return Error.NotFound("The export");
        }

        string[] parts = [.. export.Tables.SelectMany(t => t.Parts).Select(p => p.Name)];
        SignedLinks signed = await links.ReadLinksAsync(ExportArchive.Container, parts, LinkLifetime, cancellation);
        log.LogInformation("{Subject} was given links to export {Export}.", context.Caller.Subject, export.Id);
        Dictionary<string, Uri> byPart = parts.Zip(signed.Links).ToDictionary(p => p.First, p => p.Second);
        return new ExportDetails(
            export.Id,
            export.FormatVersion,
            export.StartedAt,
            export.CompletedAt,
            [.. export.Tables.Select(t => new ExportedTableView(
                t.Name, t.Rows, t.Torn, [.. t.Parts.Select(p => new ExportedPartView(p.Name, p.Rows, p.Bytes, p.Sha256, byPart[p.Name]))]))],
            signed.ExpireAt);
    }
}
