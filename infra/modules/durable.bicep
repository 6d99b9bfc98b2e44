// The Durable Task Scheduler and its task hub. Only Entra identities reach it: it knows no keys.

@description('Name of the scheduler.')
@minLength(3)
@maxLength(64)
param name string

@description('Name of the task hub.')
@minLength(3)
@maxLength(45)
param taskHubName string

@description('Region; one that offers the scheduler.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

@description('Consumption is paid by action, up to 500 a second; Dedicated by capacity unit.')
@allowed(['Consumption', 'Dedicated'])
param skuName string

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // Instances of the app come from addresses that are not known beforehand; every call needs a token all the same.
    ipAllowlist: ['0.0.0.0/0']
    sku: {
      name: skuName
      ...(skuName == 'Dedicated' ? { capacity: 1 } : {})
    }
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' = {
  parent: scheduler
  name: taskHubName
  properties: {}
}
