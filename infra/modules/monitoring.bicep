// Where telemetry goes.

@description('Name of the Log Analytics workspace.')
@minLength(4)
@maxLength(63)
param name string

@description('Name of the Application Insights component.')
@minLength(1)
@maxLength(255)
param insightsName string

@description('Region.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

@description('Days that telemetry is kept; 31 are included in the price of taking it in.')
@minValue(31)
@maxValue(730)
param retentionDays int = 90

@description('Gigabytes that are taken in within a day at most. It bounds the bill of a mistake; what comes after it is lost, and alerts see nothing until the next day.')
@minValue(1)
@maxValue(100)
param dailyCapGigabytes int = 2

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyCapGigabytes
    }
    features: {
      disableLocalAuth: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id

@description('Resource id of the component.')
output insightsId string = insights.id

@description('Name of the component. Its connection string is read where it is needed, never passed on.')
output insightsName string = insights.name
