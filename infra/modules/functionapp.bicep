// The function app on Flex Consumption, and every setting it has.

import { resourceNames } from 'naming.bicep'
import { vaultReference } from 'keyvault.bicep'

@export()
@description('An OpenID Connect issuer whose tokens are accepted.')
type issuer = {
  @description('Where /.well-known/openid-configuration is found, without it.')
  @minLength(9)
  authority: string

  @description('The expected issuer claim, where it is not the one that the metadata names.')
  issuer: string?

  @description('The expected audience.')
  @minLength(1)
  audience: string

  @description('Claim with the roles; by default roles.')
  rolesClaim: string?

  @description('Claim with the id of the member a token speaks for; by default memberId.')
  memberIdClaim: string?

  @description('The roles this issuer may grant.')
  @minLength(1)
  @maxLength(3)
  roles: ('owner' | 'staff' | 'member')[]
}

@export()
@description('Salto KS. Its client secret, and its password if there is a user name, are in the vault.')
type salto = {
  @description('Root of the identity server; empty: doors are not connected.')
  identityUrl: string

  @description('Root of the Connect API.')
  apiUrl: string

  @description('OAuth client.')
  clientId: string

  @description('With a user name the password grant is used, else client credentials.')
  username: string

  @description('Calls a second.')
  @minValue(1)
  @maxValue(20)
  maxRequestsPerSecond: int

  @description('Role codes of people without administrative rights; the first is given to people who are created.')
  @minLength(1)
  @maxLength(10)
  memberRoles: string[]

  @description('Ask the API to filter users by mail address.')
  filterUsersByEmail: bool
}

@export()
@description('The server that mail goes out through, always with TLS. Its password, if there is a user, is in the vault.')
type mail = {
  @description('Host; empty: no mail is sent, and messages wait and then dead-letter.')
  host: string

  @description('Port.')
  @minValue(1)
  @maxValue(65535)
  port: int

  @description('User; empty: no authentication.')
  user: string

  @description('Address of the sender.')
  @minLength(3)
  @maxLength(254)
  from: string
}

@export()
@description('How the app scales.')
type scale = {
  @description('Memory of an instance in MB.')
  instanceMemoryMB: 512 | 2048 | 4096

  @description('Instances at most, of each group of functions that scales by itself.')
  @minValue(40)
  @maxValue(1000)
  maximumInstanceCount: int

  @description('Requests that an instance works on at once.')
  @minValue(1)
  @maxValue(1000)
  httpConcurrency: int

  @description('Instances for HTTP that are always running, and paid: no request waits for a start then.')
  @minValue(0)
  @maxValue(20)
  alwaysReadyHttp: int
}

@export()
@description('How often callers may call an instance of the app; 0 is the default that the code has.')
type rateLimit = {
  @description('Calls a minute in the long run.')
  @minValue(0)
  @maxValue(1000000)
  perMinute: int

  @description('Calls at once after a while without any.')
  @minValue(0)
  @maxValue(1000000)
  burst: int
}

@export()
@description('Rate limits that differ from their defaults.')
type rateLimits = {
  @description('What only reads.')
  Reads: rateLimit?

  @description('What changes something.')
  Writes: rateLimit?

  @description('Prices before booking.')
  Previews: rateLimit?

  @description('What moves money.')
  Payments: rateLimit?

  @description('Bookings of visitors, by address.')
  Storefront: rateLimit?

  @description('Calendar feeds, by address.')
  Feeds: rateLimit?

  @description('Bad tokens and bad webhook signatures, by address.')
  Refusals: rateLimit?
}

@export()
@description('What an operator decides about the app; becomes its settings.')
type configuration = {
  @description('Whose tokens are accepted.')
  @minLength(1)
  @maxLength(10)
  issuers: issuer[]

  @description('Stripe is not connected, or with a key of its test or its live mode.')
  stripeMode: 'none' | 'test' | 'live'

  @description('Secrets that are being rolled: their successors are in the vault too and are accepted beside them.')
  rolling: ('stripe-webhook-secret' | 'quotes-signing-key')[]

  @description('Salto KS.')
  salto: salto

  @description('Mail.')
  mail: mail

  @description('OTLP/gRPC endpoint that telemetry also goes to; empty: none.')
  otlpEndpoint: string

  @description('Rate limits that differ from their defaults.')
  rateLimits: rateLimits

  @description('Share of the traces that Application Insights gets. Metrics and logs always arrive whole.')
  traceSamplingRatio: '1' | '0.5' | '0.2' | '0.1' | '0.05' | '0.01'

  @description('Put before the name of every table: lets a restored store lie beside the damaged one.')
  @maxLength(20)
  tablePrefix: string
}

@description('Names of the resources.')
param names resourceNames

@description('Region.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

@description('Container of the host account that holds the package.')
@minLength(3)
@maxLength(63)
param packageContainer string

@description('How the app scales.')
param scaling scale

@description('Where the task hub is.')
@allowed(['scheduler', 'storage'])
param taskHub string

@description('Origins of browser applications that may call.')
@minLength(1)
@maxLength(10)
param origins string[]

@description('What an operator decides about the app.')
param config configuration

@description('Resource id of the subnet that outgoing calls leave from; none: not in a network.')
param subnetId string?

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.identity
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.insights
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' existing = if (taskHub == 'scheduler') {
  name: names.scheduler
}

var usesScheduler = taskHub == 'scheduler'
var usesStripe = config.stripeMode != 'none'
var usesSalto = !empty(config.salto.identityUrl)

// The secrets that this configuration reads. One that is not read is not referenced, because the reference to a secret that does not
// exist would itself become the setting's value.
var secrets = {
  Stripe__ApiKey: usesStripe ? 'stripe-api-key' : ''
  Stripe__WebhookSecret: usesStripe ? 'stripe-webhook-secret' : ''
  Stripe__WebhookSecretNext: contains(config.rolling, 'stripe-webhook-secret') ? 'stripe-webhook-secret-next' : ''
  Quotes__SigningKey: 'quotes-signing-key'
  Quotes__SigningKeyNext: contains(config.rolling, 'quotes-signing-key') ? 'quotes-signing-key-next' : ''
  Salto__ClientSecret: usesSalto ? 'salto-client-secret' : ''
  Salto__Password: usesSalto && !empty(config.salto.username) ? 'salto-password' : ''
  Mail__Password: !empty(config.mail.user) ? 'mail-password' : ''
}

// What the code reads: one line a setting.
var settings = {
  TASKHUB_NAME: names.taskHub
  Tables__ServiceUri: 'https://${names.dataStorage}.table.${environment().suffixes.storage}'
  Tables__ClientId: identity.properties.clientId
  Tables__Prefix: config.tablePrefix
  Blobs__ServiceUri: 'https://${names.dataStorage}.blob.${environment().suffixes.storage}'
  Blobs__ClientId: identity.properties.clientId
  ServiceBusConnection__FullyQualifiedNamespace: '${names.serviceBus}.servicebus.windows.net'
  ServiceBusConnection__Credential: 'managedidentity'
  ServiceBusConnection__ClientId: identity.properties.clientId
  Stripe__Livemode: string(config.stripeMode == 'live')
  Salto__IdentityUrl: config.salto.identityUrl
  Salto__ApiUrl: config.salto.apiUrl
  Salto__ClientId: config.salto.clientId
  Salto__Username: config.salto.username
  Salto__MaxRequestsPerSecond: string(config.salto.maxRequestsPerSecond)
  Salto__FilterUsersByEmail: string(config.salto.filterUsersByEmail)
  Mail__Host: config.mail.host
  Mail__Port: string(config.mail.port)
  Mail__User: config.mail.user
  Mail__From: config.mail.from
  Mail__RequireTls: 'true'
  Telemetry__OtlpEndpoint: config.otlpEndpoint
  Telemetry__AzureMonitor: 'true'
  Telemetry__ClientId: identity.properties.clientId
  Telemetry__TraceSamplingRatio: config.traceSamplingRatio
}

// The same for lists, whose items are numbered.
var listSettings = {
  ...toObject(range(0, length(origins)), i => 'Cors__Origins__${i}', i => origins[i])
  ...toObject(
    range(0, length(config.salto.memberRoles)),
    i => 'Salto__MemberRoles__${i}',
    i => config.salto.memberRoles[i]
  )
  ...reduce(config.issuers, {}, (all, item, i) => {
    ...all
    'Auth__Issuers__${i}__Authority': item.authority
    'Auth__Issuers__${i}__Issuer': item.?issuer ?? ''
    'Auth__Issuers__${i}__Audience': item.audience
    'Auth__Issuers__${i}__RolesClaim': item.?rolesClaim ?? 'roles'
    'Auth__Issuers__${i}__MemberIdClaim': item.?memberIdClaim ?? 'memberId'
    ...toObject(range(0, length(item.roles)), j => 'Auth__Issuers__${i}__Roles__${j}', j => item.roles[j])
  })
}

// Rate limits, by policy.
var ratePolicies = ['Reads', 'Writes', 'Previews', 'Payments', 'Storefront', 'Feeds', 'Refusals']
var rateSettings = reduce(ratePolicies, {}, (all, policy) => {
  ...all
  'RateLimits__${policy}__PerMinute': string(config.rateLimits[?policy].?perMinute ?? 0)
  'RateLimits__${policy}__Burst': string(config.rateLimits[?policy].?burst ?? 0)
})

// What the host and the platform read.
var hostSettings = {
  AzureWebJobsStorage__accountName: names.hostStorage
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  ...(usesScheduler
    ? {
        AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
        AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
        DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${scheduler!.properties.endpoint};Authentication=ManagedIdentity;ClientID=${identity.properties.clientId}'
      }
    : {})
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: names.plan
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: names.functionApp
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identity.id
    virtualNetworkSubnetId: subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      healthCheckPath: '/api/v1/health'
    }
    functionAppConfig: {
      runtime: {
        name: 'dotnet-isolated'
        version: '10.0'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${names.hostStorage}.blob.${environment().suffixes.storage}/${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: scaling.instanceMemoryMB
        maximumInstanceCount: scaling.maximumInstanceCount
        alwaysReady: scaling.alwaysReadyHttp == 0 ? [] : [{ name: 'http', instanceCount: scaling.alwaysReadyHttp }]
        triggers: {
          http: { perInstanceConcurrency: scaling.httpConcurrency }
        }
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: {
      ...settings
      ...listSettings
      ...rateSettings
      ...mapValues(secrets, entry => empty(entry) ? '' : vaultReference(names.keyVault, entry))
      ...hostSettings
    }
  }

  // No user name and password to deploy with: deployments use Entra tokens.
  resource ftpCredentials 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: {
      allow: false
    }
  }

  resource scmCredentials 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
  }
}

@description('Host name of the app.')
output hostName string = app.properties.defaultHostName

@description('Entries that the vault must hold before the app starts.')
output vaultEntries string[] = filter(map(items(secrets), s => s.value), entry => !empty(entry))
