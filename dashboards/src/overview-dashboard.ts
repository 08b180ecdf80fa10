import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { metric } from '@shaketable/sdk/names'
import { environmentVariable, frame } from './frame.ts'
import { graph, number } from './panels.ts'
import { called, duration, failedLines, failedShare, requestRate, served } from './red.ts'
import { runtimeMetric } from './runtime-metrics.ts'
import { ofEnvironment, rate } from './scraped.ts'
import { table } from './table.ts'

const legend = '{{job}}'

/** All services at once: the page to open first, and to leave for the dashboard of the service that stands out. */
export function overviewDashboard(): DashboardBuilder {
  const dashboard = frame(
    'shaketable-overview',
    'Shaketable / Fleet',
    'All services at once: which one stands out, and what fires. A service’s name opens its own dashboard.',
  ).withVariable(environmentVariable())
  dashboard.withRow(new RowBuilder('Now'))
  for (const panel of now()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Over time'))
  for (const panel of overTime()) dashboard.withPanel(panel)
  return dashboard
}

function now() {
  return [
    table({
      title: 'Alerts that fire',
      description:
        'Begin with the pages: what to do stands in RUNBOOKS.md under the alert’s name. Tickets are for this week.',
      width: 8,
      emptyWhile: 'nothing fires',
      rows: { severity: 'Severity', alertname: 'Alert', job: 'Service', slo: 'Objective' },
      columns: [
        {
          title: 'Count',
          expr: 'count by (severity, alertname, job, slo) (ALERTS{alertstate="firing"})',
          unit: 'short',
        },
      ],
    }),
    table({
      title: 'Services',
      description:
        'What each service serves now. Click the one with the most failures that calls nobody who fails more: that is where ' +
        'trouble begins. A service that calls nobody has no failed calls.',
      width: 16,
      rows: { job: 'Service' },
      opens: 'shaketable-service',
      columns: [
        { title: 'Requests', expr: requestRate(served, 'job', ofEnvironment), unit: 'reqps' },
        { title: 'Failed', expr: failedShare(served, 'job', ofEnvironment), unit: 'percentunit', colours: failedLines },
        { title: 'p99', expr: duration(0.99, served, ['job'], ofEnvironment), unit: 's' },
        {
          title: 'Calls failed',
          expr: failedShare(called, 'job', ofEnvironment),
          unit: 'percentunit',
          colours: failedLines,
        },
        {
          title: 'Busiest loop',
          expr: `max by (job) (${metric.eventLoopUtilization}{${ofEnvironment}})`,
          unit: 'percentunit',
          colours: [
            { value: 0.7, color: 'orange' },
            { value: 0.9, color: 'red' },
          ],
        },
      ],
    }),
    number(
      {
        title: 'Instances that answer',
        description: 'The instances of each service whose metrics could be read. Zero is an outage: see ServiceDown.',
        unit: 'short',
        width: 24,
        queries: [{ expr: `sum by (job) (up{${ofEnvironment}})`, legend }],
      },
      'red',
      [{ value: 1, color: 'green' }],
    ),
  ]
}

function overTime() {
  return [
    graph(
      {
        title: 'Budget left by objective',
        description: 'The share of the error budget that is left. Under zero: no risky releases for that service.',
        unit: 'percentunit',
        width: 8,
        belowZero: true,
        emptyWhile: 'no rules of objectives are loaded',
        queries: [{ expr: 'min by (slo) (slo:period_error_budget_remaining:ratio)', legend: '{{slo}}' }],
      },
      [{ value: 0, color: 'red' }],
    ),
    graph({
      title: 'Requests by service',
      description: 'Requests a second. A fall in all of them begins at the door, a fall in one with its callers.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: requestRate(served, 'job', ofEnvironment), legend }],
    }),
    graph(
      {
        title: 'Failed requests by service',
        description:
          'The share answered with 5xx or not at all. Of several that rise together, the innermost is to blame.',
        unit: 'percentunit',
        width: 8,
        queries: [{ expr: failedShare(served, 'job', ofEnvironment), legend }],
      },
      failedLines,
    ),
    graph({
      title: '99th percentile by service',
      description: 'Seconds. Of several that rise together, the innermost is to blame: see the dependencies.',
      unit: 's',
      width: 8,
      queries: [{ expr: duration(0.99, served, ['job'], ofEnvironment), legend }],
    }),
    graph({
      title: 'Restarts by service',
      description: 'Process starts in each interval. Those of a release come once an instance; others are crashes.',
      unit: 'short',
      width: 8,
      queries: [{ expr: `sum by (job) (changes(${runtimeMetric.startTime}{${ofEnvironment}}${rate}))`, legend }],
    }),
    graph({
      title: 'Spans lost by service',
      description:
        'Spans a second that were dropped. Over zero, traces have holes: is the collector there, and not full?',
      unit: 'cps',
      width: 8,
      queries: [{ expr: `sum by (job) (rate(${metric.spansDropped}{${ofEnvironment}}${rate}))`, legend }],
    }),
  ]
}
