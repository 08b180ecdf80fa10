import { z } from 'zod'
import type { ImportContext } from './import.ts'
import type { Objective } from './objective.ts'
import { labelNameSchema, nameSchema } from './openslo-schema.ts'
import { isSelector } from './promql.ts'
import { expecting, seen } from './yaml-issues.ts'
import { parseWindow } from './yaml-values.ts'

export const pyrraVersion = 'pyrra.dev/v1alpha1'
/** Pyrra gives only such labels of an objective to its alerts, without this. */
const propagated = 'pyrra.dev/'

const aTarget = 'a percentage over 0 and under 100 as text, e.g. "99.9"'
const aWindow = 'a duration such as "28d" or "4w"'
const metric = z.strictObject({ metric: z.string({ error: expecting('a selector of a counter') }).min(1) })
const grouping = z.array(z.string()).optional()
const flag = z.boolean().optional()

const schema = z.strictObject({
  apiVersion: z.literal(pyrraVersion),
  kind: z.literal('ServiceLevelObjective'),
  metadata: z.looseObject({ name: nameSchema, labels: z.record(z.string(), z.string()).optional() }),
  spec: z.strictObject({
    description: z.string().max(1050).optional(),
    target: z
      .string({ error: expecting(aTarget) })
      .regex(/^\d{1,2}(\.\d{1,10})?$/, { error: expecting(aTarget) })
      .refine(text => Number(text) > 0, { error: expecting(aTarget) }),
    window: z.string({ error: expecting(aWindow) }),
    indicator: z.strictObject({
      ratio: z.strictObject({ errors: metric, total: metric, grouping }).optional(),
      latency: z.strictObject({ success: metric, total: metric, grouping }).optional(),
      latencyNative: z.unknown().optional(),
      bool_gauge: z.unknown().optional(),
    }),
    alerting: z
      .strictObject({
        disabled: flag,
        burnrates: flag,
        absent: flag,
        name: z.string().optional(),
        absentName: z.string().optional(),
        severities: z.record(z.string(), z.string()).optional(),
      })
      .optional(),
    partial_response_strategy: z.string().optional(),
    performanceOverAccuracy: flag,
    ruleOutput: z.unknown().optional(),
  }),
  status: z.unknown().optional(),
})

type Spec = z.output<typeof schema>['spec']

/** The objective of one of Pyrra's documents. */
export function pyrraObjective(context: ImportContext): Objective[] {
  const { document, problems } = context
  const content = document.read(schema, problems)
  if (!content) return []
  const { metadata, spec } = content
  const before = problems.length
  const windowMs = windowOf(context, spec)
  const indicator = indicatorOf(context, spec)
  const service = indicator && serviceOf(context, indicator.totalQuery, indicator.totalPath)
  const labels = labelsOf(context, metadata.labels ?? {})
  readAlerting(context, spec)
  if (problems.length > before || windowMs === undefined || !indicator || service === undefined) return []
  const { goodQuery, badQuery, totalQuery } = indicator
  return [
    {
      name: metadata.name,
      title: metadata.name,
      description: spec.description === '' ? undefined : spec.description,
      service,
      target: Number((Number(spec.target) / 100).toPrecision(12)),
      windowMs,
      indicator: { type: 'prometheus', goodQuery, badQuery, totalQuery },
      labels,
      place: document.place(['metadata', 'name']),
    },
  ]
}

function windowOf({ document, problems }: ImportContext, spec: Spec): number | undefined {
  const windowMs = parseWindow(spec.window)
  if (windowMs !== undefined) return windowMs
  const words = `expected ${aWindow}, in whole minutes and at most 366 days, saw ${seen(spec.window)}`
  problems.push(document.problem(['spec', 'window'], words))
  return undefined
}

interface Queries {
  goodQuery: string | undefined
  badQuery: string | undefined
  totalQuery: string
  totalPath: PropertyKey[]
}

function indicatorOf({ document, problems }: ImportContext, { indicator }: Spec): Queries | undefined {
  const at = ['spec', 'indicator']
  const refuse = (path: PropertyKey[], why: string, hint?: string) => {
    problems.push(document.problem([...at, ...path], why, hint))
  }
  const before = problems.length
  if (indicator.latencyNative !== undefined) {
    refuse(['latencyNative'], 'native histograms are not supported yet', 'use "latency" with a bucket of a classic one')
  }
  if (indicator.bool_gauge !== undefined) {
    refuse(['bool_gauge'], 'is not supported yet: the samples of a gauge are no events that a counter counts')
  }
  const { ratio, latency } = indicator
  if (problems.length > before) return undefined
  if ((ratio === undefined) === (latency === undefined)) {
    refuse([], 'expected either "ratio" or "latency"')
    return undefined
  }
  const [kind, counted] = ratio ? (['ratio', 'errors'] as const) : (['latency', 'success'] as const)
  const part = (ratio ?? latency)!
  if ((part.grouping ?? []).length > 0) {
    const label = part.grouping![0]
    const why = `one objective for each ${JSON.stringify(label)} is not supported yet`
    refuse([kind, 'grouping'], why, `write one for each that matters, with ${label}="…" in both selectors`)
  }
  const selectors = { counted: ratio ? ratio.errors.metric : latency!.success.metric, total: part.total.metric }
  for (const [field, text] of [
    [counted, selectors.counted],
    ['total', selectors.total],
  ] as const) {
    if (isSelector(text)) continue
    refuse(
      [kind, field, 'metric'],
      `expected the selector of a counter, e.g. requests_total{code="500"}, saw ${seen(text)}`,
    )
  }
  if (problems.length > before) return undefined
  const query = `sum(${selectors.counted.trim()})`
  return {
    goodQuery: ratio ? undefined : query,
    badQuery: ratio ? query : undefined,
    totalQuery: `sum(${selectors.total.trim()})`,
    totalPath: [...at, kind, 'total', 'metric'],
  }
}

/** Pyrra's objectives name no service. */
function serviceOf(
  { document, options, problems }: ImportContext,
  totalQuery: string,
  totalPath: PropertyKey[],
): string | undefined {
  const service = options.service ?? /[{,]\s*job\s*=\s*"([^"\\]+)"/.exec(totalQuery)?.[1]
  if (service === undefined) {
    const words = 'OpenSLO wants the service that an objective is about, and no job="…" stands here to tell it'
    problems.push(document.problem(totalPath, words, 'name it with --service'))
  }
  return service
}

function labelsOf({ document, problems, notes }: ImportContext, all: Record<string, string>): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [name, value] of Object.entries(all)) {
    const short = name.startsWith(propagated) ? name.slice(propagated.length) : undefined
    const place = document.place(['metadata', 'labels', name], 'key')
    if (short === undefined) {
      const hint = `it is the resource's own; only those that begin with ${propagated} are its alerts'`
      notes.push({ ...place, message: `the label ${JSON.stringify(name)} is not carried over`, hint })
    } else if (labelNameSchema.safeParse(short).success) labels[short] = value
    else problems.push({ ...place, message: `${JSON.stringify(short)} is not a label name` })
  }
  return labels
}

function readAlerting({ document, problems, notes }: ImportContext, spec: Spec): void {
  const { alerting } = spec
  for (const [field, off] of [
    ['disabled', true],
    ['burnrates', false],
    ['absent', false],
  ] as const) {
    if (alerting?.[field] !== off) continue
    const why = 'no OpenSLO file can say that an alert is left out'
    const hint = 'take it out here, and mute the alert in Alertmanager'
    problems.push(document.problem(['spec', 'alerting', field], why, hint))
  }
  for (const field of ['name', 'absentName', 'severities'] as const) {
    if (alerting?.[field] === undefined) continue
    const hint = 'our alerts are ErrorBudgetBurn and ObjectiveWithoutTraffic, of the severities page and ticket'
    notes.push(document.problem(['spec', 'alerting', field], 'is not carried over', hint))
  }
  for (const field of ['partial_response_strategy', 'performanceOverAccuracy', 'ruleOutput'] as const) {
    if (spec[field] === undefined) continue
    notes.push(document.problem(['spec', field], 'is not carried over', 'it says how Pyrra writes its rules'))
  }
}
