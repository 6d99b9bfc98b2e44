using Azure.Core;
using Azure.Identity;

namespace Flex.Platform;

/// <summary>As whom the app reaches what is in Azure.</summary>
public static class ManagedIdentity
{
    /// <param name="clientId">Of a user-assigned identity; empty is the system-assigned one or, on a desk, whoever is signed in.</param>
    public static TokenCredential Of(string? clientId) =>
        new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = string.IsNullOrWhiteSpace(clientId) ? null : clientId });
}
