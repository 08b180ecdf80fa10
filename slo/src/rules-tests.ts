import { objectiveAlert, seriesOf } from './alerts.ts'
import { type BurnRatePolicy, burnRateThreshold, policiesFor, timeToFire } from './burn-rate.ts'
import type { Objective, SemanticIndicator } from './objective.ts'
import { promDuration, semanticNames } from './promql.ts'
import { prometheusRules } from './rules.ts'

/** A file for `promtool test rules`. */
export interface RuleTestsFile {
  rule_files: string[]
  evaluation_interval: string
  group_eval_order: string[]
  tests: RuleTest[]
}

export interface RuleTest {
  name: string
  interval: string
  input_series: { series: string; values: string }[]
  promql_expr_test: { expr: string; eval_time: string; exp_samples: { labels?: string; value: number }[] }[]
}

/**
 * Unit tests for the rules of objectives: what they do without series, without traffic, without errors, with one stray
 * error, in an outage and after it; the outage must page when the burn-rate formula says so. Objectives of raw queries get
 * only the first of these, because nobody knows which series their queries read.
 *
 * @param rulesFile The rules file's path, as seen from the tests' file.
 */
export function promtoolTests(objectives: readonly Objective[], rulesFile = 'objectives.rules.yaml'): RuleTestsFile {
  return {
    rule_files: [rulesFile],
    evaluation_interval: '1m',
    group_eval_order: prometheusRules(objectives).groups.map(group => group.name),
    tests: objectives.flatMap(objective => [
      withoutSeries(objective),
      ...(objective.indicator.type === 'shaketable' ? semanticTests(objective, objective.indicator) : []),
    ]),
  }
}

interface Phase {
  minutes: number
  good: number
  bad: number
}

function withoutSeries(objective: Objective): RuleTest {
  return {
    name: `${objective.name}: a service without any series is silent, not fine`,
    interval: '1m',
    input_series: [],
    promql_expr_test: [
      ...ratioIs(objective, '40m', []),
      alerts(objective, objectiveAlert.absent, '40m', 1),
      alerts(objective, objectiveAlert.burn, '40m', 0),
    ],
  }
}

function semanticTests(objective: Objective, indicator: SemanticIndicator): RuleTest[] {
  const test = (
    name: string,
    phases: Phase[],
    expected: RuleTest['promql_expr_test'],
    kind = kinds(indicator)[0]!,
  ) => ({
    name: `${objective.name}: ${name}`,
    interval: '1m',
    input_series: inputSeries(indicator, phases, kind),
    promql_expr_test: expected,
  })
  const fastest = policiesFor(objective)[0]
  return [
    test(
      'zero traffic is silent, not fine',
      [{ minutes: 60, good: 0, bad: 0 }],
      [
        ...ratioIs(objective, '50m', []),
        alerts(objective, objectiveAlert.absent, '50m', 1),
        alerts(objective, objectiveAlert.burn, '50m', 0),
      ],
    ),
    test(
      'without a single bad event the ratio is zero, not empty',
      [{ minutes: 60, good: 60, bad: 0 }],
      [
        ...ratioIs(objective, '50m', [0]),
        alerts(objective, objectiveAlert.absent, '50m', 0),
        alerts(objective, objectiveAlert.burn, '50m', 0),
      ],
    ),
    test(
      'one failure among eleven requests wakes nobody',
      [
        { minutes: 60, good: 0, bad: 0 },
        { minutes: 1, good: 10, bad: 1 },
        { minutes: 10, good: 0, bad: 0 },
      ],
      [alerts(objective, objectiveAlert.burn, '63m', 0)],
    ),
    test(
      'a service that has never given a good answer is all bad, and its ratio is not empty',
      [{ minutes: 30, good: 0, bad: 60 }],
      ratioIs(objective, '20m', [1]),
    ),
    ...(fastest ? [aroundThreshold(objective, fastest, test)] : []),
    ...(fastest ? kinds(indicator).map(kind => outage(objective, fastest, kind, test)) : []),
  ]
}

type MakeTest = (name: string, phases: Phase[], expected: RuleTest['promql_expr_test'], kind?: BadKind) => RuleTest

function aroundThreshold(objective: Objective, policy: BurnRatePolicy, test: MakeTest): RuleTest {
  const long = policy.longWindowMs / 60_000
  const perMinute = 100_000
  const at = (part: number): Phase => {
    const bad = Math.min(perMinute, Math.round(perMinute * burnRateThreshold(policy, objective) * part))
    return { minutes: long + 5, good: perMinute - bad, bad }
  }
  const firing = (minutes: number, count: number) =>
    alerts(objective, objectiveAlert.burn, `${minutes}m`, count, `,window="${policy.window}"`)
  return test(
    `bad events a twentieth under the threshold of ${policy.window} do not fire it, a twentieth over it they do`,
    [at(0.95), at(1.05)],
    [firing(long + 5, 0), firing(2 * long + 10, 1)],
  )
}

function outage(objective: Objective, policy: BurnRatePolicy, kind: BadKind, test: MakeTest): RuleTest {
  const quiet = policy.longWindowMs / 60_000 + 5
  const fires = timeToFire(policy, objective, 1)! / 60_000
  const burning = Math.ceil(fires) + 3
  const short = policy.shortWindowMs / 60_000
  const firing = (minutes: number, count: number) =>
    alerts(objective, objectiveAlert.burn, `${minutes}m`, count, `,window="${policy.window}"`)
  return test(
    `${kind.name} burn fast, fire ${policy.window} within ${Math.ceil(fires) + 1} minutes, and it ends with them`,
    [
      { minutes: quiet, good: 600, bad: 0 },
      { minutes: burning, good: 0, bad: 600 },
      { minutes: short + 5, good: 600, bad: 0 },
    ],
    [
      firing(quiet, 0),
      ...(fires > 2 ? [firing(quiet + Math.floor(fires) - 1, 0)] : []),
      firing(quiet + Math.ceil(fires) + 1, 1),
      firing(quiet + burning, 1),
      firing(quiet + burning + short + 2, 0),
    ],
    kind,
  )
}

/** A way for an event to be bad. */
interface BadKind {
  name: string
  status: number
  slow: boolean
}

function kinds({ good }: SemanticIndicator): BadKind[] {
  const answered = good.status === undefined ? 200 : Math.min(200, good.status.below - 1)
  return [
    ...(good.status === undefined ? [] : [{ name: 'bad statuses', status: good.status.below, slow: false }]),
    ...(good.underSeconds === undefined ? [] : [{ name: 'slow answers', status: answered, slow: true }]),
  ]
}

function inputSeries({ selector, good }: SemanticIndicator, phases: Phase[], kind: BadKind): RuleTest['input_series'] {
  const name = semanticNames.duration[selector.signal]
  const answered = good.status === undefined ? 200 : Math.min(200, good.status.below - 1)
  const labels = {
    [semanticNames.service]: selector.service,
    [semanticNames.method]: selector.method ?? 'GET',
    [semanticNames.route]: selector.route ?? '/',
  }
  const [hasGood, hasBad] = [phases.some(phase => phase.good > 0), phases.some(phase => phase.bad > 0)]
  const both = [
    { status: answered, values: (phase: Phase) => phase.good, within: true, instance: 'a' },
    { status: kind.status, values: (phase: Phase) => phase.bad, within: !kind.slow, instance: 'b' },
  ]
  return both.slice(hasBad && !hasGood ? 1 : 0, hasBad ? 2 : 1).flatMap(({ status, values, within, instance }) => {
    const own = { ...labels, [semanticNames.status]: String(status), instance }
    const count = { series: `${name}_count${labelSet(own)}`, values: growing(phases, values) }
    if (good.underSeconds === undefined) return [count]
    const le = { ...own, le: bucketLabel(good.underSeconds) }
    const bucket = { series: `${name}_bucket${labelSet(le)}`, values: growing(phases, within ? values : () => 0) }
    return [count, bucket]
  })
}

/** As Prometheus 3 stores it; older ones keep the application's `1`, which the rules match too. */
function bucketLabel(seconds: number): string {
  return Number.isInteger(seconds) ? `${seconds}.0` : String(seconds)
}

function labelSet(labels: Record<string, string>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}}`
}

/** promtool's notation of a counter that grows by so much a minute in each phase. */
function growing(phases: Phase[], perMinute: (phase: Phase) => number): string {
  let at = 0
  const parts = phases.map(phase => {
    const step = perMinute(phase)
    const part = `${at + step}+${step}x${phase.minutes - 1}`
    at += step * phase.minutes
    return part
  })
  return ['0', ...parts].join(' ')
}

function ratioIs(objective: Objective, time: string, values: number[]): RuleTest['promql_expr_test'] {
  const record = `slo:sli_error:ratio_rate5m`
  const period = `slo:sli_error:ratio_rate${promDuration(objective.windowMs)}`
  return [record, period].map(name => ({
    expr: `${name}${seriesOf(objective)}`,
    eval_time: time,
    exp_samples: values.map(value => ({ labels: `${name}${seriesOf(objective)}`, value })),
  }))
}

function alerts(objective: Objective, alert: string, time: string, count: number, more = '') {
  const own = seriesOf(objective).slice(1, -1)
  return {
    expr: `count(ALERTS{alertname="${alert}",alertstate="firing",${own}${more}})`,
    eval_time: time,
    exp_samples: count === 0 ? [] : [{ labels: '{}', value: count }],
  }
}
