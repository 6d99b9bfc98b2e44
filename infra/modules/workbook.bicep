// The page on which operations sees the whole of it; its panels are in infra/workbook.json.

@description('Name shown in the portal.')
@minLength(1)
@maxLength(100)
param displayName string

@description('Region.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

@description('Resource id of the Log Analytics workspace that the panels query.')
@minLength(1)
param workspaceId string

@description('Resource id of the Service Bus namespace whose queues are shown.')
@minLength(1)
param serviceBusId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, displayName)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    version: '1.0'
    sourceId: workspaceId
    serializedData: replace(
      replace(loadTextContent('../workbook.json'), '@workspace', workspaceId),
      '@serviceBus',
      serviceBusId
    )
  }
}
