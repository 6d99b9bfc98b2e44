// The broker. Its queues and their terms are those that the code was written for: functions/Platform/Messaging/Messages.cs.

@description('Name of the namespace.')
@minLength(6)
@maxLength(50)
param name string

@description('Region.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

@description('Standard, or Premium, which alone can have private endpoints.')
@allowed(['Standard', 'Premium'])
param skuName string

@description('False closes the public endpoint; only possible with Premium.')
param publicAccess bool

@description('A message that nobody could take for this many days is dead-lettered.')
@minValue(1)
@maxValue(90)
param messageLifetimeDays int

var queueNames = ['outbox', 'stripe-events', 'billing', 'memberships', 'renewals', 'bookings', 'access', 'mail']

resource bus 'Microsoft.ServiceBus/namespaces@2026-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: skuName
    tier: skuName
    ...(skuName == 'Premium' ? { capacity: 1 } : {})
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
  }
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2026-01-01' = [
  for queueName in queueNames: {
    parent: bus
    name: queueName
    properties: {
      requiresDuplicateDetection: true
      duplicateDetectionHistoryTimeWindow: 'PT10M'
      lockDuration: 'PT5M'
      maxDeliveryCount: 30
      defaultMessageTimeToLive: 'P${messageLifetimeDays}D'
      deadLetteringOnMessageExpiration: true
      // The most that Standard allows: consumers may stand still for long before a queue is full.
      maxSizeInMegabytes: 5120
    }
  }
]

@description('Resource id of the namespace.')
output id string = bus.id
