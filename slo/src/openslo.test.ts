import { describe, expect, it } from 'vitest'
import { InvalidInput } from './error.ts'
import { readObjectives } from './openslo.ts'

const slo = `apiVersion: openslo/v1
kind: SLO
metadata: { name: checkout-latency }
spec:
  service: gateway
  budgetingMethod: Occurrences
  timeWindow: [{ duration: 30d, isRolling: true }]
  objectives: [{ target: 0.99 }]
  indicator:
    metadata: { name: checkout-latency }
    spec:
      ratioMetric:
        counter: true
        total: { metricSource: { type: shaketable, spec: { signal: http-server, service: gateway, method: POST, route: /checkout } } }
        good: { metricSource: { type: shaketable, spec: { status: "<500", under: 500ms } } }
`

/** What is wrong with the text, one line each. */
function complaints(text: string): string {
  try {
    readObjectives(text, 'slo.yaml')
  } catch (error) {
    if (error instanceof InvalidInput) return error.message
    throw error
  }
  return 'none'
}

const changed = (from: string | RegExp, to: string) => {
  const text = slo.replace(from, to)
  expect(text).not.toBe(slo)
  return text
}

describe('an OpenSLO v1 file', () => {
  it('becomes an objective with a semantic indicator', () => {
    expect(readObjectives(slo, 'slo.yaml')).toEqual([
      {
        name: 'checkout-latency',
        title: 'checkout-latency',
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
        place: { file: 'slo.yaml', line: 1, column: 1 },
      },
    ])
  })

  it('may leave its alert policies empty, as OpenSLO’s own examples do', () => {
    expect(complaints(changed('  indicator:', '  alertPolicies:\n  indicator:'))).toBe('none')
  })

  it('may count the bad requests instead of the good ones', () => {
    const text = changed(/good: .*/, 'bad: { metricSource: { spec: { status: ">=400", over: 1s } } }')
    expect(readObjectives(text, 'slo.yaml')[0]?.indicator).toMatchObject({
      good: { status: { below: 400 }, underSeconds: 1 },
    })
  })

  it('may give its target as a percentage, read without binary noise', () => {
    expect(readObjectives(changed('target: 0.99', 'targetPercent: 99.9'), 'slo.yaml')[0]?.target).toBe(0.999)
  })

  it('may hold several documents, with an SLI that an SLO refers to and a DataSource that a metric refers to', () => {
    const text = `apiVersion: openslo/v1
kind: DataSource
metadata: { name: main }
spec: { type: Prometheus, connectionDetails: { url: http://prometheus:9090 } }
---
apiVersion: openslo/v1
kind: Service
metadata: { name: web, displayName: Web }
spec: { description: The web site }
---
- apiVersion: openslo/v1
  kind: SLI
  metadata: { name: web-ok }
  spec:
    ratioMetric:
      counter: true
      good: { metricSource: { metricSourceRef: main, spec: { query: 'sum(ok_total)' } } }
      total: { metricSource: { metricSourceRef: main, spec: { query: 'sum(all_total)' } } }
- apiVersion: openslo/v1
  kind: SLO
  metadata: { name: web-availability, labels: { team: [a, b], tier: gold } }
  spec:
    service: web
    indicatorRef: web-ok
    budgetingMethod: Occurrences
    timeWindow: [{ duration: 4w, isRolling: true }]
    objectives: [{ displayName: Good, op: gt, target: 0.995 }]
    alertPolicies: [{ alertPolicyRef: page }]
`
    expect(readObjectives(text, 'web.yaml')).toMatchObject([
      {
        name: 'web-availability',
        windowMs: 28 * 86_400_000,
        labels: { team: 'a,b', tier: 'gold' },
        indicator: {
          type: 'prometheus',
          goodQuery: 'sum(ok_total)',
          badQuery: undefined,
          totalQuery: 'sum(all_total)',
        },
        place: { file: 'web.yaml', line: 19, column: 3 },
      },
    ])
  })

  it('is read the same with a byte order mark and with CRLF', () => {
    const [plain] = readObjectives(slo, 'slo.yaml')
    expect(readObjectives(`\uFEFF${slo.replaceAll('\n', '\r\n')}`, 'slo.yaml')).toEqual([plain])
  })
})

describe('an OpenSLO v1 file is refused', () => {
  it.each([
    ['for a threshold between two bucket boundaries', 'under: 500ms', 'under: 300ms'],
    ['for a threshold beyond the last boundary', 'under: 500ms', 'under: 1m'],
    ['for a selector on good', 'status: "<500",', 'status: "<500", route: /checkout,'],
    ['for a predicate that says nothing', '{ status: "<500", under: 500ms }', '{}'],
    ['for a predicate the wrong way round', '"<500"', '">=500"'],
    ['for time slices', 'Occurrences', 'Timeslices'],
    [
      'for a calendar window',
      'isRolling: true',
      'isRolling: false, calendar: { startTime: 2026-01-01 00:00:00, timeZone: UTC }',
    ],
    ['for a window of months', '30d', '1M'],
    ['for a target of 1', '0.99', '1'],
    ['for a percentage as a ratio', '0.99', '99.5'],
    ['for two targets', 'target: 0.99', 'target: 0.99, targetPercent: 99'],
    ['for several objectives', '[{ target: 0.99 }]', '[{ target: 0.99 }, { target: 0.9 }]'],
    ['for a composite', 'target: 0.99', 'target: 0.99, compositeWeight: 1'],
    ['for another version', 'openslo/v1', 'openslo/v1alpha'],
    ['for an unknown kind', 'kind: SLO', 'kind: Slo2'],
    [
      'for a metric source of somebody else',
      'total: { metricSource: { type: shaketable',
      'total: { metricSource: { type: datadog',
    ],
    ['for an SLI that is not there', /indicator:[\s\S]*/, 'indicatorRef: nowhere'],
    ['for a gauge', 'counter: true', 'counter: false'],
    [
      'for a threshold metric',
      'ratioMetric:',
      'thresholdMetric: { metricSource: { type: prometheus, spec: { query: up } } }\n      ratioMetric:',
    ],
    ['for a misspelt field', 'budgetingMethod', 'budgetMethod'],
    ['for a method in small letters', 'method: POST', 'method: post'],
  ])('%s', (_, from, to) => {
    expect(complaints(changed(from, to))).toMatchSnapshot()
  })

  it('with every problem at once, in the order of the file', () => {
    const text = slo.replace('0.99', '2').replace('30d', '1Q').replace('500ms', '1ms')
    expect(complaints(text).match(/^slo.yaml:\d+/gm)).toEqual(['slo.yaml:7', 'slo.yaml:8', 'slo.yaml:15'])
  })
})
