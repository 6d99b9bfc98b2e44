namespace Flex.Platform.Blobs;

/// <summary>
/// The port to blob storage: things too large for a row or a message, written once under a name and never changed.
/// Containers are made on first use.
/// </summary>
public interface IBlobStore
{
    /// <summary>
    /// Writes the blob unless there is one of that name. False when there was one: somebody else's, or this caller's own
    /// whose answer was lost, so a name should be made from what it holds or be nobody else's.
    /// </summary>
    /// <param name="container">3 to 63 lower-case letters, digits and single hyphens.</param>
    /// <param name="name">1 to 1,024 characters.</param>
    /// <exception cref="TransientFaultException">Storage is busy or out of reach; the blob may be there.</exception>
    Task<bool> PutAsync(string container, string name, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>The whole content; null when there is no such blob.</summary>
    Task<ReadOnlyMemory<byte>?> ReadAsync(string container, string name, CancellationToken cancellation);

    Task<bool> ExistsAsync(string container, string name, CancellationToken cancellation);

    /// <summary>Names of all blobs of the container, in ordinal order.</summary>
    IAsyncEnumerable<string> NamesAsync(string container, CancellationToken cancellation);
}
