// A development deployment: cheapest kinds, nothing connected that costs money, the browser application on the platform's own host name.

using 'main.bicep'

param prefix = 'flex'
param environmentName = 'dev'
param tags = { app: 'flex', environment: 'dev' }

param storageSku = 'Standard_LRS'
param invoiceRetentionDays = 1

param alertEmails = ['operations@example.com']
param monthlyBudget = 50
param budgetStart = '2026-12-01'

param scaling = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 40
  httpConcurrency: 16
  alwaysReadyHttp: 0
}

param config = {
  issuers: [
    { authority: 'https://login.example.com/dev/v2.0', audience: 'flex-api', roles: ['owner', 'staff', 'member'] }
  ]
  stripeMode: 'test'
  rolling: []
  salto: {
    identityUrl: ''
    apiUrl: ''
    clientId: ''
    username: ''
    maxRequestsPerSecond: 4
    memberRoles: ['site_user', 'site_guest']
    filterUsersByEmail: false
  }
  mail: { host: '', port: 587, user: '', from: 'no-reply@example.com' }
  otlpEndpoint: ''
  rateLimits: {}
  traceSamplingRatio: '1'
  tablePrefix: ''
}
