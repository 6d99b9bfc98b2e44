// The one place where names are made. They follow from what is known before anything is deployed, so that what-if, the snapshots
// and a runbook name every resource. The lengths assume a prefix of at most 8 characters and an environment of at most 4.

@export()
@description('The names of everything in one deployment.')
type resourceNames = {
  @description('User-assigned identity of the function app.')
  identity: string

  @description('Storage account of the Functions host: packages, leases, the task hub if it is in storage. Globally unique, 3 to 24 lower-case letters and digits.')
  hostStorage: string

  @description('Storage account of the business data: tables and blobs. Globally unique, 3 to 24 lower-case letters and digits.')
  dataStorage: string

  @description('Service Bus namespace. Globally unique, 6 to 50 characters.')
  serviceBus: string

  @description('Key vault. Globally unique, 3 to 24 characters.')
  keyVault: string

  @description('Durable Task Scheduler. 3 to 64 characters.')
  scheduler: string

  @description('Task hub, in either kind of storage. A letter, then 2 to 44 letters and digits.')
  taskHub: string

  @description('Flex Consumption plan.')
  plan: string

  @description('Function app. Globally unique; the host derives its id from the first 32 characters, so it has no more.')
  functionApp: string

  @description('Static web app.')
  staticSite: string

  @description('Log Analytics workspace.')
  workspace: string

  @description('Application Insights component.')
  insights: string

  @description('Start of the names of alerts, and the name of the budget and the workbook.')
  operations: string

  @description('Virtual network; its other parts are named after it.')
  network: string
}

@description('Tells deployments of the same prefix and environment apart where a name must be unique in the world.')
func suffix(seed string) string => take(uniqueString(seed), 8)

@export()
@description('The names for a prefix, an environment and a seed, which is the id of the resource group.')
func nameResources(prefix string, environmentName string, seed string) resourceNames => {
  identity: '${prefix}-${environmentName}-id'
  hostStorage: '${prefix}${environmentName}${suffix(seed)}host'
  dataStorage: '${prefix}${environmentName}${suffix(seed)}data'
  serviceBus: '${prefix}-${environmentName}-${suffix(seed)}-bus'
  keyVault: '${prefix}-${environmentName}-${suffix(seed)}'
  scheduler: '${prefix}-${environmentName}-${suffix(seed)}-dts'
  taskHub: '${prefix}${environmentName}'
  plan: '${prefix}-${environmentName}-plan'
  functionApp: '${prefix}-${environmentName}-${suffix(seed)}'
  staticSite: '${prefix}-${environmentName}-site'
  workspace: '${prefix}-${environmentName}-logs'
  insights: '${prefix}-${environmentName}-insights'
  operations: '${prefix}-${environmentName}'
  network: '${prefix}-${environmentName}-vnet'
}
