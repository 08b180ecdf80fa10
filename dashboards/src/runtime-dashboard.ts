import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { metric } from '@shaketable/sdk/names'
import { environmentVariable, frame, labelVariable } from './frame.ts'
import { graph } from './panels.ts'
import { runtimeLabel, runtimeMetric } from './runtime-metrics.ts'
import { ofEnvironment, ofService, rate } from './scraped.ts'
import { table } from './table.ts'

const of = `{${ofService},instance=~"$instance"}`
const legend = '{{instance}}'

/** The Node processes of one service: the event loop, memory, and what they hold open. */
export function runtimeDashboard(): DashboardBuilder {
  const dashboard = frame(
    'shaketable-runtime',
    'Shaketable / Node runtime',
    'The Node processes of one service: the event loop, memory and garbage collection, what they hold open.',
  )
    .withVariable(environmentVariable())
    .withVariable(
      labelVariable('service', 'Service', `label_values(${runtimeMetric.version}{${ofEnvironment}}, job)`, false),
    )
    .withVariable(
      labelVariable('instance', 'Instance', `label_values(${runtimeMetric.version}{${ofService}}, instance)`, true),
    )
  dashboard.withRow(new RowBuilder('Event loop'))
  for (const panel of eventLoop()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Memory'))
  for (const panel of memory()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Process'))
  for (const panel of processes()) dashboard.withPanel(panel)
  return dashboard
}

function eventLoop() {
  return [
    graph(
      {
        title: 'Event loop delay, 99th percentile',
        description: 'Seconds. Over some 100 ms something blocks the loop: take a CPU profile of that instance.',
        unit: 's',
        width: 8,
        queries: [{ expr: `${runtimeMetric.eventLoopLagP99}${of}`, legend }],
      },
      [
        { value: 0.1, color: 'orange' },
        { value: 0.25, color: 'red' },
      ],
    ),
    graph({
      title: 'Event loop delay, median',
      description:
        'Seconds; some 10 ms are the resolution of the measurement. When the median rises too, the loop is full, not ' +
        'blocked now and then: add instances.',
      unit: 's',
      width: 8,
      queries: [{ expr: `${runtimeMetric.eventLoopLagP50}${of}`, legend }],
    }),
    graph(
      {
        title: 'Event loop utilization',
        description: 'The share of time in which the loop was busy. Near 1 the instance is full: add instances.',
        unit: 'percentunit',
        width: 8,
        queries: [{ expr: `${metric.eventLoopUtilization}${of}`, legend }],
      },
      [
        { value: 0.7, color: 'orange' },
        { value: 0.9, color: 'red' },
      ],
    ),
  ]
}

function memory() {
  return [
    graph(
      {
        title: 'Heap in use, as a share of its limit',
        description:
          'Near 1 the process is about to die. One whose lowest points grow is a leak: compare two heap snapshots. Else raise ' +
          '--max-old-space-size.',
        unit: 'percentunit',
        width: 8,
        queries: [{ expr: `${runtimeMetric.heapUsed}${of} / ${metric.heapLimit}${of}`, legend }],
      },
      [{ value: 0.9, color: 'red' }],
    ),
    graph({
      title: 'Memory of the process',
      description:
        'Resident bytes. The container’s limit applies to this; the heap is only a part. At the limit the kernel kills it: ' +
        'set --max-old-space-size to some 75 % of the limit.',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: `${runtimeMetric.residentMemory}${of}`, legend }],
    }),
    graph({
      title: 'Buffers outside the heap',
      description:
        'Bytes. Growth here with a steady heap is buffers that are kept: streams that nobody reads to their end.',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: `${runtimeMetric.externalMemory}${of}`, legend }],
    }),
    graph(
      {
        title: 'Time in garbage collection',
        description:
          'The share of time. Over a few percent, raise --max-old-space-size; if that does not help, find what allocates in a heap profile.',
        unit: 'percentunit',
        width: 8,
        queries: [{ expr: `sum by (instance) (rate(${runtimeMetric.gcDuration}_sum${of}${rate}))`, legend }],
      },
      [{ value: 0.05, color: 'orange' }],
    ),
    graph({
      title: 'Collections by kind',
      description:
        'Collections a second. Many minor ones are garbage of requests; major ones in a row mean that the heap is nearly full.',
      unit: 'cps',
      width: 8,
      queries: [
        {
          expr: `sum by (${runtimeLabel.gcKind}) (rate(${runtimeMetric.gcDuration}_count${of}${rate}))`,
          legend: `{{${runtimeLabel.gcKind}}}`,
        },
      ],
    }),
    graph({
      title: 'Heap by space',
      description:
        'Bytes over the chosen instances. A leak grows in old; large_object that grows is large strings or arrays.',
      unit: 'bytes',
      width: 8,
      queries: [
        {
          expr: `sum by (${runtimeLabel.heapSpace}) (${runtimeMetric.heapSpaceUsed}${of})`,
          legend: `{{${runtimeLabel.heapSpace}}}`,
        },
      ],
    }),
  ]
}

function processes() {
  return [
    graph({
      title: 'CPU',
      description: 'Cores in use. Compare with the limit of the container: at the limit it is throttled.',
      unit: 'short',
      width: 8,
      queries: [{ expr: `rate(${runtimeMetric.processCpu}${of}${rate})`, legend }],
    }),
    graph({
      title: 'What keeps the process alive',
      description: 'Timers, sockets, requests to the kernel. A kind that only grows is one that is never closed.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `sum by (${runtimeLabel.resource}) (${runtimeMetric.activeResources}${of})`,
          legend: `{{${runtimeLabel.resource}}}`,
        },
      ],
    }),
    graph(
      {
        title: 'Open files, as a share of those allowed',
        description:
          'Sockets count too. Near 1 new connections fail with EMFILE: look for connections that nobody closes.',
        unit: 'percentunit',
        width: 8,
        queries: [{ expr: `${runtimeMetric.openFiles}${of} / ${runtimeMetric.maxFiles}${of}`, legend }],
      },
      [{ value: 0.8, color: 'red' }],
    ),
    table({
      title: 'Versions',
      description:
        'The Node version of each instance. Two versions outside of a release are a rollout that got stuck: finish it, or take it back.',
      width: 24,
      rows: { instance: 'Instance', [runtimeLabel.version]: 'Node' },
      columns: [
        {
          title: 'Started',
          expr:
            `max by (instance, ${runtimeLabel.version}) (${runtimeMetric.version}${of} * on (job, instance) group_left ` +
            `${runtimeMetric.startTime}${of}) * 1000`,
          unit: 'dateTimeFromNow',
        },
      ],
    }),
  ]
}
