// What the resource group may cost in a month before somebody is written to. It stops nothing.

@description('Name of the budget.')
@minLength(1)
@maxLength(63)
param name string

@description('Amount a month, in the currency of the bill.')
@minValue(1)
@maxValue(1000000)
param amount int

@description('First day of the month it begins with, such as 2026-01-01. It cannot be changed afterwards.')
@minLength(10)
@maxLength(10)
param startDate string

@description('Who is written to.')
@minLength(1)
@maxLength(50)
param emails string[]

var thresholds = [
  { name: 'actual-50', percent: 50, type: 'Actual' }
  { name: 'actual-80', percent: 80, type: 'Actual' }
  { name: 'actual-100', percent: 100, type: 'Actual' }
  { name: 'forecast-100', percent: 100, type: 'Forecasted' }
]

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    notifications: toObject(thresholds, threshold => threshold.name, threshold => {
      enabled: true
      operator: 'GreaterThanOrEqualTo'
      threshold: threshold.percent
      thresholdType: threshold.type
      contactEmails: emails
    })
  }
}
