import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { httpDurationBoundaries, label, metric } from '@shaketable/sdk/names'
import { objectiveAlert, prometheusRules, signalLabels, signals } from '@shaketable/slo'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { collectorMetric } from '../src/alert-rules.ts'
import { dashboards, healthAlerts } from '../src/index.ts'
import { everyPanel } from '../src/mend.ts'
import { runtimeMetric } from '../src/runtime-metrics.ts'
import { complaints, namesIn } from './promql.ts'

const generated = new URL('../generated/', import.meta.url)
const objective = {
  name: 'checkout-latency',
  title: 'Checkout latency',
  description: undefined,
  service: 'gateway',
  target: 0.99,
  windowMs: 30 * 86_400_000,
  indicator: {
    type: 'shaketable',
    selector: { signal: 'http-server', service: 'gateway', method: 'POST', route: '/checkout' },
    good: { status: { below: 500 }, underSeconds: 0.5 },
  },
  labels: {},
  place: { file: 'objectives.yaml', line: 1, column: 1 },
} as const
const rules = [prometheusRules([objective]), healthAlerts()].flatMap(file => file.groups.flatMap(group => group.rules))

interface Target {
  expr: string
  refId: string
  datasource: { uid: string }
}

const panels = dashboards().flatMap(dashboard =>
  everyPanel(dashboard.panels ?? []).flatMap(panel =>
    panel.type === 'row' || !('targets' in panel)
      ? []
      : [{ dashboard, panel, targets: (panel.targets ?? []) as unknown as Target[] }],
  ),
)
const queries = [
  ...panels.flatMap(({ panel, targets }) => targets.map(({ expr }) => ({ where: panel.title ?? '', expr }))),
  ...rules.map(rule => ({ where: 'alert' in rule ? rule.alert : rule.record, expr: rule.expr })),
]

describe('every query of a panel or rule', () => {
  test.each(queries)('type-checks: $where', ({ expr }) => {
    expect(complaints(expr)).toEqual([])
  })

  const histograms = [metric.httpServerDuration, metric.httpClientDuration, runtimeMetric.gcDuration]
  const recorded = rules.flatMap(rule => ('record' in rule ? [rule.record] : []))
  const known = {
    metrics: new Set<string>([
      ...histograms.flatMap(name => [`${name}_bucket`, `${name}_count`, `${name}_sum`]),
      ...[...Object.values(metric), ...Object.values(runtimeMetric)].filter(
        name => !histograms.includes(name as never),
      ),
      ...recorded,
      ...Object.values(collectorMetric).flat(),
      'up',
      'ALERTS',
    ]),
    labels: new Set<string>([
      ...Object.values(label),
      ...['job', 'instance', 'le', 'alertname', 'alertstate', 'severity', 'slo', 'service', 'window'],
    ]),
  }

  test.each(queries)('reads only metrics and labels that exist: $where', ({ expr }) => {
    const { metrics, labels } = namesIn(expr)
    expect(metrics.filter(name => !known.metrics.has(name))).toEqual([])
    expect(labels.filter(name => !known.labels.has(name))).toEqual([])
  })
})

test('the check of queries finds what is wrong with them', () => {
  expect(complaints('sum(up[5m])')).not.toEqual([])
  expect(complaints('rate(up)')).not.toEqual([])
  expect(complaints('histogram_quantile(sum by (le) (up))')).not.toEqual([])
  expect(complaints('sum by (le (up)')).not.toEqual([])
  expect(namesIn('sum by (zone) (rate(nowhere_total{lost="x"}[$__rate_interval])) > on (slo) up')).toEqual({
    metrics: ['nowhere_total', 'up'],
    labels: ['zone', 'lost', 'slo'],
  })
})

test.each(panels)('the panel "$panel.title" says what it shows and what to do, in a unit, from the variable', one => {
  const { panel, targets } = one
  expect(panel.title).toBeTruthy()
  expect(panel.description?.length).toBeGreaterThan(40)
  expect('fieldConfig' in panel && panel.fieldConfig?.defaults?.unit).toBeTruthy()
  expect(panel.datasource?.uid).toBe('$' + '{datasource}')
  expect(targets.length).toBeGreaterThan(0)
  for (const target of targets) {
    expect(target.datasource.uid).toBe('$' + '{datasource}')
    expect(target.expr).not.toMatch(/\[\d+[smhd]\]/)
  }
  expect(targets.map(target => target.refId)).toEqual(['A', 'B', 'C', 'D'].slice(0, targets.length))
})

test('ids of panels are unique in a dashboard, and its own id is stable', () => {
  for (const dashboard of dashboards()) {
    const ids = everyPanel(dashboard.panels ?? []).map(panel => panel.id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(dashboard.uid).toMatch(/^shaketable-[a-z]+$/)
  }
})

test('the generated files are those that the sources make, and nothing else', () => {
  const generate = new URL('../src/generate.ts', import.meta.url).pathname
  execFileSync(process.execPath, ['--conditions=@shaketable/source', generate, '--check'])
  expect(readdirSync(generated).length).toBe(dashboards().length + 1)
})

test('every alert has a section in RUNBOOKS.md, and every section an alert', () => {
  const runbooks = readFileSync(new URL('../RUNBOOKS.md', import.meta.url), 'utf8')
  const sections = [...runbooks.matchAll(/^## (\w+)$/gm)].map(found => found[1]!)
  const alerts = new Set(rules.flatMap(rule => ('alert' in rule ? [rule.alert] : [])))
  expect([...alerts].sort()).toEqual([...sections].sort())
  expect([...alerts]).toEqual(expect.arrayContaining(Object.values(objectiveAlert)))
  for (const rule of rules) {
    if ('alert' in rule)
      expect(rule.annotations).toMatchObject({
        summary: expect.stringMatching(/\S/),
        description: expect.stringMatching(/\S/),
        impact: expect.stringMatching(/\S/),
      })
    if ('alert' in rule)
      expect(rule.annotations.runbook).toMatch(new RegExp(`RUNBOOKS.md#${rule.alert.toLowerCase()}$`))
  }
})

test('every alert leads to a dashboard that exists', () => {
  const uids = dashboards().map(dashboard => dashboard.uid)
  for (const rule of rules) {
    if ('alert' in rule) expect(uids).toContain(rule.annotations.dashboard?.match(/\/d\/([\w-]+)/)?.[1])
  }
})

test('the objectives’ names of metrics, labels and buckets are the SDK’s', () => {
  expect(signals['http-server']).toMatchObject({
    duration: metric.httpServerDuration,
    boundaries: httpDurationBoundaries,
    selects: { method: label.method, route: label.route },
  })
  expect(signals['http-client']).toMatchObject({
    duration: metric.httpClientDuration,
    boundaries: httpDurationBoundaries,
    selects: { method: label.method, server: label.serverAddress },
  })
  expect(signalLabels).toEqual({ service: 'job', status: label.status, error: label.errorType })
  expect(parse(readFileSync(new URL('alerts.yaml', generated), 'utf8'))).toEqual(healthAlerts())
})
