import { z } from 'zod'
import type { SourceDocument } from './document.ts'
import type { Problem } from './error.ts'
import { suggestion } from './nearest.ts'
import type { Indicator, Operator, Predicate } from './objective.ts'
import type { Metric, SliSpec } from './openslo-schema.ts'
import { type SelectorField, type Signal, selectorFields, signalNames, signals } from './signals.ts'
import { expecting, seen } from './yaml-issues.ts'
import { parseDuration } from './yaml-values.ts'

/** What else the documents hold that an indicator may lean on. */
export interface IndicatorContext {
  /** The type of each DataSource, by its name. */
  dataSources: ReadonlyMap<string, string>
  problems: Problem[]
}

type Refuse = (path: PropertyKey[], message: string, hint?: string) => void

/**
 * An SLI as what can be counted. `compared` is what the objective compares a `thresholdMetric` with, if it says so.
 */
export function readIndicator(
  document: SourceDocument,
  spec: SliSpec,
  compared: { op: Operator; value: number } | undefined,
  context: IndicatorContext,
): Indicator | undefined {
  const refuse: Refuse = (path, message, hint) => {
    context.problems.push(document.problem(path, message, hint))
  }
  if ((spec.thresholdMetric === undefined) === (spec.ratioMetric === undefined)) {
    refuse([], 'expected either "ratioMetric" or "thresholdMetric"')
    return undefined
  }
  const at = new MetricReader(document, refuse, context)
  if (spec.thresholdMetric) {
    const query = at.query(spec.thresholdMetric, ['thresholdMetric'])
    // Without a comparison the objective itself is wrong, which is said there.
    if (query === undefined || !compared) return undefined
    return { type: 'measured', measure: { by: 'threshold', query, ...compared } }
  }
  return ratioIndicator(document, spec.ratioMetric!, at, refuse, context)
}

type RatioMetric = NonNullable<SliSpec['ratioMetric']>

function ratioIndicator(
  document: SourceDocument,
  ratio: RatioMetric,
  at: MetricReader,
  refuse: Refuse,
  context: IndicatorContext,
): Indicator | undefined {
  if (ratio.raw || ratio.rawType) {
    const parts = (['good', 'bad', 'total'] as const).filter(part => ratio[part])
    for (const part of parts) refuse(['ratioMetric', part], '"raw" is the whole ratio already')
    if (!ratio.raw || !ratio.rawType) refuse(['ratioMetric'], 'expected "raw" and "rawType" together')
    if (!ratio.raw || !ratio.rawType || parts.length > 0) return undefined
    const query = at.query(ratio.raw, ['ratioMetric', 'raw'])
    return query === undefined ? undefined : { type: 'measured', measure: { by: 'ratio', query, of: ratio.rawType } }
  }
  const part = ratio.good ? 'good' : 'bad'
  const counted = ratio[part]
  if (!ratio.total || !counted || (ratio.good && ratio.bad)) {
    refuse(['ratioMetric'], 'expected "total" and either "good" or "bad"')
    return undefined
  }
  const totalType = at.type(ratio.total, ['ratioMetric', 'total'])
  // The type stands once, on total, as the selector does.
  const countedType = inheritsType(counted) ? totalType : at.type(counted, ['ratioMetric', part])
  if (!totalType || !countedType) return undefined
  if (totalType !== countedType) {
    const words = `expected "${totalType}" as on total, saw "${countedType}"`
    refuse(['ratioMetric', part, 'metricSource', 'type'], words)
    return undefined
  }
  if (totalType === 'shaketable') {
    if (ratio.counter === false) {
      refuse(['ratioMetric', 'counter'], 'expected true, saw false: what the SDK counts never falls')
      return undefined
    }
    return semanticIndicator(document, part, context.problems)
  }
  if (ratio.counter === undefined) {
    const hint = 'true if both only grow, as Prometheus counters do; false if they may fall'
    refuse(['ratioMetric', 'counter'], 'is missing: expected true or false', hint)
    return undefined
  }
  const totalQuery = at.queryText(['ratioMetric', 'total'])
  const query = at.queryText(['ratioMetric', part])
  if (totalQuery === undefined || query === undefined) return undefined
  const queries = {
    goodQuery: part === 'good' ? query : undefined,
    badQuery: part === 'bad' ? query : undefined,
    totalQuery,
  }
  return ratio.counter
    ? { type: 'prometheus', ...queries }
    : { type: 'measured', measure: { by: 'gauges', ...queries } }
}

const querySchema = z.strictObject({ query: z.string({ error: expecting('a PromQL query') }).min(1) })

/** Reads where a metric comes from. */
class MetricReader {
  readonly #document: SourceDocument
  readonly #refuse: Refuse
  readonly #context: IndicatorContext

  constructor(document: SourceDocument, refuse: Refuse, context: IndicatorContext) {
    this.#document = document
    this.#refuse = refuse
    this.#context = context
  }

  type(metric: Metric, path: string[]): 'shaketable' | 'prometheus' | undefined {
    const { type, metricSourceRef } = metric.metricSource
    const at = (field: string) => [...path, 'metricSource', field]
    let name = type
    if (name === undefined && metricSourceRef !== undefined) {
      name = this.#context.dataSources.get(metricSourceRef)
      if (name === undefined) {
        const known = suggestion(metricSourceRef, this.#context.dataSources.keys())
        this.#refuse(at('metricSourceRef'), `no DataSource is named "${metricSourceRef}"; ${known}`)
        return undefined
      }
    }
    if (name === undefined) {
      this.#refuse(at('type'), 'is missing: expected "shaketable" or "prometheus"')
      return undefined
    }
    // OpenSLO's own examples write "Prometheus".
    const lower = name.toLowerCase()
    if (lower === 'shaketable' || lower === 'prometheus') return lower
    const place = at(type === undefined ? 'metricSourceRef' : 'type')
    this.#refuse(place, `expected "shaketable" or "prometheus", saw ${seen(name)}`)
    return undefined
  }

  /** The query of a metric that only Prometheus can answer. */
  query(metric: Metric, path: string[]): string | undefined {
    const type = this.type(metric, path)
    if (type === 'prometheus') return this.queryText(path)
    if (type === 'shaketable') {
      const words =
        'expected "prometheus", saw "shaketable", which counts operations: they are good or bad each by itself'
      this.#refuse([...path, 'metricSource', 'type'], words, 'use "ratioMetric" with "good" and "total"')
    }
    return undefined
  }

  queryText(path: string[]): string | undefined {
    return this.#document.part([...path, 'metricSource', 'spec']).read(querySchema, this.#context.problems)?.query
  }
}

function inheritsType(metric: Metric): boolean {
  return metric.metricSource.type === undefined && metric.metricSource.metricSourceRef === undefined
}

const aMethod = 'an HTTP method in capitals, e.g. "POST"'
const aRoute = 'a route template that begins with "/", e.g. "/orders/:id"'
const matching = (what: string, pattern: RegExp) =>
  z.string({ error: expecting(what) }).regex(pattern, { error: expecting(what) })

/** Where a field's text has a form; everywhere else any text will do. */
function fieldSchema(field: string, signal: Signal) {
  if (field === 'route') return matching(aRoute, /^\/\S*$/)
  if (field === 'method' && signals[signal].judgedBy === 'status') return matching(aMethod, /^[A-Z]{1,20}$/)
  if (field === 'method') return matching('a full method name, e.g. "shop.Payments/Charge"', /^[\w.]+\/\w+$/)
  return z.string().min(1)
}

/** Makes a schema the first time only: to make one costs more than to use it. */
function once<Schema>(make: (signal: Signal) => Schema): (signal: Signal) => Schema {
  const made = new Map<Signal, Schema>()
  return signal => {
    const schema = made.get(signal) ?? make(signal)
    made.set(signal, schema)
    return schema
  }
}

/** The signal first: which other fields there are depends on it. */
const signalSchema = z.looseObject({ signal: z.enum(signalNames) })

const selectorSchema = once((signal: Signal) => {
  const fields = Object.keys(signals[signal].selects).map(field => [field, fieldSchema(field, signal).optional()])
  const shape = { signal: z.literal(signal), service: z.string().min(1), ...Object.fromEntries(fields) }
  return z.strictObject(shape) as unknown as z.ZodType<SelectorFields>
})

type SelectorFields = { service: string } & Partial<Record<SelectorField, string>>

const selectorOnce = z
  .never({ error: 'stands on "total" only: both must count the same operations, so "good" adds only the predicate' })
  .optional()
const noSelector = Object.fromEntries(['signal', 'service', ...selectorFields].map(field => [field, selectorOnce]))

function semanticIndicator(document: SourceDocument, part: 'good' | 'bad', problems: Problem[]): Indicator | undefined {
  const total = document.part(['ratioMetric', 'total', 'metricSource', 'spec'])
  const judged = document.part(['ratioMetric', part, 'metricSource', 'spec'])
  const signal = total.read(signalSchema, problems)?.signal
  if (!signal) return undefined
  const selector = total.read(selectorSchema(signal), problems)
  const good = predicateOf(judged, part, signal, problems)
  if (!selector || !good) return undefined
  const { service, method, route, ...others } = selector
  return { type: 'shaketable', selector: { signal, service, method, route, ...others }, good }
}

function condition(sign: '<' | '>=') {
  const what = `a condition such as "${sign}500"`
  return matching(what, new RegExp(`^${sign}\\s?[1-6]\\d\\d$`)).transform(text => Number(text.slice(-3)))
}

function threshold(boundaries: readonly number[]) {
  return z.string({ error: expecting('a latency such as "500ms"') }).transform((text, context) => {
    const ms = parseDuration(text)
    if (ms === undefined) {
      context.addIssue({ code: 'custom', message: `expected a latency such as "500ms", saw ${seen(text)}` })
      return z.NEVER
    }
    const seconds = ms / 1000
    if (boundaries.includes(seconds)) return seconds
    const below = boundaries.findLast(each => each < seconds)
    const above = boundaries.find(each => each > seconds)
    const near = [below, above].filter(each => each !== undefined).map(inWords)
    context.addIssue({
      code: 'custom',
      message: `${seen(text)} is no boundary of the latency histogram, so that it cannot be measured; the nearest ${near.length === 1 ? 'is' : 'are'} ${near.join(' and ')}`,
    })
    return z.NEVER
  })
}

function inWords(seconds: number): string {
  return seconds < 1 ? `"${Math.round(seconds * 1000)}ms"` : `"${seconds}s"`
}

const predicateSchemas = { good: once(predicateSchema('good')), bad: once(predicateSchema('bad')) }

function predicateSchema(part: 'good' | 'bad') {
  const isGood = part === 'good'
  return (signal: Signal) => {
    const { boundaries, judgedBy } = signals[signal]
    return z.strictObject({
      ...(judgedBy === 'status' ? { status: condition(isGood ? '<' : '>=').optional() } : {}),
      ...(judgedBy === 'error' ? { error: z.literal(!isGood).optional() } : {}),
      [isGood ? 'under' : 'over']: threshold(boundaries).optional(),
      ...noSelector,
    })
  }
}

/**
 * An operation is bad when any condition holds, so that it is good when none does: `bad` is written with the opposite of
 * each condition of `good`.
 */
function predicateOf(
  document: SourceDocument,
  part: 'good' | 'bad',
  signal: Signal,
  problems: Problem[],
): Predicate | undefined {
  const { judgedBy } = signals[signal]
  const isGood = part === 'good'
  const latency = isGood ? 'under' : 'over'
  const read = document.read(predicateSchemas[part](signal), problems) as
    | { status?: number; error?: boolean; under?: number; over?: number }
    | undefined
  if (!read) return undefined
  const underSeconds = isGood ? read.under : read.over
  if (read.status === undefined && read.error === undefined && underSeconds === undefined) {
    problems.push(document.problem([], `expected "${judgedBy}", "${latency}" or both`))
    return undefined
  }
  return {
    status: read.status === undefined ? undefined : { below: read.status },
    underSeconds,
    ...(read.error === undefined ? {} : { withoutError: true }),
  }
}
