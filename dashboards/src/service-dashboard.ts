import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { label, metric } from '@shaketable/sdk/names'
import { environmentVariable, frame, labelVariable } from './frame.ts'
import { graph, heatmap } from './panels.ts'
import { called, duration, failedLines, failedShare, requestRate, served } from './red.ts'
import { runtimeMetric } from './runtime-metrics.ts'
import { ofEnvironment, ofService, rate } from './scraped.ts'

const ofRoute = `${ofService},${label.route}=~"$route"`
const byRoute = [label.method, label.route]
const byDestination = [label.serverAddress, label.serverPort]

/** One service: what its callers get by route, what it gets from others, and how full it is. */
export function serviceDashboard(): DashboardBuilder {
  const dashboard = frame(
    'shaketable-service',
    'Shaketable / Service',
    'One service: rate, errors and duration by route, its outbound calls, and how full its instances are.',
  )
    .withVariable(environmentVariable())
    .withVariable(labelVariable('service', 'Service', `label_values(${served}_count{${ofEnvironment}}, job)`, false))
    .withVariable(labelVariable('route', 'Route', `label_values(${served}_count{${ofService}}, ${label.route})`, true))
  dashboard.withRow(new RowBuilder('Requests served'))
  for (const panel of requests()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Outbound calls'))
  for (const panel of outbound()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Saturation'))
  for (const panel of saturation()) dashboard.withPanel(panel)
  return dashboard
}

function requests() {
  const by = byRoute.join(', ')
  const legend = `{{${label.method}}} {{${label.route}}}`
  return [
    graph({
      title: 'Requests by route',
      description:
        'Requests a second. A sudden fall with healthy callers means that they cannot reach the service: look at their failed calls.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: requestRate(served, by, ofRoute), legend }],
    }),
    graph(
      {
        title: 'Failed requests by route',
        description:
          'The share answered with 5xx or not at all. Find the failing dependency under Outbound calls, or open a trace.',
        unit: 'percentunit',
        width: 8,
        queries: [{ expr: failedShare(served, by, ofRoute), legend }],
      },
      failedLines,
    ),
    graph({
      title: 'Duration, 50th, 95th and 99th percentile',
      description:
        'Seconds from request to answer, over the chosen routes. Where the 99th leaves the median, open a dot up there: it is a request, and leads to its trace.',
      unit: 's',
      width: 8,
      queries: [0.5, 0.95, 0.99].map(quantile => ({
        expr: duration(quantile, served, [], ofRoute),
        legend: `p${quantile * 100}`,
        exemplars: quantile === 0.99,
      })),
    }),
    heatmap({
      title: 'Durations',
      description:
        'How many requests a second took how long. Two bands are two kinds of request, or a cache that misses: open a dot ' +
        'of the upper one.',
      unit: 's',
      width: 8,
      expr: `sum by (le) (rate(${served}_bucket{${ofRoute}}${rate}))`,
    }),
    graph({
      title: '99th percentile by route',
      description: 'Seconds. Shows which route is slow; narrow the Route variable to it for its exemplars.',
      unit: 's',
      width: 8,
      queries: [{ expr: duration(0.99, served, byRoute, ofRoute), legend }],
    }),
    graph({
      title: 'Answers by status',
      description:
        'Requests a second. A burst of 429 or 401 is a caller’s fault, 503 is refused load, other 5xx are ours.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: requestRate(served, label.status, ofRoute), legend: `{{${label.status}}}` }],
    }),
  ]
}

function outbound() {
  const by = byDestination.join(', ')
  const legend = `{{${label.serverAddress}}}:{{${label.serverPort}}}`
  const emptyWhile = 'the service calls nobody over HTTP'
  return [
    graph({
      title: 'Calls by destination',
      description: 'Calls a second. More calls than served requests explain are retries: look for a retry storm.',
      unit: 'reqps',
      width: 8,
      emptyWhile,
      queries: [{ expr: requestRate(called, by, ofService), legend }],
    }),
    graph(
      {
        title: 'Failed calls by destination',
        description:
          'The share answered with 5xx or not at all. The destination that stands out is the one to look at.',
        unit: 'percentunit',
        width: 8,
        emptyWhile,
        queries: [{ expr: failedShare(called, by, ofService), legend }],
      },
      failedLines,
    ),
    graph({
      title: '99th percentile by destination',
      description:
        'Seconds. A destination slower than the time limit of its callers turns into their errors: open its dashboard.',
      unit: 's',
      width: 8,
      emptyWhile,
      queries: [{ expr: duration(0.99, called, byDestination, ofService), legend, exemplars: true }],
    }),
  ]
}

function saturation() {
  const legend = '{{instance}}'
  return [
    graph({
      title: 'Requests in flight by instance',
      description: 'Requests begun and not yet answered. One that only grows: an instance hangs; take it out and look.',
      unit: 'short',
      width: 6,
      queries: [{ expr: `sum by (instance) (${metric.httpServerActive}{${ofService}})`, legend }],
    }),
    graph(
      {
        title: 'Event loop utilization',
        description: 'The share of time in which the loop was busy. Near 1 the instance is full: add instances.',
        unit: 'percentunit',
        width: 6,
        queries: [{ expr: `${metric.eventLoopUtilization}{${ofService}}`, legend }],
      },
      [
        { value: 0.7, color: 'orange' },
        { value: 0.9, color: 'red' },
      ],
    ),
    graph({
      title: 'CPU',
      description: 'Cores in use. Compare with the limit of the container: at the limit it is throttled.',
      unit: 'short',
      width: 6,
      queries: [{ expr: `rate(${runtimeMetric.processCpu}{${ofService}}${rate})`, legend }],
    }),
    graph({
      title: 'Restarts',
      description:
        'Process starts in each interval. Restarts that nobody ordered: read the last log lines before them.',
      unit: 'short',
      width: 6,
      queries: [{ expr: `changes(${runtimeMetric.startTime}{${ofService}}${rate})`, legend }],
    }),
  ]
}
