import { describe, expect, it } from 'vitest'
import { InvalidInput } from './error.ts'
import { readObjectiveFiles, readObjectives } from './openslo.ts'

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

const calendar = (startTime: string) => `calendar: { startTime: ${startTime}, timeZone: UTC }`

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

  it('may count slices of time, good by a target or as good as their events', () => {
    const sliced = (method: string, slice: string) =>
      readObjectives(changed('Occurrences', method).replace('target: 0.99', `target: 0.99, ${slice}`), 'slo.yaml')[0]
        ?.slices
    expect(sliced('Timeslices', 'timeSliceTarget: 0.95, timeSliceWindow: 5m')).toEqual({
      windowMs: 300_000,
      target: 0.95,
    })
    // A number is of minutes.
    expect(sliced('RatioTimeslices', 'timeSliceWindow: 2')).toEqual({ windowMs: 120_000, target: undefined })
  })

  it('may have periods of the calendar, in the clocks of a time zone', () => {
    const window = (duration: string) => {
      const text = changed('30d, isRolling: true', `${duration}, ${calendar('2022-01-01 12:00:00')}`)
      return readObjectives(text.replace('UTC', 'America/New_York'), 'slo.yaml')[0]
    }
    const since = { startTime: '2022-01-01 12:00:00', timeZone: 'America/New_York' }
    const read = ['1w', '1M', '1Q', '2Y'].map(duration => window(duration)!)
    expect(read.map(({ windowMs }) => windowMs / 86_400_000)).toEqual([7, 30, 90, 730])
    expect(read.map(({ calendar }) => calendar)).toEqual([undefined, 1, 3, 24].map(months => ({ ...since, months })))
  })

  it('may promise several things of one indicator: each is an objective of its own', () => {
    const text = changed('[{ target: 0.99 }]', '[{ displayName: Our own, target: 0.995 }, { target: 0.99 }]')
    expect(readObjectives(text, 'slo.yaml').map(({ name, title, target }) => [name, title, target])).toEqual([
      ['checkout-latency-our-own', 'checkout-latency, Our own', 0.995],
      ['checkout-latency-2', 'checkout-latency, checkout-latency-2', 0.99],
    ])
  })

  it.each([
    [
      'http-client, service: gateway, method: POST, server: payments',
      '{ status: "<500" }',
      { server: 'payments', method: 'POST' },
      { status: { below: 500 } },
    ],
    [
      'database, service: orders, system: postgresql, operation: SELECT, namespace: shop',
      '{ error: false, under: 100ms }',
      { system: 'postgresql', operation: 'SELECT', namespace: 'shop' },
      { withoutError: true, underSeconds: 0.1 },
    ],
    [
      'messaging-process, service: mailer, destination: orders',
      '{ under: 5s }',
      { destination: 'orders' },
      { underSeconds: 5 },
    ],
    [
      'rpc-client, service: orders, method: shop.Payments/Charge',
      '{ error: false }',
      { method: 'shop.Payments/Charge' },
      { withoutError: true },
    ],
  ])('may be about %s', (total, good, selector, predicate) => {
    const text = changed(/spec: \{ signal: .* \} \} \}/, `spec: { signal: ${total} } } }`).replace(
      '{ status: "<500", under: 500ms }',
      good,
    )
    expect(readObjectives(text, 'slo.yaml')[0]?.indicator).toMatchObject({ selector, good: predicate })
  })

  it.each([
    [
      '{ thresholdMetric: METRIC }',
      ', op: lte, value: 0.5',
      { by: 'threshold', query: 'answer', op: 'lte', value: 0.5 },
    ],
    ['{ ratioMetric: { rawType: failure, raw: METRIC } }', '', { by: 'ratio', query: 'answer', of: 'failure' }],
    [
      '{ ratioMetric: { counter: false, bad: METRIC, total: METRIC } }',
      '',
      { by: 'gauges', goodQuery: undefined, badQuery: 'answer', totalQuery: 'answer' },
    ],
  ])('may measure what counts nothing: %s', (spec, compared, measure) => {
    const metric = '{ metricSource: { type: prometheus, spec: { query: answer } } }'
    const text = changed(/spec:\n {6}ratioMetric[\s\S]*/, `spec: ${spec.replaceAll('METRIC', metric)}\n`)
    const [read] = readObjectives(text.replace('target: 0.99', `target: 0.99${compared}`), 'slo.yaml')
    expect(read?.indicator).toEqual({ type: 'measured', measure })
  })

  it('may refer to what another file holds', () => {
    const sli = `apiVersion: openslo/v1
kind: SLI
metadata: { name: web-ok }
spec: ${slo.slice(slo.indexOf('ratioMetric')).replaceAll(/^ {4}/gm, '').replace('ratioMetric:', '\n  ratioMetric:')}`
    const files = [
      { file: 'slo.yaml', text: changed(/indicator:[\s\S]*/, 'indicatorRef: web-ok\n') },
      { file: 'sli.yaml', text: sli },
    ]
    expect(readObjectiveFiles(files)).toMatchObject([{ name: 'checkout-latency', place: { file: 'slo.yaml' } }])
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
    ['for time slices without their length and target', 'Occurrences', 'Timeslices'],
    ['for a slice where events are counted', 'target: 0.99', 'target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m'],
    ['for a window that neither rolls nor has a calendar', 'isRolling: true', 'isRolling: false'],
    ['for a rolling window with a calendar', 'isRolling: true', `isRolling: true, ${calendar('2026-01-01 00:00:00')}`],
    ['for a date that does not exist', 'isRolling: true', calendar('2026-02-30 00:00:00')],
    ['for an unknown time zone', 'isRolling: true', calendar('2026-01-01 00:00:00').replace('UTC', 'Europe/Pari')],
    ['for months that begin on a 31st', '30d, isRolling: true', `1M, ${calendar('2026-01-31 00:00:00')}`],
    ['for a rolling window of months', '30d', '1M'],
    ['for a target of 1', '0.99', '1'],
    ['for a percentage as a ratio', '0.99', '99.5'],
    ['for two targets', 'target: 0.99', 'target: 0.99, targetPercent: 99'],
    [
      'for several objectives of one name',
      '[{ target: 0.99 }]',
      '[{ displayName: SLA, target: 0.99 }, { displayName: sla!, target: 0.9 }]',
    ],
    ['for a value to compare a count with', 'target: 0.99', 'target: 0.99, op: lte, value: 5'],
    ['for an unknown signal', 'http-server', 'http-sever'],
    ['for a field of another signal', 'http-server', 'http-client'],
    ['for a composite', 'target: 0.99', 'target: 0.99, compositeWeight: 1'],
    ['for another version', 'openslo/v1', 'openslo/v1alpha'],
    ['for an unknown kind', 'kind: SLO', 'kind: Slo2'],
    [
      'for a metric source of somebody else',
      'total: { metricSource: { type: shaketable',
      'total: { metricSource: { type: datadog',
    ],
    ['for an SLI that is not there', /indicator:[\s\S]*/, 'indicatorRef: nowhere'],
    ['for counters that fall', 'counter: true', 'counter: false'],
    [
      'for two kinds of metric',
      'ratioMetric:',
      'thresholdMetric: { metricSource: { type: prometheus, spec: { query: up } } }\n      ratioMetric:',
    ],
    [
      'for a threshold metric that is compared with nothing',
      /ratioMetric:[\s\S]*/,
      'thresholdMetric: { metricSource: { type: prometheus, spec: { query: up } } }\n',
    ],
    [
      'for a threshold metric of operations',
      /ratioMetric:[\s\S]*/,
      'thresholdMetric: { metricSource: { type: shaketable, spec: { signal: http-server } } }\n',
    ],
    [
      'for a ready-made ratio without its direction',
      /ratioMetric:[\s\S]*/,
      'ratioMetric: { raw: { metricSource: { type: prometheus, spec: { query: up } } } }\n',
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
