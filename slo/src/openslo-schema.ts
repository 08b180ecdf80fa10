import { z } from 'zod'
import { expecting } from './yaml-issues.ts'

/** OpenSLO v1 as its schema has it; what is wrong beyond that, and what Shaketable cannot judge, is refused in openslo.ts. */

export const openSloVersion = 'openslo/v1'
export const openSloKinds = [
  'SLO',
  'SLI',
  'Service',
  'DataSource',
  'AlertPolicy',
  'AlertCondition',
  'AlertNotificationTarget',
] as const

const dnsLabel = 'a name of lower-case letters, digits and "-", at most 63 characters'
/** A DNS label (RFC 1123), as OpenSLO and Kubernetes name things. */
export const nameSchema = z
  .string({ error: expecting(dnsLabel) })
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, { error: expecting(dnsLabel) })

const text = z.string().min(1)
const description = z.string().max(1050).optional()
const shorthand = 'a duration such as "30d": digits and one of m, h, d, w, M, Q, Y'
const durationShorthand = z
  .string({ error: expecting(shorthand) })
  .regex(/^[1-9]\d{0,5}[mhdwMQY]$/, { error: expecting(shorthand) })
const operator = z.enum(['lte', 'gte', 'lt', 'gt'])

export const labelNameSchema = z
  .string()
  .regex(/^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/, { error: 'is not a label name' })

const metadata = z.strictObject({
  name: nameSchema,
  displayName: z.string().max(63).optional(),
  labels: z
    .record(
      labelNameSchema,
      z.union([z.string(), z.array(z.string())], { error: expecting('text or a list of texts') }),
    )
    .optional(),
  annotations: z.record(z.string(), z.string()).optional(),
})

const metric = z.strictObject({
  metricSource: z.strictObject({
    metricSourceRef: nameSchema.optional(),
    type: text.optional(),
    spec: z.record(z.string(), z.unknown()),
  }),
})

const sliSpec = z.strictObject({
  description,
  thresholdMetric: metric.optional(),
  ratioMetric: z
    .strictObject({
      counter: z.boolean().optional(),
      good: metric.optional(),
      bad: metric.optional(),
      total: metric.optional(),
      rawType: z.enum(['success', 'failure']).optional(),
      raw: metric.optional(),
    })
    .optional(),
})

const head = { apiVersion: z.literal(openSloVersion), metadata }
const alertConditionSpec = z.strictObject({
  description,
  severity: text,
  condition: z.strictObject({
    kind: z.literal('burnrate'),
    op: operator,
    threshold: z.number(),
    lookbackWindow: durationShorthand,
    alertAfter: durationShorthand.optional(),
  }),
})
const notificationTargetSpec = z.strictObject({ description, target: text })

/** Either a reference or the thing itself, in place. */
function refOrInline<R extends string>(ref: R, kind: string, spec: z.ZodType) {
  return z
    .strictObject({
      [ref]: nameSchema.optional(),
      kind: z.literal(kind).optional(),
      metadata: metadata.optional(),
      spec: spec.optional(),
    })
    .superRefine((value, context) => {
      const inline = value.kind !== undefined || value.metadata !== undefined || value.spec !== undefined
      if ((value[ref] !== undefined) === inline) {
        context.addIssue({ code: 'custom', message: `expected either "${ref}" or "kind", "metadata" and "spec"` })
      } else if (inline && (value.kind === undefined || value.metadata === undefined || value.spec === undefined)) {
        context.addIssue({ code: 'custom', message: `expected "kind: ${kind}", "metadata" and "spec"` })
      }
    })
}

const alertPolicySpec = z.strictObject({
  description,
  alertWhenNoData: z.boolean().optional(),
  alertWhenBreaching: z.boolean().optional(),
  alertWhenResolved: z.boolean().optional(),
  conditions: z
    .array(refOrInline('conditionRef', 'AlertCondition', alertConditionSpec))
    .min(1)
    .max(1),
  notificationTargets: z.array(refOrInline('targetRef', 'AlertNotificationTarget', notificationTargetSpec)).min(1),
})

const indicator = z.strictObject({ metadata, spec: sliSpec })

const sloSpec = z.strictObject({
  description,
  service: text,
  indicator: indicator.optional(),
  indicatorRef: nameSchema.optional(),
  budgetingMethod: z.enum(['Occurrences', 'Timeslices', 'RatioTimeslices']),
  timeWindow: z
    .array(
      z.strictObject({
        duration: durationShorthand,
        isRolling: z.boolean().optional(),
        calendar: z.strictObject({ startTime: text, timeZone: text }).optional(),
      }),
    )
    .min(1)
    .max(1),
  objectives: z
    .array(
      z.strictObject({
        displayName: z.string().optional(),
        op: operator.optional(),
        value: z.number().optional(),
        target: z.number().optional(),
        targetPercent: z.number().optional(),
        timeSliceTarget: z.number().optional(),
        timeSliceWindow: z.union([z.int().positive(), durationShorthand]).optional(),
        indicator: indicator.optional(),
        indicatorRef: nameSchema.optional(),
        compositeWeight: z.number().optional(),
      }),
    )
    .min(1),
  // OpenSLO's own examples leave it empty.
  alertPolicies: z.array(refOrInline('alertPolicyRef', 'AlertPolicy', alertPolicySpec)).nullish(),
})

/** One schema a kind. */
export const openSloSchemas = {
  SLO: z.strictObject({ ...head, kind: z.literal('SLO'), spec: sloSpec }),
  SLI: z.strictObject({ ...head, kind: z.literal('SLI'), spec: sliSpec }),
  Service: z.strictObject({ ...head, kind: z.literal('Service'), spec: z.strictObject({ description }) }),
  DataSource: z.strictObject({
    ...head,
    kind: z.literal('DataSource'),
    spec: z.strictObject({ description, type: text, connectionDetails: z.unknown() }),
  }),
  AlertPolicy: z.strictObject({ ...head, kind: z.literal('AlertPolicy'), spec: alertPolicySpec }),
  AlertCondition: z.strictObject({ ...head, kind: z.literal('AlertCondition'), spec: alertConditionSpec }),
  AlertNotificationTarget: z.strictObject({
    ...head,
    kind: z.literal('AlertNotificationTarget'),
    spec: notificationTargetSpec,
  }),
} as const

export type SliSpec = z.output<typeof sliSpec>
export type SloSpec = z.output<typeof sloSpec>
export type Metric = z.output<typeof metric>
