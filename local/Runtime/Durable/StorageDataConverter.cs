using System.Text.Json;
using Flex.Platform;
using Microsoft.DurableTask;

namespace Flex.Local.Runtime.Durable;

/// <summary>Payloads of orchestrations in the one stored JSON form, as the worker is configured in Azure. No value is null, not "null".</summary>
public sealed class StorageDataConverter : DataConverter
{
    public static StorageDataConverter Instance { get; } = new();

    public override string? Serialize(object? value) =>
        value is null ? null : JsonSerializer.Serialize(value, value.GetType(), StorageJson.Options);

    public override object? Deserialize(string? data, Type targetType) =>
        data is null ? null : JsonSerializer.Deserialize(data, targetType, StorageJson.Options);
}
