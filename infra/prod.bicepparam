// A production deployment: storage in three zones, an instance that is always ready. The addresses are examples.

using 'main.bicep'

param prefix = 'flex'
param environmentName = 'prod'
param tags = { app: 'flex', environment: 'prod' }

// True also closes the public endpoints, which take only Entra tokens as it is. Packages and secrets must then come from a machine
// inside the network.
param privateNetwork = false
param storageSku = 'Standard_ZRS'
param recoveryDays = 30
// Ten years, counted from the day of issue.
param invoiceRetentionDays = 3653
param staticSiteSku = 'Standard'
param customOrigins = ['https://app.example.com']

param alertEmails = ['operations@example.com']
param monthlyBudget = 300
param budgetStart = '2026-12-01'

param scaling = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 100
  httpConcurrency: 16
  alwaysReadyHttp: 1
}

param config = {
  issuers: [
    { authority: 'https://login.example.com/staff/v2.0', audience: 'flex-api', roles: ['owner', 'staff'] }
    { authority: 'https://members.example.com/v2.0', audience: 'flex-api', roles: ['member'] }
  ]
  stripeMode: 'live'
  rolling: []
  salto: {
    identityUrl: 'https://identity.eu.my-clay.com'
    apiUrl: 'https://user.my-clay.com'
    clientId: 'flex'
    username: ''
    maxRequestsPerSecond: 4
    memberRoles: ['site_user', 'site_guest']
    filterUsersByEmail: false
  }
  mail: { host: 'smtp.example.com', port: 587, user: 'flex', from: 'no-reply@example.com' }
  otlpEndpoint: ''
  rateLimits: {}
  traceSamplingRatio: '0.2'
  tablePrefix: ''
}
