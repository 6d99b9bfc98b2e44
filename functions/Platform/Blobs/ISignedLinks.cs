using NodaTime;

namespace Flex.Platform.Blobs;

/// <summary>Links that stand for a right: whoever has one may read the blob it names, and do nothing else, until it expires.</summary>
public interface ISignedLinks
{
    /// <summary>A link to each of the blobs, in order. Whether they exist is not looked at. Never log one.</summary>
    /// <exception cref="TransientFaultException">Storage is busy or out of reach.</exception>
    Task<SignedLinks> ReadLinksAsync(string container, IReadOnlyList<string> names, Duration lifetime, CancellationToken cancellation);
}

/// <param name="ExpireAt">By the clock of storage, which is the world's also where business time is simulated.</param>
public sealed record SignedLinks(IReadOnlyList<Uri> Links, Instant ExpireAt);
