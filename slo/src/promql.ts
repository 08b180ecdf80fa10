import { exitCode, ShaketableError } from './error.ts'
import type { Objective, PrometheusIndicator, SemanticIndicator } from './objective.ts'

/** The names that a semantic indicator means, as the SDK writes them; a test in the dashboards' room compares both. */
export const semanticNames = {
  duration: {
    'http-server': 'http_server_request_duration_seconds',
    'http-client': 'http_client_request_duration_seconds',
  },
  method: 'http_request_method',
  route: 'http_route',
  status: 'http_response_status_code',
  /** Set by the scrape configuration to the service's name. */
  service: 'job',
} as const

/** PromQL for the rate per second of an objective's bad events and of all its events, over one window. */
export interface EventRates {
  bad: string
  total: string
}

/**
 * The rates of an objective's events over a Prometheus duration such as `5m`.
 *
 * `bad` is 0, not empty, where nothing failed yet or nothing good exists; both are empty where the service is unknown.
 * @throws ShaketableError `SHAKETABLE_OBJECTIVE_UNMEASURABLE` for a raw query that no window can be put into.
 */
export function eventRates(objective: Objective, window: string): EventRates {
  return objective.indicator.type === 'shaketable'
    ? semanticRates(objective.indicator, window)
    : rawRates(objective, objective.indicator, window)
}

function semanticRates(indicator: SemanticIndicator, window: string): EventRates {
  const { good, total } = semanticCounters(indicator)
  const totalRate = summedRate(total, window)
  return { bad: badOf(summedRate(good, window), totalRate), total: totalRate }
}

/** The counters, as selectors, of a semantic indicator's good events and of all its events. */
export function semanticCounters(indicator: SemanticIndicator): { good: string; total: string } {
  const { selector, good } = indicator
  const name = semanticNames.duration[selector.signal]
  const counted = [
    equals(semanticNames.service, selector.service),
    ...(selector.method === undefined ? [] : [equals(semanticNames.method, selector.method)]),
    ...(selector.route === undefined ? [] : [equals(semanticNames.route, selector.route)]),
  ]
  const predicate = [
    ...(good.status === undefined ? [] : [`${semanticNames.status}=~${quote(statusBelow(good.status.below))}`]),
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
