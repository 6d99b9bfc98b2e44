namespace Flex.Platform.Messaging;

/// <summary>The Service Bus namespace. The triggers read the same section, so the names are those of the Functions host.</summary>
public sealed class ServiceBusSettings
{
    public const string Section = Queues.Connection;

    /// <summary>E.g. <c>flexprod.servicebus.windows.net</c>.</summary>
    public string FullyQualifiedNamespace { get; init; } = string.Empty;

    /// <summary><c>managedidentity</c>; read by the host for its triggers.</summary>
    public string Credential { get; init; } = string.Empty;

    /// <summary>The user-assigned identity; empty is the system-assigned one.</summary>
    public string ClientId { get; init; } = string.Empty;
}
