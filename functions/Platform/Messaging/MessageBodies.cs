using System.Security.Cryptography;
using System.Text;
using Flex.Platform.Blobs;

namespace Flex.Platform.Messaging;

/// <summary>How many bytes an envelope may have as it travels: UTF-8 JSON, the body being a string in it.</summary>
/// <param name="MaxBytes">Below the broker's own limit, which also covers its properties.</param>
public sealed record MessageLimits(int MaxBytes)
{
    /// <summary>Service Bus Standard takes 256 KB. Source: learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas</summary>
    public static MessageLimits ServiceBus { get; } = new(192 * 1024);

    /// <summary>A storage queue takes 64 KiB, which Base64 turns into 48 KiB of content.</summary>
    public static MessageLimits StorageQueue { get; } = new(44 * 1024);
}

/// <summary>
/// Large bodies travel through the container <see cref="Container"/>. A blob's name is made from the message's id and the
/// body's hash, so publishing again writes nothing new. Blobs are not deleted here: any number of deliveries may still want
/// them; the account's lifecycle rule ends them long after the last possible one.
/// </summary>
public sealed class MessageBodies(IBlobStore blobs, MessageLimits limits) : IMessageBodies
{
    public const string Container = "messages";

    /// <summary>How a reference starts. A real body that starts so goes through a blob whatever its size, so no body is ever mistaken.</summary>
    private const string ReferenceStart = "{\"$flexBody\":";

    public async Task<Envelope> ShrinkAsync(Envelope envelope, CancellationToken cancellation)
    {
        if (!IsReference(envelope) && Encoding.UTF8.GetByteCount(StorageJson.Write(envelope)) <= limits.MaxBytes)
        {
            return envelope;
        }

        byte[] content = Encoding.UTF8.GetBytes(envelope.Body);
        string name = $"{envelope.Id}-{Convert.ToHexStringLower(SHA256.HashData(content))}";
        await blobs.PutAsync(Container, name, content, cancellation);
        return envelope with { Body = $"{ReferenceStart}{StorageJson.Write(name)}}}" };
    }

    public async Task<Envelope> ResolveAsync(Envelope envelope, CancellationToken cancellation)
    {
        if (!IsReference(envelope))
        {
            return envelope;
        }

        string name = StorageJson.Read<string>(envelope.Body[ReferenceStart.Length..^1]);
        ReadOnlyMemory<byte> content = await blobs.ReadAsync(Container, name, cancellation)
            ?? throw new DefectException($"The body of message {envelope.Id} is gone from container '{Container}'.");
        return envelope with { Body = Encoding.UTF8.GetString(content.Span) };
    }

    private static bool IsReference(Envelope envelope) => envelope.Body.StartsWith(ReferenceStart, StringComparison.Ordinal);
}
