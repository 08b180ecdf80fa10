import { objectiveAlert } from './alerts.ts'
import {
  type BurnRatePolicy,
  badEventsNeeded,
  burnRatePolicies,
  burnRateThreshold,
  isBadSlice,
  policiesFor,
  timeToFire,
} from './burn-rate.ts'
import type { Objective, SemanticIndicator } from './objective.ts'
import { measured, promDuration, seriesOf } from './promql.ts'
import { baseWindowMs, calendarStepMs, prometheusRules, recordedWindows, sliceSeries } from './rules.ts'
import { selections, signalLabels, signals } from './signals.ts'

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

export interface RuleTestsOptions {
  /** The rules file's path, as seen from the tests' file. */
  rulesFile?: string
  /** The burn-rate conditions that the rules were made with. */
  policies?: readonly BurnRatePolicy[]
}

/**
 * Unit tests for the rules of objectives: what they do without series, without traffic, without errors, with one stray
 * error, after a restart, while the budget burns slowly, in an outage and after it; the outage must page when the burn-rate
 * formula says so. Nobody knows which series a raw query reads: in its place stands what the rules would record of it.
 */
export function promtoolTests(objectives: readonly Objective[], options: RuleTestsOptions = {}): RuleTestsFile {
  const { rulesFile = 'objectives.rules.yaml', policies = burnRatePolicies } = options
  const shortest = Math.min(...policies.map(policy => policy.shortWindowMs))
  const tickMs = Math.min(60_000, Math.max(1000, Math.floor(shortest / 5000) * 1000))
  return {
    rule_files: [rulesFile],
    evaluation_interval: promDuration(tickMs),
    group_eval_order: prometheusRules(objectives, { policies }).groups.map(group => group.name),
    tests: objectives.flatMap(objective => testsOf(objective, policiesFor(objective, policies), tickMs)),
  }
}

/** So many good and bad events a tick, for so long. */
interface Phase {
  ms: number
  good: number
  bad: number
  /** The process has just started: its counters are at zero. */
  restarted?: true
}

const minuteMs = 60_000

function testsOf(objective: Objective, policies: BurnRatePolicy[], tickMs: number): RuleTest[] {
  const { indicator, slices } = objective
  const kinds = badKinds(objective)
  const make: MakeTest = (name, phases, expected, kind = kinds[0]!) => {
    const input = phases.length === 0 ? { interval: promDuration(tickMs), series: [] } : null
    const { interval, series } = input ?? inputOf(objective, policies, phases, kind, tickMs)
    return { name: `${objective.name}: ${name}`, interval, input_series: series, promql_expr_test: expected }
  }
  const [fastest, slowest] = [policies[0], policies.at(-1)]
  const silenceMs = 40 * minuteMs + (slices?.windowMs ?? 0)
  return [
    make(
      'a service without any series is silent, not fine',
      [],
      [
        ...ratioIs(objective, silenceMs, []),
        alerts(objective, objectiveAlert.absent, silenceMs, 1),
        alerts(objective, objectiveAlert.burn, silenceMs, 0),
      ],
    ),
    make(
      'zero traffic is silent, not fine',
      [{ ms: silenceMs, good: 0, bad: 0 }],
      [
        ...ratioIs(objective, silenceMs, []),
        alerts(objective, objectiveAlert.absent, silenceMs, 1),
        alerts(objective, objectiveAlert.burn, silenceMs, 0),
      ],
    ),
    make(
      'without a single bad event the ratio is zero, not empty',
      [{ ms: silenceMs, good: 60, bad: 0 }],
      [
        ...ratioIs(objective, silenceMs, [0]),
        alerts(objective, objectiveAlert.absent, silenceMs, 0),
        alerts(objective, objectiveAlert.burn, silenceMs, 0),
      ],
    ),
    ...(badEventsNeeded(objective) > 1 ? [lowTraffic(objective, tickMs, make)] : []),
    ...(indicator.type === 'shaketable' ? counterTests(objective, tickMs, make) : []),
    ...(fastest && slices?.target === undefined ? [aroundThreshold(objective, fastest!, tickMs, make)] : []),
    ...(slowest && slices?.target === undefined ? slowBurn(objective, policies, tickMs, make) : []),
    ...(fastest ? kinds.map(kind => outage(objective, fastest, kind, tickMs, make)) : []),
  ]
}

type MakeTest = (name: string, phases: Phase[], expected: RuleTest['promql_expr_test'], kind?: BadKind) => RuleTest

function lowTraffic(objective: Objective, tickMs: number, make: MakeTest): RuleTest {
  return make(
    'one failure among eleven requests wakes nobody',
    [
      { ms: 60 * tickMs, good: 0, bad: 0 },
      { ms: tickMs, good: 10, bad: 1 },
      { ms: 10 * tickMs, good: 0, bad: 0 },
    ],
    [alerts(objective, objectiveAlert.burn, 63 * tickMs, 0)],
  )
}

/** What can go wrong with counters, and not with what is recorded. */
function counterTests(objective: Objective, tickMs: number, make: MakeTest): RuleTest[] {
  const base = baseWindowMs(objective)
  return [
    make(
      'a service that has never given a good answer is all bad, and its ratio is not empty',
      [{ ms: 4 * base, good: 0, bad: 60 }],
      ratioIs(objective, 3 * base, [1]),
    ),
    make(
      'counters that start anew are no errors',
      [
        { ms: 2 * base, good: 60, bad: 0 },
        { ms: 2 * base, good: 60, bad: 0, restarted: true },
      ],
      [
        ...ratioIs(objective, 2 * base + 2 * tickMs, [0]),
        alerts(objective, objectiveAlert.burn, 2 * base + 2 * tickMs, 0),
        alerts(objective, objectiveAlert.burn, 3 * base, 0),
      ],
    ),
  ]
}

function aroundThreshold(objective: Objective, policy: BurnRatePolicy, tickMs: number, make: MakeTest): RuleTest {
  const longMs = policy.longWindowMs + 5 * tickMs
  const at = (part: number) => withRatio(longMs, burnRateThreshold(policy, objective) * part)
  const firing = (ms: number, count: number) => firingOf(objective, policy, ms, count)
  return make(
    `bad events a twentieth under the threshold of ${policy.window} do not fire it, a twentieth over it they do`,
    [at(0.95), at(1.05)],
    [firing(longMs, 0), firing(2 * longMs, 1)],
  )
}

function withRatio(ms: number, ratio: number): Phase {
  const perTick = 100_000
  const bad = Math.min(perTick, Math.round(perTick * ratio))
  return { ms, good: perTick - bad, bad }
}

/** From the first event on the ratio is the same over every window, so that hours show what days would. */
function slowBurn(objective: Objective, policies: BurnRatePolicy[], tickMs: number, make: MakeTest): RuleTest[] {
  const thresholdOf = (policy: BurnRatePolicy) => burnRateThreshold(policy, objective)
  const slowest = policies.at(-1)!
  const ratio = thresholdOf(slowest) * 1.05
  const firing = policies.filter(policy => thresholdOf(policy) < ratio)
  if (slowest.severity === 'page' || firing.some(policy => policy.severity === 'page')) return []
  const ms = 30 * tickMs + 2 * (objective.slices?.windowMs ?? 0)
  return [
    make(
      `a burn a twentieth over the threshold of ${slowest.window} is a ticket and wakes nobody`,
      [withRatio(ms, ratio)],
      [
        alerts(objective, objectiveAlert.burn, ms, firing.length, ',severity="ticket"'),
        alerts(objective, objectiveAlert.burn, ms, 0, ',severity="page"'),
      ],
    ),
  ]
}

function outage(objective: Objective, policy: BurnRatePolicy, kind: BadKind, tickMs: number, make: MakeTest): RuleTest {
  const ticks = (ms: number) => Math.ceil(ms / tickMs) * tickMs
  // promtool evaluates every group at every tick, so that slices overlap and are bad a little early or late.
  const sliceMs = objective.slices?.windowMs ?? 0
  const fires = timeToFire(policy, objective, 1)!
  const quiet = policy.longWindowMs + 5 * tickMs + sliceMs
  const latest = ticks(fires) + tickMs + sliceMs
  const burning = latest + 2 * tickMs
  const over = policy.shortWindowMs + 2 * tickMs + sliceMs
  const firing = (ms: number, count: number) => firingOf(objective, policy, ms, count)
  return make(
    `${kind.name} burn fast, fire ${policy.window} within ${promDuration(latest)}, and it ends with them`,
    [
      { ms: quiet, good: 600, bad: 0 },
      { ms: burning, good: 0, bad: 600 },
      { ms: over + 3 * tickMs, good: 600, bad: 0 },
    ],
    [
      firing(quiet, 0),
      ...(fires > 2 * tickMs && sliceMs === 0 ? [firing(quiet + ticks(fires) - 2 * tickMs, 0)] : []),
      firing(quiet + latest, 1),
      firing(quiet + burning, 1),
      firing(quiet + burning + over, 0),
    ],
    kind,
  )
}

/** A way for an event to be bad, and the labels that tell. */
interface BadKind {
  name: string
  labels: Record<string, string>
  slow: boolean
}

function badKinds({ indicator }: Objective): BadKind[] {
  if (indicator.type !== 'shaketable') return [{ name: 'bad events', labels: {}, slow: false }]
  const { status, underSeconds, withoutError } = indicator.good
  const kinds: BadKind[] = []
  if (status) kinds.push({ name: 'bad statuses', labels: { [signalLabels.status]: String(status.below) }, slow: false })
  if (withoutError) kinds.push({ name: 'errors', labels: { [signalLabels.error]: 'timeout' }, slow: false })
  if (underSeconds !== undefined) kinds.push({ name: 'slow answers', labels: goodLabels(indicator), slow: true })
  return kinds
}

function goodLabels({ good, selector }: SemanticIndicator): Record<string, string> {
  if (signals[selector.signal].judgedBy !== 'status') return {}
  const status = good.status === undefined ? 200 : Math.min(200, good.status.below - 1)
  return { [signalLabels.status]: String(status) }
}

interface Input {
  interval: string
  series: RuleTest['input_series']
}

function inputOf(
  objective: Objective,
  policies: BurnRatePolicy[],
  phases: Phase[],
  kind: BadKind,
  tickMs: number,
): Input {
  const { indicator, slices } = objective
  const series = seriesOf(objective)
  if (indicator.type === 'shaketable') {
    // A rate takes two samples within each slice.
    const scrapes = slices ? 4 : 1
    return {
      interval: promDuration(tickMs / scrapes),
      series: counterSeries(indicator, phases, kind, { tickMs, scrapes }),
    }
  }
  const interval = promDuration(tickMs)
  const steady = (name: string, of: (phase: Phase) => number | '_') => ({
    series: `${name}${series}`,
    values: ['_', ...phases.map(phase => notation(of(phase), phase.ms / tickMs))].join(' '),
  })
  if (indicator.type === 'measured') {
    return {
      interval,
      series: [steady(measured.bad, ({ bad }) => bad), steady(measured.total, ({ good, bad }) => good + bad)],
    }
  }
  if (slices) {
    const badness = ({ good, bad }: Phase) => {
      if (good + bad === 0) return '_'
      const ratio = bad / (good + bad)
      return slices.target === undefined ? ratio : Number(isBadSlice(ratio, slices.target))
    }
    const present = ({ good, bad }: Phase) => (good + bad === 0 ? '_' : 1)
    return { interval, series: [steady(sliceSeries.bad, badness), steady(sliceSeries.total, present)] }
  }
  return {
    interval,
    series: recordedWindows(objective, { policies }).flatMap(windowMs => {
      const window = promDuration(windowMs)
      const rates = (of: (phase: Phase) => number) => movingRates(phases, of, windowMs, tickMs).join(' ')
      return [
        { series: `slo:sli_bad:rate${window}${series}`, values: rates(({ bad }) => bad) },
        { series: `slo:sli_total:rate${window}${series}`, values: rates(({ good, bad }) => good + bad) },
      ]
    }),
  }
}

/** promtool's notation of a value, or of its absence, at so many ticks. */
function notation(value: number | '_', ticks: number): string {
  return value === '_' ? `_x${ticks}` : `${value}+0x${ticks - 1}`
}

/** Events a second over the window before each tick. */
function movingRates(phases: Phase[], of: (phase: Phase) => number, windowMs: number, tickMs: number): number[] {
  const perTick = phases.flatMap(phase => Array<number>(phase.ms / tickMs).fill(of(phase)))
  const sums = [0]
  for (const events of perTick) sums.push(sums.at(-1)! + events)
  const width = Math.max(1, Math.round(windowMs / tickMs))
  return sums.map((sum, tick) => {
    const events = sum - sums[Math.max(0, tick - width)]!
    return Number((events / (windowMs / 1000)).toPrecision(6))
  })
}

function counterSeries(
  indicator: SemanticIndicator,
  phases: Phase[],
  kind: BadKind,
  scraping: { tickMs: number; scrapes: number },
): RuleTest['input_series'] {
  const { selector, good } = indicator
  const name = signals[selector.signal].duration
  const labels = { [signalLabels.service]: selector.service, ...Object.fromEntries(selections(selector)) }
  const [hasGood, hasBad] = [phases.some(phase => phase.good > 0), phases.some(phase => phase.bad > 0)]
  const both = [
    { ended: goodLabels(indicator), values: (phase: Phase) => phase.good, within: true, instance: 'a' },
    { ended: kind.labels, values: (phase: Phase) => phase.bad, within: !kind.slow, instance: 'b' },
  ]
  return both.slice(hasBad && !hasGood ? 1 : 0, hasBad ? 2 : 1).flatMap(({ ended, values, within, instance }) => {
    const own = { ...labels, ...ended, instance }
    const count = { series: `${name}_count${labelSet(own)}`, values: growing(phases, values, scraping) }
    if (good.underSeconds === undefined) return [count]
    const le = { ...own, le: bucketLabel(good.underSeconds) }
    const inTime = growing(phases, within ? values : () => 0, scraping)
    return [count, { series: `${name}_bucket${labelSet(le)}`, values: inTime }]
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

/** promtool's notation of a counter that grows by so much a tick in each phase. */
function growing(
  phases: Phase[],
  perTick: (phase: Phase) => number,
  { tickMs, scrapes }: { tickMs: number; scrapes: number },
): string {
  let at = 0
  const parts = phases.map(phase => {
    if (phase.restarted) at = 0
    const step = perTick(phase) / scrapes
    const samples = (phase.ms / tickMs) * scrapes
    const part = `${at + step}+${step}x${samples - 1}`
    at += step * samples
    return part
  })
  return ['0', ...parts].join(' ')
}

function ratioIs(objective: Objective, ms: number, values: number[]): RuleTest['promql_expr_test'] {
  const { calendar } = objective
  // Before its first step, a calendar's period holds nothing.
  const hasPeriod = !calendar || ms > calendarStepMs(objective, calendar)
  return [baseWindowMs(objective), ...(hasPeriod ? [objective.windowMs] : [])].map(windowMs => {
    const series = `slo:sli_error:ratio_rate${promDuration(windowMs)}${seriesOf(objective)}`
    const exp_samples = values.map(value => ({ labels: series, value }))
    return { expr: series, eval_time: promDuration(ms), exp_samples }
  })
}

function firingOf(objective: Objective, policy: BurnRatePolicy, ms: number, count: number) {
  return alerts(objective, objectiveAlert.burn, ms, count, `,window="${policy.window}"`)
}

function alerts(objective: Objective, alert: string, ms: number, count: number, more = '') {
  const own = seriesOf(objective).slice(1, -1)
  return {
    expr: `count(ALERTS{alertname="${alert}",alertstate="firing",${own}${more}})`,
    eval_time: promDuration(ms),
    exp_samples: count === 0 ? [] : [{ labels: '{}', value: count }],
  }
}
