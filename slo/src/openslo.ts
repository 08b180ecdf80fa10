import { z } from 'zod'
import { type Calendar, instantOf, monthsOf } from './calendar.ts'
import { inOrder, parseDocuments, type SourceDocument } from './document.ts'
import { InvalidInput, type Problem } from './error.ts'
import { suggestion } from './nearest.ts'
import type { Objective, Operator, Slices } from './objective.ts'
import { readIndicator } from './openslo-indicator.ts'
import { openSloKinds, openSloSchemas, openSloVersion, type SliSpec, type SloSpec } from './openslo-schema.ts'
import { trafficAnnotation } from './traffic.ts'
import { expecting, seen } from './yaml-issues.ts'
import { parseDuration, rate } from './yaml-values.ts'

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
  return readObjectiveFiles([{ text, file }])
}

/** The same for several files, which may refer to one another. */
export function readObjectiveFiles(files: readonly { text: string; file: string }[]): Objective[] {
  const problems: Problem[] = []
  const documents = files.flatMap(({ text, file }) => parseDocuments(text, file, problems))
  const { objectives } = collectOpenSlo(documents, problems)
  if (objectives.length === 0 && problems.length === 0) {
    const [{ file } = { file: '' }] = files
    const where = files.length > 1 ? `any of ${files.length} files` : 'this file'
    problems.push({ file, line: 1, column: 1, message: `expected an SLO, saw none in ${where}` })
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
    found.objectives.push(...objectivesOf(slo, set, problems))
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

/** One for each of the SLO's objectives: they share what is counted, and differ in what they promise of it. */
function objectivesOf(
  slo: { document: SourceDocument; spec: SloSpec; metadata: Metadata },
  set: DocumentSet,
  problems: Problem[],
): Objective[] {
  const { document, spec, metadata } = slo
  const before = problems.length
  const refuse = (path: PropertyKey[], message: string, hint?: string) => {
    problems.push(document.problem(['spec', ...path], message, hint))
  }
  const window = windowOf(spec, refuse)
  const promises = spec.objectives.map((objective, index) => ({
    target: targetOf(objective, index, refuse),
    slices: slicesOf(spec, index, refuse),
    name: spec.objectives.length === 1 ? metadata.name : `${metadata.name}-${suffixOf(objective.displayName, index)}`,
    displayName: objective.displayName,
  }))
  if (promises.length > 1) checkNames(promises, refuse)
  const sli = sliOf(document, spec, set, problems)
  const compared = comparisonOf(spec, sli?.spec, refuse)
  const traffic = trafficOf(document, metadata, problems)
  const indicator = sli && readIndicator(sli.document, sli.spec, compared, { dataSources: set.dataSources, problems })
  if (problems.length > before || !window || !indicator) return []
  const title = metadata.displayName ?? metadata.name
  return promises.map(({ target, slices, name, displayName }) => ({
    name,
    title: promises.length === 1 ? title : `${title}, ${displayName ?? name}`,
    description: spec.description,
    service: spec.service,
    target: target!,
    ...window,
    ...(slices ? { slices } : {}),
    indicator,
    labels: Object.fromEntries(
      Object.entries(metadata.labels ?? {}).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(',') : value,
      ]),
    ),
    ...(traffic ? { traffic } : {}),
    place: document.place(),
  }))
}

const trafficRate = rate()

/** Annotations are their writers' own, but for those under our name. */
function trafficOf(
  document: SourceDocument,
  { annotations = {} }: Metadata,
  problems: Problem[],
): Objective['traffic'] {
  const at = (name: string) => ['metadata', 'annotations', name]
  for (const name of Object.keys(annotations)) {
    if (!name.startsWith('shaketable.dev/') || name === trafficAnnotation) continue
    const words = `unknown annotation ${seen(name)}; ${suggestion(name, [trafficAnnotation])}`
    problems.push({ ...document.problem(at(name), words), ...document.place(at(name), 'key') })
  }
  const told = annotations[trafficAnnotation]
  if (told === undefined) return undefined
  const read = trafficRate.safeParse(told)
  if (read.success) return { ratePerSecond: read.data, place: document.place(at(trafficAnnotation), 'key') }
  problems.push(document.problem(at(trafficAnnotation), read.error.issues[0]!.message))
  return undefined
}

type Refuse = (path: PropertyKey[], message: string, hint?: string) => void
type Promised = SloSpec['objectives'][number]

/** What tells the objectives of one SLO apart in names: the display name, or the number. */
function suffixOf(displayName: string | undefined, index: number): string {
  const slug = displayName
    ?.toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return slug || String(index + 1)
}

function checkNames(promises: { name: string }[], refuse: Refuse): void {
  for (const [index, { name }] of promises.entries()) {
    const first = promises.findIndex(each => each.name === name)
    if (first < index)
      refuse(['objectives', index], `is named "${name}", as objectives[${first}] is`, 'give each its own "displayName"')
  }
}

function windowOf(spec: SloSpec, refuse: Refuse): { windowMs: number; calendar?: Calendar } | undefined {
  const { duration, isRolling, calendar } = spec.timeWindow[0]!
  const at = (...path: PropertyKey[]) => ['timeWindow', 0, ...path]
  const months = monthsOf(duration)
  if (!calendar) {
    if (isRolling === undefined) refuse(at(), 'expected "isRolling: true" or "calendar"')
    else if (!isRolling) refuse(at('isRolling'), 'a window that does not roll needs a "calendar"')
    if (months) {
      const why = `a rolling window needs a fixed length, and ${seen(duration)} has none`
      refuse(at('duration'), why, 'use days, e.g. "30d"')
    }
    return !isRolling || months ? undefined : { windowMs: parseDuration(duration)! }
  }
  if (isRolling) {
    refuse(at('calendar'), 'a rolling window has no calendar')
    return undefined
  }
  if (!isTimeZone(calendar.timeZone)) {
    const words = `expected a name of the IANA Time Zone Database, e.g. "America/New_York", saw ${seen(calendar.timeZone)}`
    refuse(at('calendar', 'timeZone'), words)
    return undefined
  }
  const { startTime, timeZone } = calendar
  if (instantOf(startTime, timeZone) === undefined) {
    const words = `expected a date with its time, e.g. "2022-01-01 12:00:00", saw ${seen(startTime)}`
    refuse(at('calendar', 'startTime'), words)
    return undefined
  }
  if (!months) return { windowMs: parseDuration(duration)!, calendar: { startTime, timeZone, months: undefined } }
  if (Number(startTime.slice(8, 10)) > 28) {
    refuse(at('calendar', 'startTime'), 'not every month has this day, and a period of months begins on it')
    return undefined
  }
  return { windowMs: months.windowMs, calendar: { startTime, timeZone, months: months.months } }
}

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

function slicesOf({ budgetingMethod, objectives }: SloSpec, index: number, refuse: Refuse): Slices | undefined {
  const { timeSliceTarget: target, timeSliceWindow: window } = objectives[index]!
  const at = (field: string) => ['objectives', index, field]
  const isTimeslices = budgetingMethod === 'Timeslices'
  if (target !== undefined && !isTimeslices) {
    refuse(at('timeSliceTarget'), `belongs to Timeslices, and this SLO counts ${budgetingMethod}`)
  }
  if (budgetingMethod === 'Occurrences') {
    if (window !== undefined) refuse(at('timeSliceWindow'), 'belongs to Timeslices, and this SLO counts Occurrences')
    return undefined
  }
  if (isTimeslices && target === undefined) {
    refuse(at('timeSliceTarget'), 'is missing: expected the ratio of good events that makes a slice good, e.g. 0.95')
  } else if (isTimeslices && !(target! > 0 && target! <= 1)) {
    refuse(at('timeSliceTarget'), `expected a ratio over 0 and at most 1, saw the number ${target}`)
  }
  if (window === undefined) {
    refuse(at('timeSliceWindow'), 'is missing: expected the length of a slice, e.g. "1m"')
    return undefined
  }
  const windowMs = parseDuration(typeof window === 'number' ? `${window}m` : window)
  if (windowMs === undefined || windowMs > 86_400_000) {
    refuse(at('timeSliceWindow'), `expected at most a day, saw ${seen(window)}`)
    return undefined
  }
  return { windowMs, target }
}

/** What the values of a threshold metric are compared with. */
function comparisonOf(
  { objectives }: SloSpec,
  sli: SliSpec | undefined,
  refuse: Refuse,
): { op: Operator; value: number } | undefined {
  if (!sli?.thresholdMetric) {
    const index = sli ? objectives.findIndex(({ value }) => value !== undefined) : -1
    if (index >= 0) refuse(['objectives', index, 'value'], 'belongs to a thresholdMetric, and the indicator has none')
    return undefined
  }
  if (objectives.length > 1) refuse(['objectives', 1], 'with a thresholdMetric there is one objective only')
  const { op, value } = objectives[0]!
  if (op === undefined) refuse(['objectives', 0, 'op'], 'is missing: a thresholdMetric is compared by it, e.g. "lte"')
  if (value === undefined) refuse(['objectives', 0, 'value'], 'is missing: a thresholdMetric is compared with it')
  return op === undefined || value === undefined ? undefined : { op, value }
}

function targetOf(objective: Promised, index: number, refuse: Refuse): number | undefined {
  const at = (field: string) => ['objectives', index, field]
  for (const field of ['indicator', 'indicatorRef', 'compositeWeight'] as const) {
    if (objective[field] === undefined) continue
    const why = 'composite SLOs are not supported: several indicators have no events in common to count'
    refuse(at(field), why, 'write one SLO for each indicator')
  }
  const { target, targetPercent } = objective
  if ((target === undefined) === (targetPercent === undefined)) {
    refuse(['objectives', index], 'expected either "target", e.g. 0.99, or "targetPercent", e.g. 99')
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

function sliOf(
  document: SourceDocument,
  spec: SloSpec,
  set: DocumentSet,
  problems: Problem[],
): { document: SourceDocument; spec: SliSpec } | undefined {
  // A composite's indicators stand on its objectives, where they are refused.
  const isComposite = spec.objectives.some(each => each.indicator ?? each.indicatorRef)
  if ((spec.indicator === undefined) === (spec.indicatorRef === undefined)) {
    if (!isComposite) problems.push(document.problem(['spec'], 'expected either "indicator" or "indicatorRef"'))
    return undefined
  }
  if (spec.indicator) return { document: document.part(['spec', 'indicator', 'spec']), spec: spec.indicator.spec }
  const name = spec.indicatorRef!
  const sli = set.slis.get(name)
  if (!sli) {
    const words = `no SLI is named "${name}"; ${suggestion(name, set.slis.keys())}`
    problems.push(document.problem(['spec', 'indicatorRef'], words))
  }
  return sli
}
