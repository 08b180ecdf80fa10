import { z } from 'zod'
import type { ImportContext } from './import.ts'
import type { Objective } from './objective.ts'
import { labelNameSchema, nameSchema } from './openslo-schema.ts'
import { counterIn, overWindow } from './promql.ts'
import { expecting } from './yaml-issues.ts'

export const slothVersion = 'prometheus/v1'
const defaultWindowMs = 30 * 86_400_000

/** Sloth takes numbers and truth values for the texts that they are written as. */
const scalar = z.union([z.string(), z.number(), z.boolean()], { error: expecting('text') }).transform(String)
const annotations = z.record(z.string(), scalar)
const labels = z.record(labelNameSchema, scalar)
const pluginChain = z.unknown().optional()
const alert = z.strictObject({
  disable: z.boolean().optional(),
  labels: labels.optional(),
  annotations: annotations.optional(),
})
const aPercentage = 'a percentage over 0 and under 100, e.g. 99.9'
const query = z.string({ error: expecting('a PromQL query with {{.window}} in it') }).min(1)
const aService = 'the name of a service, e.g. "myservice"'

const schema = z.strictObject({
  version: z.literal(slothVersion),
  service: z.string({ error: expecting(aService) }).min(1),
  labels: labels.optional(),
  slo_plugins: pluginChain,
  slos: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        description: z.string().max(1050).optional(),
        objective: z
          .number({ error: expecting(aPercentage) })
          .gt(0)
          .lt(100),
        labels: labels.optional(),
        plugins: pluginChain,
        sli: z.strictObject({
          events: z.strictObject({ error_query: query, total_query: query }).optional(),
          raw: z.strictObject({ error_ratio_query: query }).optional(),
          plugin: z.unknown().optional(),
        }),
        alerting: z
          .strictObject({
            name: z.string().optional(),
            labels: labels.optional(),
            annotations: annotations.optional(),
            page_alert: alert.optional(),
            ticket_alert: alert.optional(),
          })
          .optional(),
      }),
    )
    .min(1),
})

type SlothSlo = z.output<typeof schema>['slos'][number]

/** The objectives of one of Sloth's documents, named as its `sloth_id` label names them: the service, then the SLO. */
export function slothObjectives(context: ImportContext): Objective[] {
  const { document, options, problems } = context
  const spec = document.read(schema, problems)
  if (!spec) return []
  refusePlugins(context, ['slo_plugins'], spec.slo_plugins)
  return spec.slos.flatMap((slo, index) => {
    const at = ['slos', index]
    const before = problems.length
    refusePlugins(context, [...at, 'plugins'], slo.plugins)
    readAlerting(context, [...at, 'alerting'], slo.alerting)
    const events = eventsOf(context, [...at, 'sli'], slo.sli)
    const name = `${spec.service}-${slo.name}`
    if (!nameSchema.safeParse(name).success) {
      const words = `"${name}" (the service, then the SLO) is no name in OpenSLO: expected lower-case letters, digits and "-", at most 63 characters`
      problems.push(document.problem([...at, 'name'], words, 'rename the service or the SLO'))
    }
    if (problems.length > before || !events) return []
    return {
      name,
      title: slo.name.length <= 63 ? slo.name : name,
      description: slo.description,
      service: spec.service,
      target: Number((slo.objective / 100).toPrecision(12)),
      windowMs: options.windowMs ?? defaultWindowMs,
      indicator: { type: 'prometheus', goodQuery: undefined, ...events },
      labels: { ...spec.labels, ...slo.labels, ...slo.alerting?.labels },
      place: document.place([...at, 'name']),
    }
  })
}

function refusePlugins({ document, problems }: ImportContext, path: PropertyKey[], plugins: unknown): void {
  if (plugins === undefined) return
  problems.push(
    document.problem(path, 'plugins change the rules in ways that no OpenSLO file can say', 'take them out'),
  )
}

function eventsOf(
  { document, problems }: ImportContext,
  at: PropertyKey[],
  sli: SlothSlo['sli'],
): { badQuery: string; totalQuery: string } | undefined {
  if (sli.raw) {
    const why = 'a ratio that is ready-made cannot be weighed by its events'
    problems.push(document.problem([...at, 'raw'], why, 'use "events" with "error_query" and "total_query"'))
    return undefined
  }
  if (sli.plugin !== undefined) {
    const why = 'the queries of a plugin are made by Sloth, and do not stand in this file'
    problems.push(document.problem([...at, 'plugin'], why, 'write them as "events"'))
    return undefined
  }
  if (!sli.events) {
    problems.push(document.problem(at, 'expected "events" with "error_query" and "total_query"'))
    return undefined
  }
  const { error_query: badQuery, total_query: totalQuery } = sli.events
  let sound = true
  for (const [field, text] of Object.entries(sli.events)) {
    if (/\{\{\s*\.window\s*\}\}/.test(text) && overWindow(text, '5m') !== undefined) continue
    problems.push(
      document.problem([...at, 'events', field], 'expected a query with {{.window}}, and nothing else in {{ }}'),
    )
    sound = false
  }
  if (!sound) return undefined
  const [bad, total] = [counterIn(badQuery), counterIn(totalQuery)]
  // The counters themselves are what OpenSLO means by `counter: true`, and what every other tool can read.
  return bad && total && bad.by === total.by
    ? { badQuery: `sum(${bad.counter})`, totalQuery: `sum(${total.counter})` }
    : { badQuery: badQuery.trim(), totalQuery: totalQuery.trim() }
}

const byLabels = 'our alerts are told apart by the labels "slo", "service", "severity" and "window"'

function readAlerting(context: ImportContext, at: PropertyKey[], alerting: SlothSlo['alerting']): void {
  const { document, problems, notes } = context
  const note = (path: PropertyKey[], hint: string) => {
    notes.push(document.problem([...at, ...path], 'is not carried over', hint))
  }
  if (alerting?.name !== undefined) note(['name'], `every objective's alert is named ErrorBudgetBurn: ${byLabels}`)
  if (alerting?.annotations) note(['annotations'], 'our alerts have annotations of their own')
  for (const part of ['page_alert', 'ticket_alert'] as const) {
    const settings = alerting?.[part]
    if (settings?.disable) {
      const why = 'no OpenSLO file can say that an alert is left out'
      problems.push(
        document.problem([...at, part, 'disable'], why, 'take it out here, and mute the alert in Alertmanager'),
      )
    }
    if (settings?.labels) note([part, 'labels'], `route by what is there: ${byLabels}`)
    if (settings?.annotations) note([part, 'annotations'], 'our alerts have annotations of their own')
  }
}
