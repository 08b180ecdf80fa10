import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatProblem, InvalidInput } from './error.ts'
import { type ImportOptions, importObjectives } from './import.ts'
import { readObjectives } from './openslo.ts'
import { prometheusRules } from './rules.ts'
import { writeOpenSlo } from './write-openslo.ts'

const sloth = `version: prometheus/v1
service: gateway
labels: { team: shop }
slos:
  - name: availability
    description: Few orders fail.
    objective: 99.9
    labels: { tier: 2 }
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="gateway",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="gateway"}[{{ .window }}]))
    alerting:
      name: GatewayErrors
      labels: { category: errors }
      page_alert:
        labels: { severity: critical }
`

const pyrra = `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: query-latency
  namespace: monitoring
  labels: { role: alert-rules, pyrra.dev/team: shop }
spec:
  description: ""
  target: "99.5"
  window: 4w
  indicator:
    latency:
      success: { metric: 'request_seconds_bucket{job="api",handler="/orders/{id}",le="0.5"}' }
      total: { metric: 'request_seconds_count{job="api",handler="/orders/{id}"}' }
`

function complaints(text: string, options?: ImportOptions): string {
  try {
    importObjectives(text, 'f.yaml', options)
  } catch (error) {
    if (error instanceof InvalidInput) return error.message
    throw error
  }
  return 'none'
}

const changed = (text: string, from: string | RegExp, to: string) => {
  const other = text.replace(from, to)
  expect(other).not.toBe(text)
  return other
}

/** What an objective says, wherever it stands. */
const said = (objectives: ReturnType<typeof readObjectives>) => objectives.map(({ place: _, ...rest }) => rest)

describe('Sloth’s prometheus/v1', () => {
  it('becomes an objective named as its sloth_id, over the counters in its queries', () => {
    const { objectives } = importObjectives(sloth, 'f.yaml')
    expect(said(objectives)).toEqual([
      {
        name: 'gateway-availability',
        title: 'availability',
        description: 'Few orders fail.',
        service: 'gateway',
        target: 0.999,
        windowMs: 30 * 86_400_000,
        indicator: {
          type: 'prometheus',
          goodQuery: undefined,
          badQuery: 'sum(http_requests_total{job="gateway",code=~"5.."})',
          totalQuery: 'sum(http_requests_total{job="gateway"})',
        },
        labels: { team: 'shop', tier: '2', category: 'errors' },
      },
    ])
    expect(objectives[0]!.place).toEqual({ file: 'f.yaml', line: 5, column: 11 })
    expect(importObjectives(sloth, 'f.yaml', { windowMs: 28 * 86_400_000 }).objectives[0]!.windowMs).toBe(
      28 * 86_400_000,
    )
  })

  it('keeps a query that is more than the rate of a counter, and both where their functions differ', () => {
    const wifi = changed(sloth, /total_query: .*/, 'total_query: sum_over_time((count(x))[{{.window}}:])')
    expect(importObjectives(wifi, 'f.yaml').objectives[0]!.indicator).toMatchObject({
      badQuery: 'sum(rate(http_requests_total{job="gateway",code=~"5.."}[{{.window}}]))',
      totalQuery: 'sum_over_time((count(x))[{{.window}}:])',
    })
    const mixed = changed(sloth, 'total_query: sum(rate', 'total_query: sum(increase')
    expect(importObjectives(mixed, 'f.yaml').objectives[0]!.indicator).toMatchObject({
      totalQuery: 'sum(increase(http_requests_total{job="gateway"}[{{ .window }}]))',
    })
  })

  it('tells what of its alerts has no place in an objective', () => {
    expect(importObjectives(sloth, 'f.yaml').notes.map(note => formatProblem(note).split('\n')[0])).toEqual([
      'f.yaml:14:13: slos[0].alerting.name is not carried over',
      'f.yaml:17:17: slos[0].alerting.page_alert.labels is not carried over',
    ])
  })

  it.each([
    [
      'a plugin’s indicator',
      /events:[\s\S]*window }}\]\)\)/,
      'plugin: { id: x }',
      'f.yaml:10:15: slos[0].sli.plugin: the queries of a plugin are made by Sloth',
    ],
    [
      'a ready-made ratio',
      /events:[\s\S]*window }}\]\)\)/,
      'raw: { error_ratio_query: x }',
      'f.yaml:10:12: slos[0].sli.raw: a ratio that is ready-made',
    ],
    ['no indicator', /\n {6}events:[\s\S]*window }}\]\)\)/, ' {}', 'f.yaml:9:10: slos[0].sli: expected "events"'],
    [
      'plugins of the rules',
      'slos:',
      'slo_plugins: { chain: [] }\nslos:',
      'f.yaml:4:14: slo_plugins: plugins change the rules',
    ],
    [
      'an alert that is left out',
      'labels: { severity: critical }',
      'disable: true',
      'f.yaml:17:18: slos[0].alerting.page_alert.disable: no OpenSLO file can say',
    ],
    [
      'a query without a window',
      '[{{.window}}]',
      '[5m]',
      'f.yaml:11:22: slos[0].sli.events.error_query: expected a query with {{.window}}',
    ],
    [
      'another template in a query',
      'code=~"5.."',
      'code="{{.code}}"',
      'f.yaml:11:22: slos[0].sli.events.error_query: expected a query with {{.window}}',
    ],
    [
      'a target without a budget',
      '99.9',
      '100',
      'f.yaml:7:16: slos[0].objective: expected a percentage over 0 and under 100, e.g. 99.9, saw the number 100',
    ],
    [
      'a name that OpenSLO has not',
      'name: availability',
      'name: Availability',
      'f.yaml:5:11: slos[0].name: "gateway-Availability" (the service, then the SLO) is no name',
    ],
    [
      'a misspelt field',
      'total_query',
      'total_querry',
      'f.yaml:12:9: slos[0].sli.events: unknown field "total_querry"; did you mean "total_query"?',
    ],
  ])('refuses %s, and says where', (_, from, to, message) => {
    expect(complaints(changed(sloth, from, to))).toContain(message)
  })
})

describe('Pyrra’s ServiceLevelObjective', () => {
  it('becomes an objective of the service that its total selects as job', () => {
    const { objectives, notes } = importObjectives(pyrra, 'f.yaml')
    expect(said(objectives)).toEqual([
      {
        name: 'query-latency',
        title: 'query-latency',
        description: undefined,
        service: 'api',
        target: 0.995,
        windowMs: 28 * 86_400_000,
        indicator: {
          type: 'prometheus',
          goodQuery: 'sum(request_seconds_bucket{job="api",handler="/orders/{id}",le="0.5"})',
          badQuery: undefined,
          totalQuery: 'sum(request_seconds_count{job="api",handler="/orders/{id}"})',
        },
        labels: { team: 'shop' },
      },
    ])
    expect(notes.map(note => note.message)).toEqual(['the label "role" is not carried over'])
  })

  it('counts errors where it has a ratio, and takes the service from the caller', () => {
    const ratio = changed(changed(pyrra, 'latency:\n', 'ratio:\n'), 'success:', 'errors:').replaceAll('job="api",', '')
    expect(complaints(ratio)).toContain('f.yaml:14:24: spec.indicator.ratio.total.metric: OpenSLO wants the service')
    expect(importObjectives(ratio, 'f.yaml', { service: 'orders' }).objectives[0]).toMatchObject({
      service: 'orders',
      indicator: { goodQuery: undefined, badQuery: expect.stringContaining('request_seconds_bucket') },
    })
  })

  it.each([
    [
      'one objective a group',
      'latency:\n',
      'latency:\n      grouping: [handler]\n',
      'f.yaml:13:17: spec.indicator.latency.grouping: one objective for each "handler"',
    ],
    [
      'native histograms',
      /latency:\n[\s\S]*/,
      'latencyNative: {}',
      'f.yaml:12:20: spec.indicator.latencyNative: native histograms are not supported yet',
    ],
    ['gauges', /latency:\n[\s\S]*/, 'bool_gauge: {}', 'f.yaml:12:17: spec.indicator.bool_gauge is not supported yet'],
    [
      'no indicator',
      /\n {4}latency:\n[\s\S]*/,
      ' {}',
      'f.yaml:11:14: spec.indicator: expected either "ratio" or "latency"',
    ],
    [
      'an expression',
      "'request_seconds_count{",
      "'rate(x) {",
      'f.yaml:14:24: spec.indicator.latency.total.metric: expected the selector of a counter',
    ],
    [
      'a window of seconds',
      '4w',
      '90s',
      'f.yaml:10:11: spec.window: expected a duration such as "28d" or "4w", in whole minutes',
    ],
    [
      'a target that is no text',
      '"99.5"',
      '99.5',
      'f.yaml:9:11: spec.target: expected a percentage over 0 and under 100 as text',
    ],
    [
      'an alert that is left out',
      'window: 4w',
      'window: 4w\n  alerting: { absent: false }',
      'f.yaml:11:23: spec.alerting.absent: no OpenSLO file can say',
    ],
  ])('refuses %s, and says where', (_, from, to, message) => {
    expect(complaints(changed(pyrra, from, to))).toContain(message)
  })
})

it('what is of neither tool is refused by what was seen', () => {
  const other = 'apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\n'
  expect(complaints(other)).toMatch(
    /^f\.yaml:1:13: expected "version: prometheus\/v1" \(Sloth\).* saw "sloth\.slok\.dev\/v1" with the kind/,
  )
  expect(complaints('version: prometheus/v2')).toMatch(/^f\.yaml:1:10: .* saw "prometheus\/v2"$/)
  expect(complaints('a: 1')).toMatch(/^f\.yaml:1:1: .* saw nothing$/)
})

it('two objectives of one name are refused at the second', () => {
  expect(complaints(`${pyrra}---\n${pyrra}`)).toContain(
    'f.yaml:19:9: another objective is named "query-latency" already',
  )
})

describe('what is imported', () => {
  // The reader takes U+FFFD for a file that is not UTF-8.
  const text = fc.string({ unit: 'binary', maxLength: 40 }).filter(each => !each.includes('\uFFFD'))
  const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/)
  const selector = fc
    .tuple(fc.stringMatching(/^[a-z_:]{1,8}$/), fc.dictionary(fc.stringMatching(/^[a-z_]{1,5}$/), text, { maxKeys: 3 }))
    .map(
      ([metric, labels]) =>
        `${metric}{${Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`)}}`,
    )
  const labels = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/), text, { maxKeys: 3 })

  const slothDocument = fc
    .record({
      service: name,
      slos: fc.uniqueArray(
        fc.record({
          name,
          objective: fc.integer({ min: 1, max: 99_999 }),
          description: text,
          labels,
          bad: selector,
          total: selector,
        }),
        { selector: slo => slo.name, minLength: 1, maxLength: 3 },
      ),
    })
    .map(({ service, slos }) => ({
      version: 'prometheus/v1',
      service,
      slos: slos.map(({ bad, total, objective, ...slo }) => ({
        ...slo,
        objective: objective / 1000,
        sli: {
          events: { error_query: `sum(rate(${bad}[{{.window}}]))`, total_query: `sum(rate(${total}[{{.window}}]))` },
        },
      })),
    }))
  const pyrraDocument = fc
    .record({
      name,
      target: fc.integer({ min: 1, max: 9999 }),
      days: fc.integer({ min: 1, max: 366 }),
      good: selector,
      total: selector,
    })
    .map(({ name, target, days, good, total }) => ({
      apiVersion: 'pyrra.dev/v1alpha1',
      kind: 'ServiceLevelObjective',
      metadata: { name },
      spec: {
        target: String(target / 100),
        window: `${days}d`,
        indicator: { latency: { success: { metric: good }, total: { metric: total } } },
      },
    }))

  it('is read again, and says and records the same', () => {
    fc.assert(
      fc.property(fc.oneof(slothDocument, pyrraDocument), document => {
        const source = JSON.stringify(document)
        const { objectives } = importObjectives(source, 'f.yaml', { service: 'shop' })
        const again = readObjectives(writeOpenSlo(objectives), 'g.yaml')
        expect(said(again)).toEqual(said(objectives))
        expect(prometheusRules(again)).toEqual(prometheusRules(objectives))
      }),
      { seed: 4, numRuns: 60 },
    )
  })

  it('comes from any text, or is refused in our own words', () => {
    const anything = fc.oneof(
      text,
      fc.json({ maxDepth: 4 }),
      ...[sloth, pyrra].map(whole =>
        fc
          .tuple(
            fc.nat(whole.length),
            fc.nat(30),
            fc.oneof(text, fc.constantFrom('{}', '[]', 'null', '1', '""', '&a', '*a')),
          )
          .map(([at, length, other]) => whole.slice(0, at) + other + whole.slice(at + length)),
      ),
    )
    fc.assert(
      fc.property(anything, source => {
        const message = complaints(source)
        if (message === 'none') prometheusRules(importObjectives(source, 'f.yaml').objectives)
        else expect(message).toMatch(/^f\.yaml:\d+:\d+: /)
      }),
      { seed: 4, numRuns: 500 },
    )
  })
})
