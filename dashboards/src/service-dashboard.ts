import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { label, metric } from '@shaketable/sdk/names'
import { frame, labelVariable } from './frame.ts'
import { graph } from './panels.ts'
import { runtimeMetric } from './runtime-metrics.ts'

const rate = '[$__rate_interval]'
const server = metric.httpServerDuration
const client = metric.httpClientDuration
const ofService = 'job="$service"'
const ofRoute = `${ofService},${label.route}=~"$route"`
const failed = `${label.status}=~"5..|"`

/** One service: what its callers get by route, what it gets from others, and how its processes are. */
export function serviceDashboard(): DashboardBuilder {
  const dashboard = frame(
    'shaketable-service',
    'Shaketable / Service',
    'One service: rate, errors and duration by route, its outbound calls, and its Node processes.',
  )
    .withVariable(labelVariable('service', 'Service', `label_values(${server}_count, job)`, false))
    .withVariable(labelVariable('route', 'Route', `label_values(${server}_count{${ofService}}, ${label.route})`, true))
  dashboard.withRow(new RowBuilder('Requests served'))
  for (const panel of served()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Outbound calls'))
  for (const panel of outbound()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Node processes'))
  for (const panel of processes()) dashboard.withPanel(panel)
  return dashboard
}

function served() {
  const routes = `${label.method}, ${label.route}`
  const legend = `{{${label.method}}} {{${label.route}}}`
  return [
    graph({
      title: 'Requests by route',
      description: 'Requests a second. A sudden fall with healthy callers means that they cannot reach the service.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: `sum by (${routes}) (rate(${server}_count{${ofRoute}}${rate}))`, legend }],
    }),
    graph({
      title: 'Failed requests by route',
      description:
        'The share answered with 5xx or not at all. Find the failing dependency under Outbound calls, or open a trace.',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr:
            `(sum by (${routes}) (rate(${server}_count{${ofRoute},${failed}}${rate})) or ` +
            `0 * sum by (${routes}) (rate(${server}_count{${ofRoute}}${rate}))) / ` +
            `(sum by (${routes}) (rate(${server}_count{${ofRoute}}${rate})) > 0)`,
          legend,
        },
      ],
    }),
    graph({
      title: 'Duration, 50th, 95th and 99th percentile',
      description: 'Seconds from request to answer, over the chosen routes. A dot is a request: it leads to its trace.',
      unit: 's',
      width: 8,
      queries: [0.5, 0.95, 0.99].map(quantile => ({
        expr: `histogram_quantile(${quantile}, sum by (le) (rate(${server}_bucket{${ofRoute}}${rate})))`,
        legend: `p${quantile * 100}`,
        exemplars: quantile === 0.99,
      })),
    }),
    graph({
      title: '99th percentile by route',
      description: 'Seconds. Shows which route is slow; narrow the Route variable to it for its exemplars.',
      unit: 's',
      width: 12,
      queries: [
        {
          expr: `histogram_quantile(0.99, sum by (le, ${routes}) (rate(${server}_bucket{${ofRoute}}${rate})))`,
          legend,
        },
      ],
    }),
    graph({
      title: 'Requests in flight by instance',
      description: 'Requests begun and not yet answered. One that only grows: an instance hangs; take it out and look.',
      unit: 'short',
      width: 12,
      queries: [{ expr: `sum by (instance) (${metric.httpServerActive}{${ofService}})`, legend: '{{instance}}' }],
    }),
  ]
}

function outbound() {
  const to = label.serverAddress
  const legend = `{{${to}}}`
  return [
    graph({
      title: 'Calls by destination',
      description: 'Calls a second. More calls than served requests explain are retries: look for a retry storm.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: `sum by (${to}) (rate(${client}_count{${ofService}}${rate}))`, legend }],
    }),
    graph({
      title: 'Failed calls by destination',
      description: 'The share answered with 5xx or not at all. The destination that stands out is the one to look at.',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr:
            `(sum by (${to}) (rate(${client}_count{${ofService},${failed}}${rate})) or ` +
            `0 * sum by (${to}) (rate(${client}_count{${ofService}}${rate}))) / ` +
            `(sum by (${to}) (rate(${client}_count{${ofService}}${rate})) > 0)`,
          legend,
        },
      ],
    }),
    graph({
      title: '99th percentile by destination',
      description: 'Seconds. A destination slower than the time limit of its callers turns into their errors.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: `histogram_quantile(0.99, sum by (le, ${to}) (rate(${client}_bucket{${ofService}}${rate})))`,
          legend,
          exemplars: true,
        },
      ],
    }),
  ]
}

function processes() {
  const legend = '{{instance}}'
  return [
    graph({
      title: 'Event loop delay, 99th percentile',
      description: 'Seconds. Over some 100 ms something blocks the loop: take a CPU profile of that instance.',
      unit: 's',
      width: 8,
      queries: [{ expr: `${runtimeMetric.eventLoopLagP99}{${ofService}}`, legend }],
    }),
    graph({
      title: 'Event loop utilization',
      description: 'The share of time in which the loop was busy. Near 1 the instance is full: add instances.',
      unit: 'percentunit',
      width: 8,
      queries: [{ expr: `${metric.eventLoopUtilization}{${ofService}}`, legend }],
    }),
    graph({
      title: 'CPU',
      description: 'Cores in use. Compare with the limit of the container: at the limit it is throttled.',
      unit: 'short',
      width: 8,
      queries: [{ expr: `rate(${runtimeMetric.processCpu}{${ofService}}${rate})`, legend }],
    }),
    graph({
      title: 'Heap in use',
      description: 'Bytes. One that grows from restart to restart is a leak: compare two heap snapshots.',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: `${runtimeMetric.heapUsed}{${ofService}}`, legend }],
    }),
    graph({
      title: 'Time in garbage collection',
      description: 'The share of time. Over a few percent, the heap is too small or too much is allocated a request.',
      unit: 'percentunit',
      width: 8,
      queries: [{ expr: `sum by (instance) (rate(${runtimeMetric.gcDuration}_sum{${ofService}}${rate}))`, legend }],
    }),
    graph({
      title: 'Restarts',
      description:
        'Process starts in each interval. Restarts that nobody ordered: read the last log lines before them.',
      unit: 'short',
      width: 8,
      queries: [{ expr: `changes(${runtimeMetric.startTime}{${ofService}}${rate})`, legend }],
    }),
  ]
}
