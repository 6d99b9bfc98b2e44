// Every right the app has, and on what. Nothing else assigns roles.

import { resourceNames } from 'naming.bicep'

@description('Names of the resources.')
param names resourceNames

@description('Where the task hub is.')
@allowed(['scheduler', 'storage'])
param taskHub string

// Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roleIds = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  serviceBusDataReceiver: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  serviceBusDataSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  durableTaskDataContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
}

@description('The properties of a role assignment.')
type assignmentProperties = {
  description: string
  principalId: string
  principalType: 'ServicePrincipal'
  roleDefinitionId: string
}

@description('Gives the app a role; the description says the role in words where only ids are listed.')
func grant(principalId string, roleName string, roleId string) assignmentProperties => {
  description: roleName
  principalId: principalId
  principalType: 'ServicePrincipal'
  roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
}

var assignments = {
  // The host takes leases and reads the package, for which it asks for the owner's role; a task hub in storage is queues and tables.
  hostStorage: {
    storageBlobDataOwner: roleIds.storageBlobDataOwner
    ...(taskHub == 'storage'
      ? {
          storageQueueDataContributor: roleIds.storageQueueDataContributor
          storageTableDataContributor: roleIds.storageTableDataContributor
        }
      : {})
  }
  // The account as a whole: the app makes tables and containers on first use, and signs links with a key of the account's.
  dataStorage: {
    storageBlobDataContributor: roleIds.storageBlobDataContributor
    storageTableDataContributor: roleIds.storageTableDataContributor
  }
  serviceBus: {
    serviceBusDataReceiver: roleIds.serviceBusDataReceiver
    serviceBusDataSender: roleIds.serviceBusDataSender
  }
  keyVault: {
    keyVaultSecretsUser: roleIds.keyVaultSecretsUser
  }
  insights: {
    monitoringMetricsPublisher: roleIds.monitoringMetricsPublisher
  }
  taskHub: taskHub == 'scheduler' ? { durableTaskDataContributor: roleIds.durableTaskDataContributor } : {}
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.identity
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.hostStorage
}

resource dataStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.dataStorage
}

resource serviceBus 'Microsoft.ServiceBus/namespaces@2026-01-01' existing = {
  name: names.serviceBus
}

resource keyVault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: names.keyVault
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.insights
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' existing = if (taskHub == 'scheduler') {
  name: names.scheduler

  resource hub 'taskHubs' existing = {
    name: names.taskHub
  }
}

// Named after the identity's resource id, not its principal, so that a what-if knows the names. Whoever deletes the identity by hand
// must delete its assignments too before deploying again.

resource onHostStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(assignments.hostStorage): {
    name: guid(hostStorage.id, identity.id, role.value)
    scope: hostStorage
    properties: grant(identity.properties.principalId, role.key, role.value)
  }
]

resource onDataStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(assignments.dataStorage): {
    name: guid(dataStorage.id, identity.id, role.value)
    scope: dataStorage
    properties: grant(identity.properties.principalId, role.key, role.value)
  }
]

resource onServiceBus 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(assignments.serviceBus): {
    name: guid(serviceBus.id, identity.id, role.value)
    scope: serviceBus
    properties: grant(identity.properties.principalId, role.key, role.value)
  }
]

resource onKeyVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(assignments.keyVault): {
    name: guid(keyVault.id, identity.id, role.value)
    scope: keyVault
    properties: grant(identity.properties.principalId, role.key, role.value)
  }
]

resource onInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(assignments.insights): {
    name: guid(insights.id, identity.id, role.value)
    scope: insights
    properties: grant(identity.properties.principalId, role.key, role.value)
  }
]

resource onTaskHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(assignments.taskHub): {
    name: guid(scheduler::hub.id, identity.id, role.value)
    scope: scheduler::hub
    properties: grant(identity.properties.principalId, role.key, role.value)
  }
]
