import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toYaml } from '@shaketable/slo'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { healthAlerts } from '../../dashboards/src/index.ts'
import { run } from './processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'shaketable-alerts-'))
beforeAll(() => {
  installDebianPackages('prometheus', 'prometheus-alertmanager')
  symlinkSync(
    fileURLToPath(new URL('../../dashboards/generated/alerts.yaml', import.meta.url)),
    join(folder, 'alerts.yaml'),
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Case {
  /** Series that are as they should be for two hours, a minute a sample. */
  well: Record<string, string>
  /** The same series, with something wrong from the beginning of the second hour on. */
  ill: Record<string, string>
  /** Minutes from then on until it fires, and how many minutes before it must not. */
  firesAfter: number
  labels: Record<string, string>
}

const a = { job: 'shop', instance: 'a:9464' }
const of = (name: string, labels: object = a) =>
  `${name}{${Object.entries(labels).map(([key, value]) => `${key}="${value}"`)}}`
const steady = (value: number) => `${value}+0x120`
const then = (before: number, after: string) => `${before}+0x59 ${after}`

/** One for each alert: when it must fire, and when not. */
const cases: Record<string, Case> = {
  ServiceDown: {
    well: { [of('up')]: then(1, '0+0x60'), [of('up', { ...a, instance: 'b' })]: steady(1) },
    ill: { [of('up')]: then(1, '0+0x60'), [of('up', { ...a, instance: 'b' })]: then(1, '0+0x60') },
    firesAfter: 1,
    labels: { job: 'shop', severity: 'page' },
  },
  InstanceDown: {
    well: { [of('up')]: `1+0x59 0 0 0 1+0x57` },
    ill: { [of('up')]: then(1, '0+0x60') },
    firesAfter: 5,
    labels: { ...a, severity: 'ticket' },
  },
  RestartLoop: {
    well: { [of('process_start_time_seconds')]: then(100, '3600+0x60') },
    ill: { [of('process_start_time_seconds')]: then(100, '3600 3660 3720+0x58') },
    firesAfter: 2,
    labels: { ...a, severity: 'ticket' },
  },
  TelemetryMissing: {
    well: { [of('up')]: steady(0) },
    ill: { [of('up')]: `1+0x60 _x60` },
    // The last sample counts for five minutes more.
    firesAfter: 5 + 10,
    labels: { job: 'shop', severity: 'ticket' },
  },
  EventLoopBlocked: {
    well: { [of('nodejs_eventloop_lag_p99_seconds')]: then(0.02, '0.2+0x60') },
    ill: { [of('nodejs_eventloop_lag_p99_seconds')]: then(0.02, '0.3+0x60') },
    firesAfter: 5,
    labels: { ...a, severity: 'ticket' },
  },
  HeapNearLimit: {
    well: { [of('nodejs_heap_size_limit_bytes')]: steady(1000), [of('nodejs_heap_size_used_bytes')]: steady(850) },
    ill: {
      [of('nodejs_heap_size_limit_bytes')]: steady(1000),
      [of('nodejs_heap_size_used_bytes')]: then(500, '950+0x60'),
    },
    firesAfter: 10,
    labels: { ...a, severity: 'ticket' },
  },
  GarbageCollectionPressure: {
    well: { [of('nodejs_gc_duration_seconds_sum', { ...a, kind: 'minor' })]: '0+3x120' },
    ill: {
      [of('nodejs_gc_duration_seconds_sum', { ...a, kind: 'minor' })]: '0+3x59 183+6x60',
      [of('nodejs_gc_duration_seconds_sum', { ...a, kind: 'major' })]: '0+0x59 3+3x60',
    },
    // Two of its window's five minutes.
    firesAfter: 2 + 10,
    labels: { ...a, severity: 'ticket' },
  },
  TelemetryDropping: dropping('shaketable_telemetry_spans_dropped_total', 5),
  MetricsNotSent: dropping('shaketable_telemetry_metric_exports_failed_total', 10),
  CollectorDropping: dropping('otelcol_exporter_send_failed_spans', 5, { exporter: 'otlp_http/tempo' }),
  CollectorQueueFilling: {
    well: queue(steady(700)),
    ill: queue(then(0, '900+0x60')),
    firesAfter: 10,
    labels: { ...a, exporter: 'otlp_http/tempo', severity: 'ticket' },
  },
  ExperimentRunning: {
    well: { [of('shaketable_faults_injected_total', { ...a, shaketable_fault_kind: 'latency' })]: steady(7) },
    ill: { [of('shaketable_faults_injected_total', { ...a, shaketable_fault_kind: 'latency' })]: '0+0x59 4+4x60' },
    firesAfter: 0,
    labels: { job: 'shop', shaketable_fault_kind: 'latency', severity: 'info' },
  },
}

function dropping(name: string, minutes: number, more = {}): Case {
  const series = of(name, { ...a, ...more })
  return {
    well: { [series]: steady(12) },
    ill: { [series]: '0+0x59 4+4x60' },
    firesAfter: minutes,
    labels: { ...a, severity: 'ticket' },
  }
}

function queue(size: string): Record<string, string> {
  const labels = { ...a, exporter: 'otlp_http/tempo' }
  return {
    [of('otelcol_exporter_queue_capacity', labels)]: steady(1000),
    [of('otelcol_exporter_queue_size', labels)]: size,
  }
}

const alerts = healthAlerts().groups.flatMap(({ rules }) => rules.flatMap(rule => ('alert' in rule ? [rule] : [])))

test('there is a case for every alert', () => {
  expect(Object.keys(cases).sort()).toEqual(alerts.map(({ alert }) => alert).sort())
})

test('each alert fires when it must, after its time and not before, and not when all is well', () => {
  const firing = (alert: string, minutes: number, samples: object[]) => ({
    expr: `ALERTS{alertname="${alert}",alertstate="firing"}`,
    eval_time: `${minutes}m`,
    exp_samples: samples,
  })
  const tests = Object.entries(cases).flatMap(([alert, { well, ill, firesAfter, labels }]) => {
    const series = Object.entries({ ...labels, alertname: alert, alertstate: 'firing' })
    const sample = { labels: `ALERTS{${series.map(([key, value]) => `${key}="${value}"`)}}`, value: 1 }
    const input = (from: object) => Object.entries(from).map(([name, values]) => ({ series: name, values }))
    return [
      {
        name: `${alert}: all is well`,
        interval: '1m',
        input_series: input(well),
        promql_expr_test: [70, 90, 115].map(minutes => firing(alert, minutes, [])),
      },
      {
        name: `${alert}: fires`,
        interval: '1m',
        input_series: input(ill),
        promql_expr_test: [
          firing(alert, 59, []),
          firing(alert, 60 + firesAfter - 1, []),
          firing(alert, 60 + firesAfter + 1, [sample]),
        ],
      },
    ]
  })
  writeFileSync(
    join(folder, 'alerts.tests.yaml'),
    toYaml({ rule_files: ['alerts.yaml'], evaluation_interval: '1m', tests }),
  )
  const { said } = run('promtool', ['test', 'rules', 'alerts.tests.yaml'], folder)
  expect(said).toContain('SUCCESS')
})

const alertmanager = fileURLToPath(new URL('../alertmanager/alertmanager.yml', import.meta.url))

test('Alertmanager accepts its configuration', () => {
  const checked = run('amtool', ['check-config', alertmanager])
  expect(checked).toMatchObject({ code: 0, said: expect.stringContaining('3 receivers') })
})

test('each severity goes to its own receiver, and every alert has one of them', () => {
  const routed = (severity: string) =>
    run('amtool', ['config', 'routes', 'test', `--config.file=${alertmanager}`, `severity=${severity}`]).said.trim()
  expect(['page', 'ticket', 'info', 'none'].map(routed)).toEqual(['pages', 'tickets', 'notes', 'tickets'])
  for (const { labels } of alerts) expect(['page', 'ticket', 'info']).toContain(labels.severity)
})
