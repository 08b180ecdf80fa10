import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import {
  dbDurationBoundaries,
  httpDurationBoundaries,
  label,
  metric,
  runnerLabel,
  runnerMetric,
} from '@shaketable/sdk/names'
import { objectiveAlert, signalLabels, signals } from '@shaketable/slo'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { collectorLabel, collectorLosses, collectorMetric, spanLabel, spanMetric } from '../src/collector-metrics.ts'
import { dashboards, healthAlerts } from '../src/index.ts'
import { everyPanel } from '../src/mend.ts'
import { runtimeLabel, runtimeMetric } from '../src/runtime-metrics.ts'
import { scraped } from '../src/scraped.ts'
import { listed, panels, promql, rules, variables } from './everything.ts'
import { logqlErrors, traceqlErrors } from './grammars.ts'
import { complaints, namesIn } from './promql.ts'

const generated = new URL('../generated/', import.meta.url)

describe('every query of a panel, annotation, variable or rule', () => {
  const queries = [...promql, ...listed]

  test.each(queries)('type-checks: $where', ({ expr }) => {
    expect(complaints(expr)).toEqual([])
  })

  const histograms: string[] = [
    metric.httpServerDuration,
    metric.httpClientDuration,
    runtimeMetric.gcDuration,
    spanMetric.duration,
    runnerMetric.loadDuration,
  ]
  const recorded = rules.flatMap(rule => ('record' in rule ? [rule.record] : []))
  const known = {
    metrics: new Set<string>([
      ...histograms.flatMap(name => [`${name}_bucket`, `${name}_count`, `${name}_sum`]),
      ...[metric, runtimeMetric, spanMetric, collectorMetric, runnerMetric]
        .flatMap(names => Object.values<string>(names))
        .filter(name => !histograms.includes(name)),
      ...recorded,
      ...collectorLosses,
      'up',
      'ALERTS',
    ]),
    labels: new Set<string>([
      ...[label, runtimeLabel, spanLabel, collectorLabel, runnerLabel, scraped].flatMap(names =>
        Object.values<string>(names),
      ),
      ...['le', 'alertname', 'alertstate', 'severity', 'slo', 'service', 'window'],
    ]),
  }

  test.each(queries)('reads only metrics and labels that exist: $where', ({ expr }) => {
    const { metrics, labels } = namesIn(expr)
    expect(metrics.filter(name => !known.metrics.has(name))).toEqual([])
    expect(labels.filter(name => !known.labels.has(name))).toEqual([])
  })
})

test('every query of logs or traces keeps to the grammar of its language', () => {
  const asked = panels.flatMap(({ targets }) => targets)
  const logql = asked.filter(({ datasource }) => datasource.type === 'loki').map(({ expr }) => expr ?? '')
  const traceql = asked.filter(({ queryType }) => queryType === 'traceql').map(({ query }) => query ?? '')
  expect([logql.length, traceql.length]).toEqual([3, 2])
  expect(logql.flatMap(logqlErrors)).toEqual([])
  expect(traceql.flatMap(traceqlErrors)).toEqual([])
  expect(logqlErrors('sum by (level (rate({a="b"}[5m]))')).not.toEqual([])
  expect(traceqlErrors('{ resource.service.name = "a" && }')).not.toEqual([])
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

test.each(panels)('the panel "$panel.title" says what it shows and what to do, in a unit, from a variable', one => {
  const { dashboard, panel, targets } = one
  expect(panel.title).toBeTruthy()
  expect(panel.description?.length).toBeGreaterThan(40)
  expect(panel.fieldConfig?.defaults?.unit).toBeTruthy()
  const sources = variables(dashboard).flatMap(({ name, type }) => (type === 'datasource' ? [`$\{${name}}`] : []))
  expect(sources).toContain(panel.datasource?.uid)
  expect(targets.length).toBeGreaterThan(0)
  for (const target of targets) {
    expect(target.datasource).toEqual(panel.datasource)
    expect(target.expr ?? '').not.toMatch(/\[\d+[smhd]\]/)
  }
  expect(targets.map(target => target.refId)).toEqual([...'ABCDEF'].slice(0, targets.length))
})

// The rules of Grafana's dashboard-linter that fit OpenTelemetry's labels and are not tested above. Left out: target-job and
// target-instance, which want a matcher named after the job and instance of a scrape configuration in every query (ours
// select by the variables service and environment), and template-job and template-instance, which want their variables.
describe('what dashboard-linter asks', () => {
  test('dashboards cannot be edited in Grafana, and each reads its variables again when the time changes', () => {
    for (const dashboard of dashboards()) {
      expect(dashboard.editable).toBe(false)
      expect(variables(dashboard)[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' })
      for (const one of variables(dashboard)) if (one.type === 'query') expect(one.refresh).toBe(2)
    }
  })

  test('every variable that a query uses is one of its dashboard, and every variable is used', () => {
    for (const dashboard of dashboards()) {
      const names = variables(dashboard).map(({ name }) => name)
      const text = JSON.stringify([dashboard.panels, variables(dashboard).map(({ query }) => query)])
      const used = [...text.matchAll(/\$\{?([a-z]\w*)(?!\w*:)/g)].map(found => found[1]!)
      expect(used.filter(name => !names.includes(name) && name !== 'environment')).toEqual([])
      expect(names.filter(name => !used.includes(name))).toEqual([])
    }
  })

  test('counters are read as rates over the interval that Grafana chooses, and rates are summed, not sums rated', () => {
    for (const { where, expr } of promql.slice(0, -rules.length)) {
      expect(expr, where).not.toMatch(/(rate|increase)\(\s*sum/)
      const rated = [...expr.matchAll(/(?:rate|increase|changes)\([^()]*\[([^\]]+)\]/g)].map(found => found[1])
      for (const window of rated) expect(window, where).toBe('$__rate_interval')
      for (const name of namesIn(expr).metrics.filter(name => /_(total|count|bucket|sum)$/.test(name)))
        expect(expr, where).toMatch(new RegExp(`(rate|increase)\\(${name}`))
    }
  })
})

test('every dashboard marks the faults, leads to the others, and keeps time and variables on the way', () => {
  for (const { annotations, links } of dashboards()) {
    expect(annotations?.list?.map(({ name, enable }) => [name, enable])).toEqual([
      ['Faults armed', true],
      ['Faults that struck', true],
    ])
    expect(links).toMatchObject([{ tags: ['shaketable'], includeVars: true, keepTime: true }])
  }
})

test('a link of a cell leads to a dashboard that exists, and keeps the time, the data source and the environment', () => {
  const text = JSON.stringify(dashboards())
  const urls = [...text.matchAll(/"url":"\/d\/([^?"]+)\?([^"]+)"/g)].map(found => [found[1]!, found[2]!] as const)
  expect(urls.length).toBeGreaterThan(2)
  for (const [uid, query] of urls) {
    expect(dashboards().map(one => one.uid)).toContain(uid)
    for (const kept of ['datasource:queryparam', 'environment:queryparam', '__url_time_range'])
      expect(query).toContain(kept)
  }
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

test('every alert leads to a dashboard that exists, with variables that it has', () => {
  const made = new Map(dashboards().map(dashboard => [dashboard.uid, dashboard]))
  for (const rule of rules) {
    if (!('alert' in rule)) continue
    const [, uid, query] = /^\/d\/([\w-]+)(?:\?(.*))?$/.exec(rule.annotations.dashboard!)!
    const names = made.get(uid!)?.templating?.list?.map(({ name }) => `var-${name}`)
    expect(names, rule.alert).toEqual(expect.arrayContaining([...new URLSearchParams(query).keys()]))
  }
})

test('an alert beyond the objectives leads to a dashboard that shows what it is about', () => {
  const shown = Map.groupBy(panels, ({ dashboard }) => dashboard.uid)
  const unseen = rules.flatMap(rule => {
    if (!('alert' in rule) || Object.values<string>(objectiveAlert).includes(rule.alert)) return []
    const [, uid] = /^\/d\/([\w-]+)/.exec(rule.annotations.dashboard!)!
    const read = shown
      .get(uid!)!
      .flatMap(({ targets }) => targets.flatMap(({ expr }) => (expr ? namesIn(expr).metrics : [])))
    return namesIn(rule.expr).metrics.some(name => read.includes(name)) ? [] : [rule.alert]
  })
  expect(unseen).toEqual([])
})

test('the objectives’ names of metrics, labels and buckets are the SDK’s', () => {
  const { method, route, serverAddress: server } = label
  const message = { system: label.messagingSystem, destination: label.messagingDestination }
  const messaging = { ...message, operation: label.messagingOperation, server }
  const call = { system: label.rpcSystem, method: label.rpcMethod }
  const database = { system: label.dbSystem, namespace: label.dbNamespace, operation: label.dbOperation, server }
  const shapes = Object.entries(signals).map(([name, { duration, selects }]) => [name, [duration, selects]])
  expect(Object.fromEntries(shapes)).toEqual({
    'http-server': [metric.httpServerDuration, { method, route }],
    'http-client': [metric.httpClientDuration, { method, server }],
    database: [metric.dbClientDuration, database],
    'messaging-client': [metric.messagingClientDuration, messaging],
    'messaging-process': [metric.messagingProcessDuration, messaging],
    'rpc-server': [metric.rpcServerDuration, call],
    'rpc-client': [metric.rpcClientDuration, { ...call, server }],
  })
  const { database: ofDatabase, ...others } = signals
  expect(ofDatabase.boundaries).toEqual(dbDurationBoundaries)
  for (const { boundaries } of Object.values(others)) expect(boundaries).toEqual(httpDurationBoundaries)
  expect(signalLabels).toEqual({ service: 'job', status: label.status, error: label.errorType })
  expect(parse(readFileSync(new URL('alerts.yaml', generated), 'utf8'))).toEqual(healthAlerts())
})
