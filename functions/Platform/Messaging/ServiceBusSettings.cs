namespace Flex.Platform.Messaging;

/// <summary>The Service Bus namespace. The triggers read the same section, so the names are those of the Functions host.</summary>
public sealed class ServiceBusSettings : ISettings
{
    public const string Section = Queues.Connection;

    /// <summary>E.g. <c>flexprod.servicebus.windows.net</c>.</summary>
    public string FullyQualifiedNamespace { get; init; } = string.Empty;

    /// <summary><c>managedidentity</c>; read by the host for its triggers.</summary>
    public string Credential { get; init; } = string.Empty;

    /// <summary>The user-assigned identity; empty is the system-assigned one.</summary>
    public string ClientId { get; init; } = string.Empty;

    public IEnumerable<SettingFault> Faults()
    {
        IEnumerable<SettingFault> name = FullyQualifiedNamespace.Length == 0
            ? [SettingFault.Missing(nameof(FullyQualifiedNamespace), "the namespace of the queues, e.g. flexprod.servicebus.windows.net")]
            : SettingFault.OfHost(nameof(FullyQualifiedNamespace), FullyQualifiedNamespace);
        IEnumerable<SettingFault> credential = Credential is "" or "managedidentity" ? [] : [new(nameof(Credential), "must be managedidentity.")];
        return [.. name, .. credential, .. SettingFault.OfClientId(nameof(ClientId), ClientId)];
    }
}
