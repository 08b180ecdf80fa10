import { label, metric } from '@shaketable/sdk/names'
import type { AlertRule, RulesFile } from '@shaketable/slo'
import { collectorLosses, collectorMetric } from './collector-metrics.ts'
import { runtimeMetric } from './runtime-metrics.ts'

/** Alerts that belong to no objective: whether services are there and well, and whether what they tell can be trusted. */
export function healthAlerts(): RulesFile {
  return {
    groups: [
      { name: 'shaketable-health', rules: [...presence, ...runtime] },
      { name: 'shaketable-telemetry', rules: telemetry },
      { name: 'shaketable-experiments', rules: experiments },
    ],
  }
}

const here = '{{ $labels.instance }} ({{ $labels.job }})'

const ofJob = 'var-service={{ $labels.job }}'
/** Where it is seen what an alert is about. */
const seenOn = {
  fleet: '/d/shaketable-overview',
  runtime: `/d/shaketable-runtime?${ofJob}&var-instance={{ $labels.instance }}`,
  signals: `/d/shaketable-signals?${ofJob}`,
  /** The collector's own panels, whatever service is chosen. */
  collector: '/d/shaketable-signals',
  chaos: '/d/shaketable-chaos',
} as const

const presence: AlertRule[] = [
  alert('ServiceDown', 'page', '1m', 'sum by (job) (up) == 0', 'fleet', {
    summary: 'No instance of {{ $labels.job }} answers',
    description: 'Every instance of {{ $labels.job }} has failed its scrapes for a minute.',
    impact: 'The service is down for everybody, or nobody can tell that it is not.',
  }),
  alert('InstanceDown', 'ticket', '5m', 'up == 0', 'fleet', {
    summary: '{{ $labels.instance }} of {{ $labels.job }} does not answer',
    description: 'The instance has failed its scrapes for five minutes: it is gone, hangs, or cannot be reached.',
    impact: 'The others carry its load.',
  }),
  alert('RestartLoop', 'ticket', undefined, `changes(${runtimeMetric.startTime}[15m]) >= 3`, 'runtime', {
    summary: `${here} starts again and again`,
    description: 'Its process has started {{ $value }} times within 15 minutes.',
    impact: 'Requests in flight are lost at each start, and a service of such instances may be down soon.',
  }),
  alert('TelemetryMissing', 'ticket', '10m', 'count by (job) (up offset 1h) unless count by (job) (up)', 'fleet', {
    summary: 'Nothing is scraped of {{ $labels.job }} any more',
    description: 'An hour ago Prometheus knew {{ $value }} instances of it, and now it knows none.',
    impact: 'Nothing of the service is seen, so that none of its other alerts can fire.',
  }),
]

const heapRatio = `${runtimeMetric.heapUsed} / ${metric.heapLimit}`
const collecting = `sum by (job, instance) (rate(${runtimeMetric.gcDuration}_sum[5m]))`

const runtime: AlertRule[] = [
  alert('EventLoopBlocked', 'ticket', '5m', `${runtimeMetric.eventLoopLagP99} > 0.25`, 'runtime', {
    summary: `The event loop of ${here} is blocked`,
    description: 'Its 99th percentile of delay is {{ $value | humanizeDuration }}.',
    impact: 'Every request to the instance waits as long, health checks too.',
  }),
  alert('HeapNearLimit', 'ticket', '10m', `${heapRatio} > 0.9`, 'runtime', {
    summary: `The heap of ${here} is nearly full`,
    description: 'It holds {{ $value | humanizePercentage }} of what V8 allows it (`--max-old-space-size`).',
    impact: 'At the limit the process ends at once, with all requests in flight.',
  }),
  alert('GarbageCollectionPressure', 'ticket', '10m', `${collecting} > 0.1`, 'runtime', {
    summary: `${here} spends its time on collecting garbage`,
    description: '{{ $value | humanizePercentage }} of the time goes into it.',
    impact: 'Requests are slower than they need to be. Often the heap is about to be full.',
  }),
]

const anyOf = (name: string) => `sum by (job, instance) (rate(${name}[5m])) > 0`

const queueRatio = `${collectorMetric.queueSize} / ${collectorMetric.queueCapacity}`

const telemetry: AlertRule[] = [
  alert('TelemetryDropping', 'ticket', '5m', anyOf(metric.spansDropped), 'signals', {
    summary: `${here} drops spans`,
    description: '{{ $value | humanize }} spans a second are lost.',
    impact: 'Traces have holes. Requests are not harmed; metrics and logs are whole.',
  }),
  alert('MetricsNotSent', 'ticket', '10m', anyOf(metric.metricExportsFailed), 'signals', {
    summary: `${here} cannot send its metrics`,
    description: 'Pushes of metrics over OTLP have failed for ten minutes.',
    impact: 'Where they are pushed to, its dashboards and alerts see an old state or nothing.',
  }),
  alert('CollectorDropping', 'ticket', '5m', collectorLosses.map(anyOf).join('\nor '), 'collector', {
    summary: `The collector ${here} drops telemetry`,
    description:
      '{{ $value | humanize }} items a second are lost: its queue is full, or what is behind it refuses them.',
    impact: 'Traces, metrics or logs that pass the collector have holes. Services are not harmed.',
  }),
  alert('CollectorQueueFilling', 'ticket', '10m', `${queueRatio} > 0.8`, 'collector', {
    summary: `A queue of the collector ${here} fills`,
    description: 'The queue of its exporter {{ $labels.exporter }} is {{ $value | humanizePercentage }} full.',
    impact:
      'Nothing is lost yet. When it is full the collector refuses, and what finds no room in the queues before it is lost.',
  }),
]

const injected = `sum by (job, ${label.faultKind}) (increase(${metric.faultsInjected}[5m])) > 0`

const experiments: AlertRule[] = [
  alert('ExperimentRunning', 'info', undefined, injected, 'chaos', {
    summary: `An experiment injects {{ $labels.${label.faultKind} }} into {{ $labels.job }}`,
    description: '{{ $value | humanize }} requests were struck within five minutes.',
    impact: 'What breaks meanwhile may be broken on purpose; its alerts fire nevertheless.',
  }),
]

function alert(
  name: string,
  severity: 'page' | 'ticket' | 'info',
  after: string | undefined,
  expr: string,
  dashboard: keyof typeof seenOn,
  words: { summary: string; description: string; impact: string },
): AlertRule {
  const links = {
    dashboard: seenOn[dashboard],
    runbook: `dashboards/RUNBOOKS.md#${name.toLowerCase()}`,
  }
  const rule = { alert: name, expr, labels: { severity }, annotations: { ...words, ...links } }
  return after === undefined
    ? rule
    : { alert: name, expr, for: after, labels: rule.labels, annotations: rule.annotations }
}
