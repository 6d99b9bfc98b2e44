// The identity the function app acts as everywhere. User-assigned: it and its roles exist before the app, and outlive it.

@description('Name of the identity.')
@minLength(3)
@maxLength(128)
param name string

@description('Region.')
@minLength(1)
param location string

@description('Tags.')
param tags { *: string }

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}
