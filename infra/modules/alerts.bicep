// What wakes somebody. Each alert says what it means and where the runbook goes on.

import { queryAlerts } from 'alertqueries.bicep'

@description('Start of every alert\'s name.')
@minLength(1)
@maxLength(40)
param prefix string

@description('Region.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

@description('Resource id of the Log Analytics workspace.')
@minLength(1)
param workspaceId string

@description('Resource id of the Application Insights component.')
@minLength(1)
param insightsId string

@description('Resource id of the Service Bus namespace.')
@minLength(1)
param serviceBusId string

@description('Host name of the function app, which is asked from outside whether it is ready.')
@minLength(4)
@maxLength(253)
param functionAppHost string

@description('Who is written to.')
@minLength(1)
@maxLength(20)
param alertEmails string[]

func describe(name string, meaning string) string => '${meaning} Runbook: docs/runbook.md#alert-${name}'

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-alerts'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: take(prefix, 12)
    enabled: true
    emailReceivers: [
      for (address, index) in alertEmails: {
        name: 'receiver-${index}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource queries 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in queryAlerts: {
    name: '${prefix}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${prefix}-${alert.name}'
      description: describe(alert.name, alert.meaning)
      severity: alert.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: alert.every
      windowSize: alert.over
      overrideQueryTimeRange: alert.over == 'P1D' ? 'P2D' : null
      // A new workspace knows a table only after its first row.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      actions: {
        actionGroups: [group.id]
      }
    }
  }
]

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: describe(
      'dead-letters',
      'A message of the named queue was given up after its last delivery; what it stands for has not happened.'
    )
    severity: 1
    enabled: true
    scopes: [serviceBusId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead-letters'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: ['*']
            }
          ]
        }
      ]
    }
    autoMitigate: true
    actions: [{ actionGroupId: group.id }]
  }
}

resource readiness 'Microsoft.Insights/webtests@2022-06-15' = {
  name: '${prefix}-ready'
  location: location
  // The tag is how the portal finds the component that the test belongs to.
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: '${prefix}-ready'
    Name: '${prefix}-ready'
    Kind: 'standard'
    Enabled: true
    // Every run from every place is paid for.
    Frequency: 900
    Timeout: 30
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'emea-gb-db3-azr' }
      { Id: 'us-va-ash-azr' }
    ]
    Request: {
      RequestUrl: 'https://${functionAppHost}/api/v1/health/ready'
      HttpVerb: 'GET'
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource notReady 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-not-ready'
  location: 'global'
  tags: tags
  properties: {
    description: describe(
      'not-ready',
      'Seen from two places at least, the app does not answer, or storage, queue or payments do not answer it.'
    )
    severity: 0
    enabled: true
    scopes: [readiness.id, insightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: readiness.id
      componentId: insightsId
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: [{ actionGroupId: group.id }]
  }
}
