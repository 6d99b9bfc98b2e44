using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Flex.Platform.Tables;

namespace Flex.Platform.Blobs;

/// <summary>Azure Blob storage and its emulator. Built once and shared.</summary>
public sealed class AzureBlobStore : IBlobStore
{
    private readonly OnFirstUse<BlobContainerClient> _containers;

    internal AzureBlobStore(BlobServiceClient service) => _containers = new OnFirstUse<BlobContainerClient>(async (name, cancellation) =>
    {
        BlobContainerClient container = service.GetBlobContainerClient(name);
        await container.CreateIfNotExistsAsync(cancellationToken: cancellation);
        return container;
    });

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

    private async Task<T> GuardAsync<T>(string container, string name, Func<BlobClient, Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await call((await _containers.GetAsync(container, cancellation)).GetBlobClient(name));
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
