// The vault for the secrets of others' services. Their values are set by hand (az keyvault secret set) and are in no template.

@export()
@description('The value of an app setting that the platform replaces by the secret. A secret that does not exist leaves this text in its place.')
func vaultReference(vaultName string, entry string) string =>
  '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${entry})'

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

@description('False closes the public endpoint: then only a private endpoint leads here.')
param publicAccess bool

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }
}
