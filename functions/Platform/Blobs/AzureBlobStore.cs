using System.Globalization;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Platform.Blobs;

/// <summary>Azure Blob storage and its emulator. Built once and shared.</summary>
public sealed class AzureBlobStore : IBlobStore, ISignedLinks
{
    private readonly BlobServiceClient _service;
    private readonly TimeProvider _time;
    private readonly OnFirstUse<BlobContainerClient> _containers;

    /// <param name="time">The clock that storage itself goes by, never a simulated one: it decides when a link expires.</param>
    internal AzureBlobStore(BlobServiceClient service, TimeProvider time)
    {
        _service = service;
        _time = time;
        _containers = new OnFirstUse<BlobContainerClient>(async (name, cancellation) =>
        {
            BlobContainerClient container = service.GetBlobContainerClient(name);
            await container.CreateIfNotExistsAsync(cancellationToken: cancellation);
            return container;
        });
    }

    public Task<bool> PutAsync(string container, string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => GuardAsync(
        container,
        name,
        async blob =>
        {
            try
            {
                var onlyIfAbsent = new BlobUploadOptions { Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All } };
                await blob.UploadAsync(new BinaryData(content), onlyIfAbsent, cancellation);
                return true;
            }
            catch (RequestFailedException exists) when (exists.ErrorCode == BlobErrorCode.BlobAlreadyExists || exists.Status == 412)
            {
                return false;
            }
        },
        cancellation);

    public Task<ReadOnlyMemory<byte>?> ReadAsync(string container, string name, CancellationToken cancellation) => GuardAsync(
        container,
        name,
        async blob =>
        {
            try
            {
                BlobDownloadResult download = await blob.DownloadContentAsync(cancellation);
                return (ReadOnlyMemory<byte>?)download.Content.ToMemory();
            }
            catch (RequestFailedException missing) when (missing.ErrorCode == BlobErrorCode.BlobNotFound)
            {
                return null;
            }
        },
        cancellation);

    public Task<bool> ExistsAsync(string container, string name, CancellationToken cancellation) =>
        GuardAsync(container, name, async blob => (await blob.ExistsAsync(cancellation)).Value, cancellation);

    public async IAsyncEnumerable<string> NamesAsync(string container, [EnumeratorCancellation] CancellationToken cancellation)
    {
        BlobContainerClient client = await GuardAsync(() => _containers.GetAsync(container, cancellation), cancellation);
        await using IAsyncEnumerator<BlobItem> blobs = client.GetBlobsAsync(cancellationToken: cancellation).GetAsyncEnumerator(cancellation);
        while (await GuardAsync(async () => await blobs.MoveNextAsync(), cancellation))
        {
            yield return blobs.Current.Name;
        }
    }

    /// <summary>
    /// Signed by a key that Entra ID gives this app's identity for as long as the links live; the account has no key of its own that
    /// anybody may use. Only the emulator's connection string has one, and signs with it.
    /// </summary>
    public Task<SignedLinks> ReadLinksAsync(string container, IReadOnlyList<string> names, Duration lifetime, CancellationToken cancellation) => GuardAsync(
        async () =>
        {
            // The service counts in seconds.
            Instant expireAt = Instant.FromUnixTimeSeconds((_time.Now() + lifetime).ToUnixTimeSeconds());
            DateTimeOffset end = expireAt.ToDateTimeOffset();
            UserDelegationKey? key = _service.CanGenerateAccountSasUri
                ? null
                : (await _service.GetUserDelegationKeyAsync(new BlobGetUserDelegationKeyOptions(end), cancellation)).Value;
            BlobContainerClient client = _service.GetBlobContainerClient(container);
            return new SignedLinks([.. names.Select(name => Link(client.GetBlobClient(name), end, key))], expireAt);
        },
        cancellation);

    private static Uri Link(BlobClient blob, DateTimeOffset end, UserDelegationKey? key)
    {
        var scope = new BlobSasBuilder(BlobSasPermissions.Read, end)
        {
            BlobContainerName = blob.BlobContainerName,
            BlobName = blob.Name,
            Resource = "b",
            Protocol = blob.Uri.Scheme == Uri.UriSchemeHttps ? SasProtocol.Https : SasProtocol.HttpsAndHttp,
        };
        return key is null ? blob.GenerateSasUri(scope) : blob.GenerateUserDelegationSasUri(scope, key);
    }

    private Task<T> GuardAsync<T>(string container, string name, Func<BlobClient, Task<T>> call, CancellationToken cancellation) =>
        GuardAsync(async () => await call((await _containers.GetAsync(container, cancellation)).GetBlobClient(name)), cancellation);

    private static async Task<T> GuardAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await call();
        }
        catch (Exception failure) when (StorageFailures.IsTransient(failure, cancellation))
        {
            throw new TransientFaultException("Blob storage is busy or out of reach.", failure);
        }
        catch (RequestFailedException failure)
        {
            throw new DefectException(string.Create(CultureInfo.InvariantCulture, $"Blob storage refused a call: {failure.Status} {failure.ErrorCode}."), failure);
        }
    }
}
