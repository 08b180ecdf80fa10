import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  parsePolicy,
  prometheusRules,
  promtoolTests,
  type RulesFile,
  readObjectiveFiles,
  readObjectives,
  toYaml,
} from '@shaketable/slo'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { run } from './processes.ts'

const config = new URL('../', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'shaketable-rules-'))

beforeAll(() => installDebianPackages('prometheus'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('Prometheus accepts its configuration and the rules that it names', () => {
  expect(run('promtool', ['check', 'config', join(config, 'prometheus/prometheus.yml')])).toMatchObject({ code: 0 })
})

const objectives = readObjectives(
  [slo('checkout-availability', 0.999, 'status: "<500"'), slo('checkout-latency', 0.99, 'under: 1s')].join('---\n'),
  'objectives.yaml',
)

function slo(name: string, target: number, good: string): string {
  return `apiVersion: openslo/v1
kind: SLO
metadata: { name: ${name} }
spec:
  service: gateway
  budgetingMethod: Occurrences
  timeWindow: [{ duration: 30d, isRolling: true }]
  objectives: [{ target: ${target} }]
  indicator:
    metadata: { name: ${name} }
    spec:
      ratioMetric:
        counter: true
        total: { metricSource: { type: shaketable, spec: { signal: http-server, service: gateway, method: POST, route: /checkout } } }
        good: { metricSource: { type: shaketable, spec: { ${good} } } }
`
}

/** Shorter windows than the usual ones: promtool has less to evaluate. */
const short = { policies: ['page:5m/20m:2%', 'ticket:20m/1h:5%'].map(text => parsePolicy(text)!) }

/** Writes the rules with the tests of the true ones, and runs promtool on them. */
function testRules(rules: RulesFile, tests: typeof objectives, options = {}) {
  writeFileSync(join(folder, 'objectives.rules.yaml'), toYaml(rules))
  writeFileSync(join(folder, 'objectives.tests.yaml'), toYaml(promtoolTests(tests, options)))
  return run('promtool', ['test', 'rules', 'objectives.tests.yaml'], folder)
}

test('the rules of two objectives in one file are valid, and pass the tests that were generated with them', () => {
  expect(testRules(prometheusRules(objectives), objectives)).toMatchObject({ code: 0 })
  const checked = run('promtool', ['check', 'rules', 'objectives.rules.yaml'], folder)
  expect(checked).toMatchObject({ code: 0, said: expect.stringContaining('SUCCESS') })
})

const ofEveryKind = new URL('objectives/', import.meta.url)
const everyKind = readObjectiveFiles(
  readdirSync(ofEveryKind).map(file => ({ file, text: readFileSync(new URL(file, ofEveryKind), 'utf8') })),
)

// Each by itself: in every test promtool evaluates all the rules of the file.
test.each(everyKind)('the rules of $name, with other windows, pass the tests that were generated for them', one => {
  expect(testRules(prometheusRules([one], short), [one], short)).toMatchObject({ code: 0 })
})

test('those are objectives of every kind', () => {
  expect([...new Set(everyKind.map(({ indicator }) => indicator.type))].sort()).toEqual([
    'measured',
    'prometheus',
    'shaketable',
  ])
})

/** Each mutation is a known mistake of rule generators. */
const mutations: [string, (expr: string) => string][] = [
  [
    'a ratio that is empty as long as nothing good exists',
    expr => expr.replace(/\) or 0 \* \(.*?\)\)\), 0\)$/, ')), 0)'),
  ],
  ['a division by zero traffic', expr => expr.replaceAll(/ > 0\)$/g, ')')],
  ['no guard for low traffic', expr => expr.replace(/\nand slo:sli_bad.*>= \d+$/, '')],
  ['a threshold ten times too high', expr => expr.replaceAll(/ > 0\.(\d+)/g, ' > 9.$1')],
  ['a threshold ten times too low', expr => expr.replaceAll(/ > 0\.(\d+)/g, ' > 0.0$1')],
  ['no short window', expr => expr.replace(/^slo:sli_error:ratio_rate5m\S* > \S+\nand /, '')],
  ['an alert for silence that never fires', expr => expr.replace(/ == 0 or absent.*$/, ' < 0')],
  ['an alert for silence that does not know a missing series', expr => expr.replace(/ or absent.*$/, '')],
]

describe('the generated tests catch', () => {
  const [availability] = objectives
  test.each(mutations)('%s', (_, mutate) => {
    const rules = prometheusRules([availability!], short)
    const changed = { groups: rules.groups.map(group => ({ ...group, rules: group.rules.map(mutated(mutate)) })) }
    expect(changed).not.toEqual(rules)
    expect(testRules(changed, [availability!], short).code).not.toBe(0)
  })

  test('a bucket that Prometheus 3 spells differently', () => {
    const latency = objectives[1]!
    const rules = prometheusRules([latency], short)
    const oneSpelling = (expr: string) => expr.replaceAll('le=~"1(\\\\.0)?"', 'le="1"')
    const changed = { groups: rules.groups.map(group => ({ ...group, rules: group.rules.map(mutated(oneSpelling)) })) }
    expect(changed).not.toEqual(rules)
    expect(testRules(changed, [latency], short).code).not.toBe(0)
  })
})

function mutated(mutate: (expr: string) => string) {
  return <R extends { expr: string }>(rule: R): R => ({ ...rule, expr: mutate(rule.expr) })
}

test('a busy hour with errors weighs more than the quiet ones after it', () => {
  const [availability] = objectives
  writeFileSync(join(folder, 'objectives.rules.yaml'), toYaml(prometheusRules([availability!], { policies: [] })))
  const requests = (status: number, busy: number, quiet: number) => ({
    series: `http_server_request_duration_seconds_count{job="gateway",http_request_method="POST",http_route="/checkout",http_response_status_code="${status}"}`,
    values: `0+${busy}x60 ${busy * 60 + quiet}+${quiet}x1319`,
  })
  const period = 'slo:sli_error:ratio_rate30d{service="gateway",slo="checkout-availability"}'
  const file = {
    rule_files: ['objectives.rules.yaml'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: [requests(201, 950, 1), requests(503, 50, 0)],
        promql_expr_test: [
          {
            expr: `${period} > bool 0.048 and ${period} < 0.05`,
            eval_time: '23h',
            exp_samples: [{ labels: '{service="gateway",slo="checkout-availability"}', value: 1 }],
          },
        ],
      },
    ],
  }
  writeFileSync(join(folder, 'weights.tests.yaml'), toYaml(file))
  expect(run('promtool', ['test', 'rules', 'weights.tests.yaml'], folder)).toMatchObject({ code: 0 })
})
