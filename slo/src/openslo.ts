import { z } from 'zod'
import { inOrder, parseDocuments, type SourceDocument } from './document.ts'
import { InvalidInput, type Problem } from './error.ts'
import { suggestion } from './nearest.ts'
import type { Indicator, Objective, Predicate } from './objective.ts'
import {
  type Metric,
  openSloKinds,
  openSloSchemas,
  openSloVersion,
  type SliSpec,
  type SloSpec,
} from './openslo-schema.ts'
import { expecting, seen } from './yaml-issues.ts'
import { parseDuration } from './yaml-values.ts'

/** The boundaries of the HTTP duration histograms, in seconds (OpenTelemetry semantic conventions); as in the SDK. */
export const latencyBoundaries: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]

type Kind = (typeof openSloKinds)[number]

/** What a set of OpenSLO documents holds. */
export interface OpenSlo {
  objectives: Objective[]
  /** How many documents of each kind there are. */
  kinds: Partial<Record<Kind, number>>
}

/**
 * The objectives of an OpenSLO v1 file, read strictly: one or more documents (or lists of them), in which an SLO may refer
 * to an SLI by `indicatorRef` and a metric to a DataSource by `metricSourceRef`. Alert policies are checked and otherwise
 * left alone: Shaketable derives its own burn-rate alerts from each objective. Throws `InvalidInput` with every problem.
 */
export function readObjectives(text: string, file: string): Objective[] {
  const problems: Problem[] = []
  const { objectives } = collectOpenSlo(parseDocuments(text, file, problems), problems)
  if (objectives.length === 0 && problems.length === 0) {
    problems.push({ file, line: 1, column: 1, message: 'expected an SLO, saw none in this file' })
  }
  if (problems.length > 0) throw new InvalidInput(inOrder(problems))
  return objectives
}

/** The same for documents that are parsed already; problems are added to `problems` instead of thrown. */
export function collectOpenSlo(documents: readonly SourceDocument[], problems: Problem[]): OpenSlo {
  const found: OpenSlo = { objectives: [], kinds: {} }
  const set: DocumentSet = { slis: new Map(), dataSources: new Map() }
  const slos: { document: SourceDocument; spec: SloSpec; metadata: Metadata }[] = []
  const named = new Set<string>()

  for (const document of documents.flatMap(each => entries(each))) {
    const kind = kindOf(document, problems)
    if (!kind) continue
    found.kinds[kind] = (found.kinds[kind] ?? 0) + 1
    const content = document.read(openSloSchemas[kind], problems)
    if (!content) continue
    const { name } = content.metadata
    if (named.has(`${kind} ${name}`)) {
      problems.push(document.problem(['metadata', 'name'], `another ${kind} is named "${name}" already`))
    }
    named.add(`${kind} ${name}`)
    if (content.kind === 'SLO') slos.push({ document, spec: content.spec, metadata: content.metadata })
    if (content.kind === 'SLI') set.slis.set(name, { document: document.part(['spec']), spec: content.spec })
    if (content.kind === 'DataSource') set.dataSources.set(name, content.spec.type)
  }
  for (const slo of slos) {
    const objective = objectiveOf(slo, set, problems)
    if (objective) found.objectives.push(objective)
  }
  return found
}

interface DocumentSet {
  slis: Map<string, { document: SourceDocument; spec: SliSpec }>
  dataSources: Map<string, string>
}

type Metadata = z.output<(typeof openSloSchemas)['SLO']>['metadata']

/** A document may be a list of objects. */
function entries(document: SourceDocument): SourceDocument[] {
  return Array.isArray(document.value) ? document.value.map((_, index) => document.part([index])) : [document]
}

const headSchema = z.looseObject({
  apiVersion: z.string({ error: expecting(`"${openSloVersion}"`) }),
  kind: z.string({ error: expecting('the kind of the document, e.g. "SLO"') }),
})

function kindOf(document: SourceDocument, problems: Problem[]): Kind | undefined {
  const head = document.read(headSchema, problems)
  if (!head) return undefined
  if (head.apiVersion !== openSloVersion) {
    problems.push(document.problem(['apiVersion'], `expected "${openSloVersion}", saw ${seen(head.apiVersion)}`))
    return undefined
  }
  const kind = openSloKinds.find(each => each === head.kind)
  if (!kind) {
    const words = `unknown kind ${seen(head.kind)}; ${suggestion(head.kind, openSloKinds)}`
    problems.push(document.problem(['kind'], words))
  }
  return kind
}

function objectiveOf(
  slo: { document: SourceDocument; spec: SloSpec; metadata: Metadata },
  set: DocumentSet,
  problems: Problem[],
): Objective | undefined {
  const { document, spec, metadata } = slo
  const before = problems.length
  const refuse = (path: PropertyKey[], message: string, hint?: string) => {
    problems.push(document.problem(['spec', ...path], message, hint))
  }

  if (spec.budgetingMethod !== 'Occurrences') {
    const why = `"${spec.budgetingMethod}" is not supported yet: Shaketable counts good and total requests, not slices of time`
    refuse(['budgetingMethod'], why, 'use "Occurrences"')
  }
  const windowMs = windowOf(spec, refuse)
  const target = targetOf(spec, refuse)
  const indicator = indicatorOf(document, spec, set, problems)
  if (problems.length > before || windowMs === undefined || target === undefined || !indicator) return undefined
  return {
    name: metadata.name,
    title: metadata.displayName ?? metadata.name,
    description: spec.description,
    service: spec.service,
    target,
    windowMs,
    indicator,
    labels: Object.fromEntries(
      Object.entries(metadata.labels ?? {}).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(',') : value,
      ]),
    ),
    place: document.place(),
  }
}

type Refuse = (path: PropertyKey[], message: string, hint?: string) => void

function windowOf(spec: SloSpec, refuse: Refuse): number | undefined {
  const window = spec.timeWindow[0]!
  if (!window.isRolling || window.calendar) {
    const both = window.isRolling && window.calendar
    if (both) refuse(['timeWindow', 0, 'calendar'], 'a rolling window has no calendar')
    else {
      const why = 'a calendar window is not supported yet: the error budget is counted over rolling windows only'
      refuse(['timeWindow', 0, 'isRolling'], why, 'use "isRolling: true", e.g. with "duration: 30d"')
    }
    return undefined
  }
  if (/[MQY]$/.test(window.duration)) {
    const why = `a rolling window needs a fixed length, and ${seen(window.duration)} has none`
    refuse(['timeWindow', 0, 'duration'], why, 'use days, e.g. "30d"')
    return undefined
  }
  return parseDuration(window.duration)
}

function targetOf(spec: SloSpec, refuse: Refuse): number | undefined {
  const objective = spec.objectives[0]!
  const at = (field: string) => ['objectives', 0, field]
  if (spec.objectives.length > 1) {
    const why = `several objectives in one SLO are not supported yet: saw ${spec.objectives.length}`
    refuse(['objectives', 1], why, 'write one SLO for each; they may share an SLI by "indicatorRef"')
  }
  for (const field of ['indicator', 'indicatorRef', 'compositeWeight'] as const) {
    if (objective[field] === undefined) continue
    refuse(at(field), 'composite SLOs are not supported yet', 'put the indicator into "spec.indicator"')
  }
  if (spec.budgetingMethod === 'Occurrences') {
    for (const field of ['timeSliceTarget', 'timeSliceWindow'] as const) {
      if (objective[field] !== undefined) refuse(at(field), 'belongs to Timeslices, and this SLO counts Occurrences')
    }
  }
  const { target, targetPercent } = objective
  if ((target === undefined) === (targetPercent === undefined)) {
    refuse(['objectives', 0], 'expected either "target", e.g. 0.99, or "targetPercent", e.g. 99')
    return undefined
  }
  if (target !== undefined) {
    if (target > 0 && target < 1) return target
    const words = target === 1 ? 'a target of 1 leaves no error budget: ' : ''
    const hint = target > 1 && target < 100 ? `did you mean "targetPercent: ${target}"?` : undefined
    refuse(at('target'), `${words}expected a ratio over 0 and under 1, saw the number ${target}`, hint)
    return undefined
  }
  if (targetPercent! > 0 && targetPercent! < 100) return Number((targetPercent! / 100).toPrecision(12))
  refuse(at('targetPercent'), `expected a percentage over 0 and under 100, saw the number ${targetPercent}`)
  return undefined
}

function indicatorOf(
  document: SourceDocument,
  spec: SloSpec,
  set: DocumentSet,
  problems: Problem[],
): Indicator | undefined {
  if ((spec.indicator === undefined) === (spec.indicatorRef === undefined)) {
    problems.push(document.problem(['spec'], 'expected either "indicator" or "indicatorRef"'))
    return undefined
  }
  let sli = spec.indicator && { document: document.part(['spec', 'indicator', 'spec']), spec: spec.indicator.spec }
  if (spec.indicatorRef !== undefined) {
    sli = set.slis.get(spec.indicatorRef)
    if (!sli) {
      const words = `no SLI in this file is named "${spec.indicatorRef}"; ${suggestion(spec.indicatorRef, set.slis.keys())}`
      problems.push(document.problem(['spec', 'indicatorRef'], words))
      return undefined
    }
  }
  return readIndicator(sli!.document, sli!.spec, set, problems)
}

function readIndicator(
  document: SourceDocument,
  spec: SliSpec,
  set: DocumentSet,
  problems: Problem[],
): Indicator | undefined {
  const refuse: Refuse = (path, message, hint) => {
    problems.push(document.problem(path, message, hint))
  }
  if (spec.thresholdMetric) {
    const why = 'is not supported yet: a threshold on a raw value has no good and total requests to count'
    refuse(['thresholdMetric'], why, 'use "ratioMetric" with "good" and "total"')
    return undefined
  }
  const ratio = spec.ratioMetric
  if (!ratio) {
    refuse([], 'expected "ratioMetric"')
    return undefined
  }
  if (ratio.raw || ratio.rawType) {
    const why = 'is not supported yet: a ratio that is ready-made cannot be weighed by its requests'
    refuse(['ratioMetric', ratio.raw ? 'raw' : 'rawType'], why, 'use "good" and "total"')
    return undefined
  }
  if (ratio.counter !== true) {
    if (ratio.counter === undefined) refuse(['ratioMetric', 'counter'], 'is missing: expected true')
    else refuse(['ratioMetric', 'counter'], 'false is not supported yet: only counters that never fall can be judged')
    return undefined
  }
  const part = ratio.good ? 'good' : 'bad'
  const counted = ratio[part]
  if (!ratio.total || !counted || (ratio.good && ratio.bad)) {
    refuse(['ratioMetric'], 'expected "total" and either "good" or "bad"')
    return undefined
  }
  const totalType = typeOf(ratio.total, ['ratioMetric', 'total'], set, refuse)
  // The type stands once, on total, as the selector does.
  const countedType = inheritsType(counted) ? totalType : typeOf(counted, ['ratioMetric', part], set, refuse)
  if (!totalType || !countedType) return undefined
  if (totalType !== countedType) {
    const words = `expected "${totalType}" as on total, saw "${countedType}"`
    refuse(['ratioMetric', part, 'metricSource', 'type'], words)
    return undefined
  }
  const total = document.part(['ratioMetric', 'total', 'metricSource', 'spec'])
  const judged = document.part(['ratioMetric', part, 'metricSource', 'spec'])
  if (totalType === 'prometheus') {
    const totalQuery = readAt(document, ['ratioMetric', 'total'], querySchema, problems)?.query
    const query = readAt(document, ['ratioMetric', part], querySchema, problems)?.query
    if (totalQuery === undefined || query === undefined) return undefined
    return {
      type: 'prometheus',
      goodQuery: part === 'good' ? query : undefined,
      badQuery: part === 'bad' ? query : undefined,
      totalQuery,
    }
  }
  const selector = total.read(selectorSchema, problems)
  const good = part === 'good' ? goodPredicate(judged, problems) : badPredicate(judged, problems)
  if (!selector || !good) return undefined
  const { signal, service, method, route } = selector
  return { type: 'shaketable', selector: { signal, service, method, route }, good }
}

function readAt<S extends z.ZodType>(document: SourceDocument, path: string[], schema: S, problems: Problem[]) {
  return document.part([...path, 'metricSource', 'spec']).read(schema, problems)
}

function inheritsType(metric: Metric): boolean {
  return metric.metricSource.type === undefined && metric.metricSource.metricSourceRef === undefined
}

function typeOf(
  metric: Metric,
  path: string[],
  set: DocumentSet,
  refuse: Refuse,
): 'shaketable' | 'prometheus' | undefined {
  const { type, metricSourceRef } = metric.metricSource
  const at = (field: string) => [...path, 'metricSource', field]
  let name = type
  if (name === undefined && metricSourceRef !== undefined) {
    name = set.dataSources.get(metricSourceRef)
    if (name === undefined) {
      const known = suggestion(metricSourceRef, set.dataSources.keys())
      refuse(at('metricSourceRef'), `no DataSource in this file is named "${metricSourceRef}"; ${known}`)
      return undefined
    }
  }
  if (name === undefined) {
    refuse(at('type'), 'is missing: expected "shaketable" or "prometheus"')
    return undefined
  }
  // OpenSLO's own examples write "Prometheus".
  const lower = name.toLowerCase()
  if (lower === 'shaketable' || lower === 'prometheus') return lower
  refuse(
    at(type === undefined ? 'metricSourceRef' : 'type'),
    `expected "shaketable" or "prometheus", saw ${seen(name)}`,
  )
  return undefined
}

const querySchema = z.strictObject({ query: z.string({ error: expecting('a PromQL query') }).min(1) })

const aMethod = 'an HTTP method in capitals, e.g. "POST"'
const aRoute = 'a route template that begins with "/", e.g. "/orders/:id"'
const selectorSchema = z.strictObject({
  signal: z.enum(['http-server', 'http-client']),
  service: z.string().min(1),
  method: z
    .string({ error: expecting(aMethod) })
    .regex(/^[A-Z]{1,20}$/, { error: expecting(aMethod) })
    .optional(),
  route: z
    .string({ error: expecting(aRoute) })
    .regex(/^\/\S*$/, { error: expecting(aRoute) })
    .optional(),
})

const selectorOnce = z
  .never({ error: 'stands on "total" only: both must count the same requests, so "good" adds only the predicate' })
  .optional()
const noSelector = { signal: selectorOnce, service: selectorOnce, method: selectorOnce, route: selectorOnce }

function condition(sign: '<' | '>=') {
  const what = `a condition such as "${sign}500"`
  return z
    .string({ error: expecting(what) })
    .regex(new RegExp(`^${sign}\\s?[1-6]\\d\\d$`), { error: expecting(what) })
    .transform(text => Number(text.slice(-3)))
}

const threshold = z.string({ error: expecting('a latency such as "500ms"') }).transform((text, context) => {
  const ms = parseDuration(text)
  if (ms === undefined) {
    context.addIssue({ code: 'custom', message: `expected a latency such as "500ms", saw ${seen(text)}` })
    return z.NEVER
  }
  const seconds = ms / 1000
  if (latencyBoundaries.includes(seconds)) return seconds
  const below = latencyBoundaries.findLast(each => each < seconds)
  const above = latencyBoundaries.find(each => each > seconds)
  const near = [below, above].filter(each => each !== undefined).map(inWords)
  context.addIssue({
    code: 'custom',
    message: `${seen(text)} is no boundary of the latency histogram, so that it cannot be measured; the nearest ${near.length === 1 ? 'is' : 'are'} ${near.join(' and ')}`,
  })
  return z.NEVER
})

function inWords(seconds: number): string {
  return seconds < 1 ? `"${Math.round(seconds * 1000)}ms"` : `"${seconds}s"`
}

function goodPredicate(document: SourceDocument, problems: Problem[]): Predicate | undefined {
  const good = document.read(
    z.strictObject({ status: condition('<').optional(), under: threshold.optional(), ...noSelector }),
    problems,
  )
  return good && predicate(document, good.status, good.under, 'expected "status", "under" or both', problems)
}

/** A request is bad when any condition holds, so that it is good when none does. */
function badPredicate(document: SourceDocument, problems: Problem[]): Predicate | undefined {
  const bad = document.read(
    z.strictObject({ status: condition('>=').optional(), over: threshold.optional(), ...noSelector }),
    problems,
  )
  return bad && predicate(document, bad.status, bad.over, 'expected "status", "over" or both', problems)
}

function predicate(
  document: SourceDocument,
  below: number | undefined,
  underSeconds: number | undefined,
  expected: string,
  problems: Problem[],
): Predicate | undefined {
  if (below === undefined && underSeconds === undefined) {
    problems.push(document.problem([], expected))
    return undefined
  }
  return { status: below === undefined ? undefined : { below }, underSeconds }
}
