using System.Collections.Concurrent;
using System.Security.Cryptography;
using Flex.Local.Runtime.Hosting;
using Flex.Platform.Blobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Local.Runtime.Storage;

/// <summary>Links to blobs in memory: the local host serves them under <see cref="Path"/> until they expire, and never after it has ended.</summary>
public sealed class MemorySignedLinks(IBlobStore blobs, Uri address, TimeProvider time) : ISignedLinks
{
    public const string Path = "/local/blobs/";

    private readonly ConcurrentDictionary<string, (string Container, string Name, Instant ExpireAt)> _links = new(StringComparer.Ordinal);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet(Path + "{token}", async http =>
    {
        ISignedLinks links = http.RequestServices.GetRequiredService<ISignedLinks>();
        ReadOnlyMemory<byte>? content = links is MemorySignedLinks memory
            ? await memory.OpenAsync((string)http.Request.RouteValues["token"]!, http.RequestAborted)
            : null;
        await (content is { } bytes ? Results.Bytes(bytes, "application/octet-stream") : Results.NotFound()).ExecuteAsync(http);
    });

    public Task<SignedLinks> ReadLinksAsync(string container, IReadOnlyList<string> names, Duration lifetime, CancellationToken cancellation)
    {
        Instant now = time.Now();
        foreach ((string token, (_, _, Instant expireAt)) in _links)
        {
            if (expireAt <= now)
            {
                _links.TryRemove(token, out _);
            }
        }

        return Task.FromResult(new SignedLinks([.. names.Select(name => Link(container, name, now + lifetime))], now + lifetime));
    }

    private Uri Link(string container, string name, Instant expireAt)
    {
        string token = RandomNumberGenerator.GetHexString(32, lowercase: true);
        _links[token] = (container, name, expireAt);
        return new Uri(address, Path + token);
    }

    private async Task<ReadOnlyMemory<byte>?> OpenAsync(string token, CancellationToken cancellation) =>
        _links.TryGetValue(token, out var link) && time.Now() < link.ExpireAt ? await blobs.ReadAsync(link.Container, link.Name, cancellation) : null;
}
