import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { checkout, objectiveOf } from '../test/objective-of.ts'
import { eventRates, promDuration, statusBelow } from './promql.ts'
import { prometheusRules } from './rules.ts'
import { promtoolTests } from './rules-tests.ts'
import { toYaml } from './to-yaml.ts'

test('the recorded series have the names that Sloth users know, and each objective has its own labels', () => {
  const { groups } = prometheusRules([objectiveOf()])
  const recorded = groups.flatMap(group => group.rules.flatMap(rule => ('record' in rule ? [rule] : [])))
  const names = recorded.map(rule => rule.record)
  for (const window of ['5m', '30m', '1h', '2h', '6h', '1d', '3d', '30d']) {
    expect(names).toContain(`slo:sli_error:ratio_rate${window}`)
  }
  for (const name of ['objective', 'error_budget', 'current_burn_rate', 'period_burn_rate']) {
    expect(names).toContain(`slo:${name}:ratio`)
  }
  expect(names).toContain('slo:time_period:days')
  expect(names).toContain('slo:period_error_budget_remaining:ratio')
  expect(new Set(names).size).toBe(names.length)
  for (const { labels } of recorded) expect(labels).toEqual({ slo: 'checkout-latency', service: 'gateway' })
})

test('every alert says what happened, what it means, and where to look', () => {
  const rules = prometheusRules([objectiveOf({ labels: { team: 'checkout' } })], { dashboard: 'https://g/d/o' })
  const alerts = rules.groups.flatMap(group => group.rules.flatMap(rule => ('alert' in rule ? [rule] : [])))
  expect(alerts.map(({ alert, labels }) => `${alert} ${labels.severity} ${labels.window ?? ''}`.trim())).toEqual([
    'ErrorBudgetBurn page 5m/1h',
    'ErrorBudgetBurn page 30m/6h',
    'ErrorBudgetBurn ticket 2h/1d',
    'ErrorBudgetBurn ticket 6h/3d',
    'ObjectiveWithoutTraffic ticket',
  ])
  for (const { annotations, labels } of alerts) {
    expect(Object.keys(annotations)).toEqual(
      expect.arrayContaining(['summary', 'description', 'impact', 'dashboard', 'runbook']),
    )
    expect(annotations.dashboard).toBe('https://g/d/o?var-slo=checkout-latency')
    expect(labels.team).toBe('checkout')
  }
})

test('the period divides sums of rates and never averages ratios', () => {
  const [group] = prometheusRules([objectiveOf()]).groups
  expect(group!.rules.at(-1)).toMatchObject({
    expr:
      'sum_over_time(slo:sli_bad:rate5m{slo="checkout-latency",service="gateway"}[30d]) / ' +
      '(sum_over_time(slo:sli_total:rate5m{slo="checkout-latency",service="gateway"}[30d]) > 0)',
  })
})

test('a period of any length has its own factors, and no series is recorded twice', () => {
  const rulesOf = (windowMs: number) =>
    prometheusRules([objectiveOf({ windowMs })]).groups.flatMap(group => group.rules)
  for (const [windowMs, period] of [
    [28 * 86_400_000, '28d'],
    [7 * 86_400_000, '7d'],
    [86_400_000, '1d'],
    [1_800_000, '30m'],
  ] as const) {
    const recorded = rulesOf(windowMs).flatMap(rule => ('record' in rule ? [rule.record] : []))
    expect(recorded).toContain(`slo:sli_error:ratio_rate${period}`)
    expect(new Set(recorded).size).toBe(recorded.length)
  }
  const four = rulesOf(28 * 86_400_000).flatMap(rule => ('alert' in rule ? [rule.expr.split('\n')[0]!] : []))
  expect(four.slice(0, 4).map(expr => Number(expr.split(' > ')[1]))).toEqual([0.1344, 0.056, 0.028, 0.00933333333333])
  expect(rulesOf(28 * 86_400_000)).toContainEqual(
    expect.objectContaining({ record: 'slo:time_period:days', expr: 'vector(28)' }),
  )
})

test('labels that Prometheus 2 cannot name are named with underscores', () => {
  const rules = prometheusRules([objectiveOf({ labels: { 'cost-center.eu': 'a', '2nd': 'b' } })])
  const alerts = rules.groups.flatMap(group => group.rules.flatMap(rule => ('alert' in rule ? [rule] : [])))
  for (const { labels } of alerts) expect(labels).toMatchObject({ cost_center_eu: 'a', _2nd: 'b', service: 'gateway' })
})

test('two objectives of one name are refused', () => {
  expect(() => prometheusRules([objectiveOf(), objectiveOf()])).toThrow('Two objectives are named checkout-latency.')
})

test('the YAML reads back as the same rules, without aliases', () => {
  const rules = prometheusRules([objectiveOf()])
  const text = toYaml(rules)
  expect(parse(text)).toEqual(rules)
  expect(text).not.toMatch(/[&*]a\d/)
})

test('a status bound becomes a regular expression for exactly the codes under it', () => {
  for (const below of [101, 200, 400, 404, 429, 500, 510, 599, 600]) {
    const pattern = new RegExp(`^(?:${statusBelow(below)})$`)
    for (let code = 100; code < 600; code++) expect(pattern.test(String(code))).toBe(code < below)
    expect(pattern.test('')).toBe(false)
  }
})

test('a whole number of seconds matches both spellings of its bucket', () => {
  const { bad } = eventRates(objectiveOf({ indicator: checkout({ underSeconds: 1 }) }), 300_000)
  expect(bad).toContain('le=~"1(\\\\.0)?"')
  expect(eventRates(objectiveOf(), 300_000).bad).toContain('le="0.5"')
})

test('labels are quoted, whatever stands in them', () => {
  const indicator = checkout({ status: { below: 500 } })
  if (indicator.type !== 'shaketable') throw new Error('not semantic')
  indicator.selector.route = '/a"b\\c'
  expect(eventRates(objectiveOf({ indicator }), 300_000).total).toContain('http_route="/a\\"b\\\\c"')
})

const raw = (totalQuery: string, goodQuery: string | undefined, badQuery?: string) =>
  objectiveOf({ indicator: { type: 'prometheus', totalQuery, goodQuery, badQuery } })

test('raw queries take the window as counters, as sums of counters, or where they say so', () => {
  expect(eventRates(raw('all{a="b"}', undefined, 'sum(bad)'), 3_600_000)).toEqual({
    total: 'sum(rate(all{a="b"}[1h]))',
    bad: '((sum(rate(bad[1h]))) or 0 * (sum(rate(all{a="b"}[1h]))))',
  })
  expect(eventRates(raw('sum(rate(all[{{.window}}]))', 'x'), 300_000).total).toBe('sum(rate(all[5m]))')
  const braces = 'all{path="/a/{id}",quote="\\"}"}'
  expect(eventRates(raw(braces, 'x'), 300_000).total).toBe(`sum(rate(${braces}[5m]))`)
  expect(() => eventRates(raw('rate(all[5m])', 'x'), 300_000)).toThrow(/no window can be put into its query `rate/)
})

test('durations are written in the largest unit that divides them', () => {
  expect([300_000, 3_600_000, 129_600_000, 2_592_000_000, 90_000, 1500].map(promDuration)).toEqual([
    '5m',
    '1h',
    '36h',
    '30d',
    '90s',
    '1500ms',
  ])
})

test('every objective gets tests: an outage for each way of being bad, and one alone for raw queries', () => {
  const { tests, rule_files } = promtoolTests([objectiveOf(), { ...raw('all', 'good'), name: 'raw' }], {
    rulesFile: 'my.yaml',
  })
  expect(rule_files).toEqual(['my.yaml'])
  expect(tests.map(one => one.name)).toMatchInlineSnapshot(`
    [
      "checkout-latency: a service without any series is silent, not fine",
      "checkout-latency: zero traffic is silent, not fine",
      "checkout-latency: without a single bad event the ratio is zero, not empty",
      "checkout-latency: one failure among eleven requests wakes nobody",
      "checkout-latency: a service that has never given a good answer is all bad, and its ratio is not empty",
      "checkout-latency: counters that start anew are no errors",
      "checkout-latency: bad events a twentieth under the threshold of 5m/1h do not fire it, a twentieth over it they do",
      "checkout-latency: a burn a twentieth over the threshold of 6h/3d is a ticket and wakes nobody",
      "checkout-latency: bad statuses burn fast, fire 5m/1h within 10m, and it ends with them",
      "checkout-latency: slow answers burn fast, fire 5m/1h within 10m, and it ends with them",
      "raw: a service without any series is silent, not fine",
      "raw: zero traffic is silent, not fine",
      "raw: without a single bad event the ratio is zero, not empty",
      "raw: one failure among eleven requests wakes nobody",
      "raw: bad events a twentieth under the threshold of 5m/1h do not fire it, a twentieth over it they do",
      "raw: a burn a twentieth over the threshold of 6h/3d is a ticket and wakes nobody",
      "raw: bad events burn fast, fire 5m/1h within 10m, and it ends with them",
    ]
  `)
})
