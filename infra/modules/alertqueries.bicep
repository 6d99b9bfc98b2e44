// The questions behind the alerts, asked of the workspace. Metrics of the app are in AppMetrics: a counter's growth and a gauge's
// value in Sum, a histogram's values in Sum, ItemCount, Min and Max; their tags are in Properties.

@description('An alert that a query over the workspace raises.')
type queryAlert = {
  @description('Also the end of the runbook\'s anchor, alert-{name}.')
  name: string

  @description('What it means.')
  meaning: string

  @description('0 is the worst, 4 the least.')
  @minValue(0)
  @maxValue(4)
  severity: int

  @description('How often it is asked.')
  every: 'PT15M' | 'PT1H'

  @description('How far back the query looks: twice the interval, because telemetry takes minutes to arrive, or as far as it says itself, up to two days.')
  over: 'PT30M' | 'P1D'

  @description('Returns a row exactly when something is wrong.')
  query: string
}

@export()
@description('Every alert that a query raises.')
var queryAlerts queryAlert[] = [
  {
    name: 'outbox-age'
    meaning: 'Messages are committed but not published for more than five minutes: Service Bus is out of reach or the outbox queue is behind.'
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppMetrics
| where Name == 'flex.outbox.age'
| summarize OldestSeconds = max(Max) by Table = tostring(Properties.table)
| where OldestSeconds > 300
'''
  }
  {
    name: 'failed-orchestrations'
    meaning: 'An orchestration of the renewals ended with an exception. Memberships it watched are found again by the hourly timer; the cause is a defect.'
    severity: 1
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppMetrics
| where Name == 'flex.renewal.orchestrations.failed'
| summarize Failed = sum(Sum) by Orchestration = tostring(Properties.orchestration)
| where Failed > 0
'''
  }
  {
    name: 'failed-webhooks'
    meaning: 'Events of Stripe are refused for their signature (5 or more, so that a passing stranger wakes nobody) or could not be queued. Stripe repeats them for three days.'
    severity: 1
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppMetrics
| where Name == 'flex.payment.webhooks'
| extend Outcome = tostring(Properties.outcome)
| summarize Refused = sumif(Sum, Outcome == 'Refused'), Unpublished = sumif(Sum, Outcome == 'Unpublished')
| where Refused >= 5 or Unpublished > 0
'''
  }
  {
    name: 'unfinished-renewals'
    meaning: 'Memberships whose renewal date has ended have no answer to their first charge, in two hourly reports in a row; or there are no reports, because the timer of the renewals does not run.'
    severity: 1
    every: 'PT15M'
    over: 'P1D'
    query: '''
AppMetrics
| where Name == 'flex.renewal.unfinished' and TimeGenerated > ago(130m)
| summarize Reports = count(), Fewest = min(Sum)
| where Reports == 0 or Fewest > 0
'''
  }
  {
    name: 'unknown-payments'
    meaning: 'A charge has had no known outcome for more than an hour although Stripe was asked. Nothing else is charged on its invoice meanwhile. Closes itself 26 hours after the last look that found nothing.'
    severity: 1
    every: 'PT1H'
    over: 'P1D'
    query: '''
AppMetrics
| where Name == 'flex.payment.unknown.age' and TimeGenerated > ago(26h)
| where tostring(Properties.state) == 'Unknown'
| summarize OldestSeconds = max(Max)
| where OldestSeconds > 3600
'''
  }
  {
    name: 'server-errors'
    meaning: 'More than 2 % of the requests, and at least five, were answered with 5xx.'
    severity: 1
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppRequests
| where Url !has '/api/v1/health'
| extend Status = toint(ResultCode)
| where Status between (100 .. 599)
| summarize Failed = sumif(ItemCount, Status >= 500), All = sum(ItemCount)
| where Failed >= 5 and Failed > 0.02 * All
'''
  }
  {
    name: 'missing-export'
    meaning: 'No nightly export has become complete for 26 hours: what would be restored after a loss grows old.'
    severity: 2
    every: 'PT1H'
    over: 'P1D'
    query: '''
AppMetrics
| where Name == 'flex.exports.completed' and TimeGenerated > ago(26h)
| summarize Exports = countif(Sum > 0)
| where Exports == 0
'''
  }
]
