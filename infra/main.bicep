// Everything one operator's Flex consists of, in one resource group. Composition only: what a resource is like is said in its module.

targetScope = 'resourceGroup'

import { nameResources } from 'modules/naming.bicep'
import { configuration, scale } from 'modules/functionapp.bicep'

@description('Short name of the operator: lower-case letters and digits, first a letter. Part of every name.')
@minLength(2)
@maxLength(8)
param prefix string

@description('Environment: part of every name.')
@allowed(['dev', 'test', 'prod'])
param environmentName string

@description('Region of everything that has one; must offer Flex Consumption and, unless the task hub is in storage, the Durable Task Scheduler.')
@minLength(3)
@maxLength(40)
param location string = resourceGroup().location

@description('Tags put on every resource.')
param tags { *: string } = {}

@description('True puts the app into a network, with private endpoints for storage, the key vault and, if it is Premium, Service Bus; their public endpoints are closed then, also to whoever deploys: packages and secrets must come from inside the network.')
param privateNetwork bool = false

@description('Address range of the private network, a /24.')
@minLength(9)
@maxLength(18)
param addressPrefix string = '10.40.0.0/24'

@description('Where durable orchestrations keep their state: the Durable Task Scheduler, or the storage account of the host. Changing it starts with an empty task hub; renewals find their way back from the tables.')
@allowed(['scheduler', 'storage'])
param taskHub string = 'scheduler'

@description('Kind of the Durable Task Scheduler: paid by action, or dedicated capacity.')
@allowed(['Consumption', 'Dedicated'])
param schedulerSku string = 'Consumption'

@description('Redundancy of both storage accounts.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS', 'Standard_RAGRS', 'Standard_RAGZRS'])
param storageSku string

@description('Days that deleted or overwritten blobs of the business data can be brought back.')
@minValue(7)
@maxValue(365)
param recoveryDays int = 14

@description('Days that the bodies of large messages are kept; longer than a message lives and its dead letter is worked on.')
@minValue(100)
@maxValue(730)
param messageBodyDays int = 180

@description('Days that the nightly exports are kept.')
@minValue(7)
@maxValue(3650)
param exportDays int = 35

@description('Days that issued invoices can be neither changed nor deleted; the law of the operator decides.')
@minValue(1)
@maxValue(7300)
param invoiceRetentionDays int

@description('True once the retention of invoices has been locked (az storage container immutability-policy lock): the template then leaves it alone.')
param invoiceRetentionIsLocked bool = false

@description('Kind of Service Bus; only Premium can have a private endpoint.')
@allowed(['Standard', 'Premium'])
param serviceBusSku string = 'Standard'

@description('Days after which a message that nobody could take is dead-lettered.')
@minValue(1)
@maxValue(90)
param messageLifetimeDays int = 14

@description('Kind of the static web app.')
@allowed(['Free', 'Standard'])
param staticSiteSku string = 'Free'

@description('Region of the static web app.')
@allowed(['centralus', 'eastasia', 'eastus2', 'westeurope', 'westus2'])
param staticSiteLocation string = 'westeurope'

@description('Origins of the browser application on domains of its own, such as https://app.example.com; none: the static web app\'s own host name.')
@maxLength(10)
param customOrigins string[] = []

@description('Days that telemetry is kept; 31 are included in the price of taking it in.')
@minValue(31)
@maxValue(730)
param telemetryDays int = 90

@description('Gigabytes of telemetry that are taken in within a day at most; what comes after it is lost.')
@minValue(1)
@maxValue(100)
param telemetryGigabytesPerDay int = 2

@description('Who is written to when an alert fires or the budget is used up.')
@minLength(1)
@maxLength(20)
param alertEmails string[]

@description('What the resource group may cost a month, in the currency of the bill, before somebody is written to.')
@minValue(1)
@maxValue(1000000)
param monthlyBudget int

@description('First day of the month the budget begins with, such as 2026-01-01. It cannot be changed afterwards.')
@minLength(10)
@maxLength(10)
param budgetStart string

@description('How the function app scales.')
param scaling scale

@description('What the operator decides about the app.')
param config configuration

var names = nameResources(prefix, environmentName, resourceGroup().id)
var packageContainer = 'packages'

module monitoring 'modules/monitoring.bicep' = {
  params: {
    name: names.workspace
    insightsName: names.insights
    location: location
    tags: tags
    retentionDays: telemetryDays
    dailyCapGigabytes: telemetryGigabytesPerDay
  }
}

module identity 'modules/identity.bicep' = {
  params: {
    name: names.identity
    location: location
    tags: tags
  }
}

module hostStorage 'modules/storage.bicep' = {
  params: {
    name: names.hostStorage
    location: location
    tags: tags
    skuName: storageSku
    publicAccess: !privateNetwork
    containers: [{ name: packageContainer }]
  }
}

module dataStorage 'modules/storage.bicep' = {
  params: {
    name: names.dataStorage
    location: location
    tags: tags
    skuName: storageSku
    publicAccess: !privateNetwork
    recoveryDays: recoveryDays
    retentionIsLocked: invoiceRetentionIsLocked
    containers: [
      { name: 'messages', expireAfterDays: messageBodyDays }
      { name: 'pictures' }
      { name: 'exports', expireAfterDays: exportDays }
      { name: 'invoices', retainForDays: invoiceRetentionDays }
    ]
  }
}

module serviceBus 'modules/servicebus.bicep' = {
  params: {
    name: names.serviceBus
    location: location
    tags: tags
    skuName: serviceBusSku
    publicAccess: !(privateNetwork && serviceBusSku == 'Premium')
    messageLifetimeDays: messageLifetimeDays
  }
}

module durable 'modules/durable.bicep' = if (taskHub == 'scheduler') {
  params: {
    name: names.scheduler
    taskHubName: names.taskHub
    location: location
    tags: tags
    skuName: schedulerSku
  }
}

module keyVault 'modules/keyvault.bicep' = {
  params: {
    name: names.keyVault
    location: location
    tags: tags
    publicAccess: !privateNetwork
  }
}

module staticSite 'modules/staticsite.bicep' = {
  params: {
    name: names.staticSite
    location: staticSiteLocation
    tags: tags
    skuName: staticSiteSku
  }
}

module roles 'modules/roles.bicep' = {
  params: {
    names: names
    taskHub: taskHub
  }
  dependsOn: [monitoring, identity, hostStorage, dataStorage, serviceBus, durable, keyVault]
}

module network 'modules/network.bicep' = if (privateNetwork) {
  params: {
    name: names.network
    location: location
    tags: tags
    addressPrefix: addressPrefix
    services: [
      { name: names.hostStorage, group: 'blob' }
      { name: names.hostStorage, group: 'queue' }
      { name: names.hostStorage, group: 'table' }
      { name: names.dataStorage, group: 'blob' }
      { name: names.dataStorage, group: 'table' }
      { name: names.keyVault, group: 'vault' }
      ...(serviceBusSku == 'Premium' ? [{ name: names.serviceBus, group: 'namespace' }] : [])
    ]
  }
  dependsOn: [hostStorage, dataStorage, serviceBus, keyVault]
}

module functionApp 'modules/functionapp.bicep' = {
  params: {
    names: names
    location: location
    tags: tags
    packageContainer: packageContainer
    scaling: scaling
    taskHub: taskHub
    origins: empty(customOrigins) ? ['https://${staticSite.outputs.hostName}'] : customOrigins
    config: config
    subnetId: privateNetwork ? network!.outputs.functionsSubnetId : null
  }
  // The app can do nothing before it has its rights; they in turn need everything it reaches.
  dependsOn: [roles]
}

module alerts 'modules/alerts.bicep' = {
  params: {
    prefix: names.operations
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    insightsId: monitoring.outputs.insightsId
    serviceBusId: serviceBus.outputs.id
    functionAppHost: functionApp.outputs.hostName
    alertEmails: alertEmails
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    displayName: names.operations
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    serviceBusId: serviceBus.outputs.id
  }
}

module budget 'modules/budget.bicep' = {
  params: {
    name: names.operations
    amount: monthlyBudget
    startDate: budgetStart
    emails: alertEmails
  }
}

@description('Function app.')
output functionAppName string = names.functionApp

@description('Host name of the function app; Stripe\'s webhook goes to https://{it}/api/v1/webhooks/stripe.')
output functionAppHostName string = functionApp.outputs.hostName

@description('Static web app.')
output staticSiteName string = names.staticSite

@description('Host name of the static web app.')
output staticSiteHostName string = staticSite.outputs.hostName

@description('Key vault.')
output keyVaultName string = names.keyVault

@description('Entries that the vault must hold before the app starts.')
output vaultEntries string[] = functionApp.outputs.vaultEntries

@description('Identity of the function app.')
output identityName string = names.identity

@description('Storage account of the business data.')
output dataStorageName string = names.dataStorage

@description('Blob endpoint of the business data.')
output dataBlobEndpoint string = 'https://${names.dataStorage}.blob.${environment().suffixes.storage}'

@description('Table endpoint of the business data.')
output dataTableEndpoint string = 'https://${names.dataStorage}.table.${environment().suffixes.storage}'

@description('Storage account of the host.')
output hostStorageName string = names.hostStorage

@description('Container of the host account that holds the package.')
output packageContainerName string = packageContainer

@description('Service Bus namespace.')
output serviceBusName string = names.serviceBus

@description('Durable Task Scheduler; empty when the task hub is in storage.')
output schedulerName string = taskHub == 'scheduler' ? names.scheduler : ''

@description('Task hub.')
output taskHubName string = names.taskHub

@description('Application Insights component.')
output insightsName string = monitoring.outputs.insightsName

@description('The one address that calls leave from; empty when not in a private network.')
output outboundAddress string = privateNetwork ? network!.outputs.outboundAddress : ''
