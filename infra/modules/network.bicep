// The private network: the app's instances in a subnet, one fixed address to the outside, private endpoints for what it reaches.

@export()
@description('A service that gets a private endpoint.')
type privateService = {
  @description('Name of the account, vault or namespace in this resource group.')
  name: string

  @description('Which of its services.')
  group: 'blob' | 'table' | 'queue' | 'vault' | 'namespace'
}

@description('Name of the virtual network; its other parts are named after it.')
@minLength(2)
@maxLength(50)
param name string

@description('Region.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

@description('Address range, at least a /24.')
@minLength(9)
@maxLength(18)
param addressPrefix string

@description('What gets a private endpoint.')
@minLength(1)
@maxLength(20)
param services privateService[]

var zones = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  vault: 'privatelink.vaultcore.azure.net'
  namespace: 'privatelink.servicebus.windows.net'
}
var resourceTypes = {
  blob: 'Microsoft.Storage/storageAccounts'
  table: 'Microsoft.Storage/storageAccounts'
  queue: 'Microsoft.Storage/storageAccounts'
  vault: 'Microsoft.KeyVault/vaults'
  namespace: 'Microsoft.ServiceBus/namespaces'
}
var groups = union(map(services, s => s.group), [])

resource address 'Microsoft.Network/publicIPAddresses@2025-05-01' = {
  name: '${name}-out-ip'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

resource nat 'Microsoft.Network/natGateways@2025-05-01' = {
  name: '${name}-out'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIpAddresses: [{ id: address.id }]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 25, 0)
          defaultOutboundAccess: false
          natGateway: { id: nat.id }
          delegations: [
            {
              name: 'functions'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 2)
          defaultOutboundAccess: false
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }

  resource functions 'subnets' existing = {
    name: 'functions'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

resource privateZones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for group in groups: {
    name: zones[group]
    location: 'global'
    tags: tags
  }
]

resource zoneLinks 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (group, i) in groups: {
    parent: privateZones[i]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for service in services: {
    name: '${service.name}-${service.group}'
    location: location
    tags: tags
    properties: {
      subnet: { id: network::endpoints.id }
      privateLinkServiceConnections: [
        {
          name: service.group
          properties: {
            privateLinkServiceId: resourceId(resourceTypes[service.group], service.name)
            groupIds: [service.group]
          }
        }
      ]
    }
  }
]

resource endpointZones 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (service, i) in services: {
    parent: privateEndpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: service.group
          properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zones[service.group]) }
        }
      ]
    }
    dependsOn: [privateZones]
  }
]

@description('Resource id of the subnet for the function app.')
output functionsSubnetId string = network::functions.id

@description('The address that Stripe, Salto KS and the mail server see.')
output outboundAddress string = address.properties.ipAddress
