// A storage account without keys: only Entra identities reach it.

@export()
@description('A blob container.')
type container = {
  @description('3 to 63 lower-case letters, digits and single hyphens.')
  @minLength(3)
  @maxLength(63)
  name: string

  @description('Blobs are deleted this many days after they were written; none: kept.')
  @minValue(1)
  @maxValue(3650)
  expireAfterDays: int?

  @description('Blobs can be neither changed nor deleted for this many days after they were written; none: they can.')
  @minValue(1)
  @maxValue(146000)
  retainForDays: int?
}

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

@description('Redundancy.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS', 'Standard_RAGRS', 'Standard_RAGZRS'])
param skuName string

@description('False closes the public endpoints: then only private endpoints lead here.')
param publicAccess bool

@description('The containers.')
@minLength(1)
@maxLength(20)
param containers container[]

@description('How many days deleted or overwritten blobs, and deleted containers, can be brought back; none: not at all.')
@minValue(1)
@maxValue(365)
param recoveryDays int?

@description('True once the retention of containers has been locked, which only a call of its own can do and nothing undoes: the policies are then left alone, since writing them again would be refused.')
param retentionIsLocked bool = false

var isRecoverable = recoveryDays != null
var recovery = isRecoverable ? { enabled: true, days: recoveryDays } : { enabled: false }
var rules = [
  ...map(filter(containers, c => c.?expireAfterDays != null), item => {
    name: 'expire-${item.name}'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: { blobTypes: ['blockBlob'], prefixMatch: ['${item.name}/'] }
      actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: item.?expireAfterDays } } }
    }
  })
  // With versioning a deleted or overwritten blob stays as a previous version until something ends that.
  ...(isRecoverable
    ? [
        {
          name: 'previous-versions'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'] }
            actions: { version: { delete: { daysAfterCreationGreaterThan: recoveryDays } } }
          }
        }
      ]
    : [])
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: skuName
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: recovery
    containerDeleteRetentionPolicy: recovery
    isVersioningEnabled: isRecoverable
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [
  for item in containers: {
    parent: blobs
    name: item.name
    properties: {
      publicAccess: 'None'
    }
  }
]

resource retention 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = [
  for (item, i) in containers: if (item.?retainForDays != null && !retentionIsLocked) {
    parent: blobContainers[i]
    name: 'default'
    properties: {
      immutabilityPeriodSinceCreationInDays: item.?retainForDays
      allowProtectedAppendWrites: false
    }
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = if (!empty(rules)) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: rules
    }
  }
  dependsOn: [blobs]
}
