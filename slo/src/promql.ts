import { exitCode, ShaketableError } from './error.ts'
import type { Measure, Objective, Operator, PrometheusIndicator, SemanticIndicator } from './objective.ts'
import { selections, signalLabels, signals } from './signals.ts'

/** PromQL for the rate per second of an objective's bad events and of all its events, over one window. */
export interface EventRates {
  bad: string
  total: string
}

/** The series that hold what was measured at each evaluation, of a query that counts nothing itself. */
export const measured = { bad: 'slo:measured_bad:sum', total: 'slo:measured_total:sum' } as const

/** Selects the recorded series of an objective. */
export function seriesOf({ name, service }: Pick<Objective, 'name' | 'service'>): string {
  return `{slo=${quote(name)},service=${quote(service)}}`
}

/**
 * The rates of an objective's events over a window in ms.
 *
 * `bad` is 0, not empty, where nothing failed yet or nothing good exists; both are empty where the service is unknown.
 * @throws ShaketableError `SHAKETABLE_OBJECTIVE_UNMEASURABLE` for a raw query that no window can be put into.
 */
export function eventRates(objective: Objective, windowMs: number): EventRates {
  const window = promDuration(windowMs)
  const { indicator } = objective
  switch (indicator.type) {
    case 'shaketable':
      return semanticRates(indicator, window)
    case 'prometheus':
      return rawRates(objective, indicator, window)
    case 'measured':
      return recordedRates(objective, measured, windowMs)
  }
}

/** The rates of events that are recorded one by one, as series of how many of them were bad, and how many there were. */
export function recordedRates(
  objective: Objective,
  series: { bad: string; total: string },
  windowMs: number,
): EventRates {
  const rate = (name: string) =>
    `sum_over_time(${name}${seriesOf(objective)}[${promDuration(windowMs)}]) / ${windowMs / 1000}`
  return { bad: rate(series.bad), total: rate(series.total) }
}

const badWhen: Record<Operator, string> = { lte: '>', gte: '<', lt: '>=', gt: '<=' }

/** What one evaluation measures: bad events and all of them. A query without a window of its own is taken as it stands. */
export function measurement(measure: Measure, windowMs: number): EventRates {
  const filled = (query: string) => query.trim().replaceAll(windowParameter, promDuration(windowMs))
  if (measure.by === 'gauges') {
    const total = `sum(${filled(measure.totalQuery)})`
    if (measure.badQuery === undefined) return { bad: badOf(`sum(${filled(measure.goodQuery ?? '')})`, total), total }
    return { bad: `(sum(${filled(measure.badQuery)}) or 0 * ${total})`, total }
  }
  const query = filled(measure.query)
  const total = `count(${query})`
  if (measure.by === 'threshold') return { bad: `sum((${query}) ${badWhen[measure.op]} bool ${measure.value})`, total }
  const ratio = `clamp(${query}, 0, 1)`
  return { bad: measure.of === 'failure' ? `sum(${ratio})` : `sum(1 - ${ratio})`, total }
}

function semanticRates(indicator: SemanticIndicator, window: string): EventRates {
  const { good, total } = semanticCounters(indicator)
  const totalRate = summedRate(total, window)
  return { bad: badOf(summedRate(good, window), totalRate), total: totalRate }
}

/** The counters, as selectors, of a semantic indicator's good events and of all its events. */
export function semanticCounters({ selector, good }: SemanticIndicator): { good: string; total: string } {
  const name = signals[selector.signal].duration
  const counted = [
    equals(signalLabels.service, selector.service),
    ...selections(selector).map(([k, v]) => equals(k, v)),
  ]
  const predicate = [
    ...(good.status === undefined ? [] : [`${signalLabels.status}=~${quote(statusBelow(good.status.below))}`]),
    ...(good.withoutError ? [equals(signalLabels.error, '')] : []),
    ...(good.underSeconds === undefined ? [] : [leMatcher(good.underSeconds)]),
  ]
  const goodName = good.underSeconds === undefined ? `${name}_count` : `${name}_bucket`
  return {
    good: `${goodName}{${[...counted, ...predicate].join(',')}}`,
    total: `${name}_count{${counted.join(',')}}`,
  }
}

function rawRates(objective: Objective, indicator: PrometheusIndicator, window: string): EventRates {
  const total = windowed(objective, indicator.totalQuery, window)
  if (indicator.badQuery !== undefined) {
    return { bad: `((${windowed(objective, indicator.badQuery, window)}) or 0 * (${total}))`, total }
  }
  if (indicator.goodQuery !== undefined) {
    return { bad: badOf(windowed(objective, indicator.goodQuery, window), total), total }
  }
  throw unmeasurable(objective, 'it has neither a good nor a bad query')
}

/** An empty good side means that nothing is good; rounding may put good a hair over total. */
function badOf(good: string, total: string): string {
  return `clamp_min((${total}) - ((${good}) or 0 * (${total})), 0)`
}

/** A label's value may hold braces, as in `handler="/orders/{id}"`. */
const selector = String.raw`[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:\{(?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\})?`
const bareSelector = new RegExp(`^${selector}$`)
const windowParameter = /\{\{\s*\.window\s*\}\}/g
const summedOverWindow = new RegExp(
  String.raw`^sum\s*\(\s*(rate|increase)\s*\(\s*(${selector})\s*\[\{\{\s*\.window\s*\}\}\]\s*\)\s*\)$`,
)

function windowed(objective: Objective, query: string, window: string): string {
  const rated = overWindow(query, window)
  if (rated === undefined) throw unmeasurable(objective, `no window can be put into its query \`${query.trim()}\``)
  return rated
}

/** A raw query over a window, where one can be put into it: a counter, a sum of one, or an expression with `{{.window}}`. */
export function overWindow(query: string, window: string): string | undefined {
  const text = query.trim()
  const filled = text.replaceAll(windowParameter, window)
  if (filled !== text) return filled.includes('{{') ? undefined : filled
  const summed = /^sum\s*\(([\s\S]*)\)$/.exec(text)?.[1]?.trim()
  const counter = summed ?? text
  return bareSelector.test(counter) ? summedRate(counter, window) : undefined
}

/** The counter in `sum(rate(counter[{{.window}}]))` or `sum(increase(…))`, and which of both it is. */
export function counterIn(query: string): { counter: string; by: 'rate' | 'increase' } | undefined {
  const [, by, counter] = summedOverWindow.exec(query.trim()) ?? []
  return counter === undefined ? undefined : { counter: counter.trim(), by: by as 'rate' | 'increase' }
}

/** Whether it is a bare selector, such as `requests_total{code="500"}`. */
export function isSelector(query: string): boolean {
  return bareSelector.test(query.trim())
}

function summedRate(counter: string, window: string): string {
  return `sum(rate(${counter}[${window}]))`
}

function unmeasurable(objective: Objective, why: string): ShaketableError {
  return new ShaketableError('SHAKETABLE_OBJECTIVE_UNMEASURABLE', `Objective ${objective.name}: ${why}.`, {
    exitCode: exitCode.invalidInput,
    hint: 'Give a counter (`http_requests_total{job="shop"}`), its sum, or an expression with `{{.window}}` in it.',
  })
}

/**
 * A regular expression for the three-digit status codes under a number: 500 gives `[1-4][0-9][0-9]`. A request without
 * an answer has no status label, so it never matches.
 */
export function statusBelow(below: number): string {
  const [hundreds, tens, ones] = [Math.floor(below / 100), Math.floor(below / 10) % 10, below % 10]
  return [
    hundreds > 1 ? `${range(1, hundreds - 1)}[0-9][0-9]` : undefined,
    tens > 0 ? `${hundreds}${range(0, tens - 1)}[0-9]` : undefined,
    ones > 0 ? `${hundreds}${tens}${range(0, ones - 1)}` : undefined,
  ]
    .filter(part => part !== undefined)
    .join('|')
}

function range(from: number, to: number): string {
  return from === to ? `${from}` : `[${from}-${to}]`
}

/** Prometheus 3 stores `le="1"` as `le="1.0"`: a whole number must match both. */
function leMatcher(seconds: number): string {
  return Number.isInteger(seconds) ? `le=~${quote(`${seconds}(\\.0)?`)}` : equals('le', String(seconds))
}

function equals(label: string, value: string): string {
  return `${label}=${quote(value)}`
}

/** A PromQL string literal. */
export function quote(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

const units: [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]

/** A duration as Prometheus writes it, in the largest unit that divides it: 5m, 36h, 30d. */
export function promDuration(ms: number): string {
  const [unit, size] = units.find(([, size]) => ms % size === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
