// The static web app of the operator's browser application. Its content comes from that application's own pipeline.

@description('Name of the site.')
@minLength(2)
@maxLength(40)
param name string

@description('Region of its management; the content is served from everywhere. Not every region is offered.')
@allowed(['centralus', 'eastasia', 'eastus2', 'westeurope', 'westus2'])
param location string

@description('Tags.')
param tags { *: string }

@description('Standard adds an agreement on availability and private endpoints.')
@allowed(['Free', 'Standard'])
param skuName string

resource site 'Microsoft.Web/staticSites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: skuName
    tier: skuName
  }
  properties: {
    // A preview of a branch would have an origin of its own, which the API does not answer.
    stagingEnvironmentPolicy: 'Disabled'
  }
}

@description('Host name the platform gave the site.')
output hostName string = site.properties.defaultHostname
