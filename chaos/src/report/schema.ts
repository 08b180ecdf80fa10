import { z } from 'zod'
import type { SuiteReport } from './model.ts'

const ratio = z.number().min(0).max(1)
const ms = z.number()
const length = z.number().min(0)
const whole = z.int().min(0)
/** JSON has no NaN: a measure of nothing is null in the file and NaN in memory. */
const measure = z
  .number()
  .nullable()
  .transform(value => value ?? Number.NaN)
const measuredRatio = ratio
  .nullable()
  .describe('null: there was nothing to count')
  .transform(value => value ?? Number.NaN)
const instant = z.string().describe('ISO 8601, UTC')
const verdict = z.enum(['pass', 'fail', 'inconclusive', 'void'])

const objective = z.strictObject({
  name: z.string(),
  title: z.string(),
  service: z.string(),
  target: ratio.describe('The target that was judged: `atLeast` where the experiment gives one'),
  objectiveTarget: ratio.describe("The objective's own target"),
  good: whole,
  total: whole,
  ratio: measuredRatio,
  interval: z
    .tuple([measuredRatio, measuredRatio])
    .describe(
      '[low, high] with 95 % confidence, widened for clustered errors and for the looks of a run that may end early',
    ),
  verdict,
  judged: z.boolean().describe('false: measured only'),
  budgetSpent: measure.describe("Share of the error budget of the objective's window that the run spent"),
  counters: z.strictObject({ good: z.number(), total: z.number() }).nullable(),
})

const edge = z.strictObject({
  from: z.string().describe('Empty for calls from outside'),
  to: z.string(),
  harmMs: length.describe('Of its own, a request, over what it does without the fault'),
  errors: whole.describe('That began here'),
  callsPerRequest: z.strictObject({ baseline: length, fault: length }),
  amplification: length.nullable(),
  confidence: ratio,
})

const traceExample = z.strictObject({
  traceId: z.string(),
  atMs: ms,
  spans: z.array(
    z.strictObject({
      service: z.string(),
      instance: z.string(),
      name: z.string(),
      kind: z.enum(['internal', 'server', 'client', 'producer', 'consumer']),
      depth: whole,
      startMs: ms,
      durationMs: ms,
      error: z.string().nullable(),
      faultId: z.string().nullable(),
    }),
  ),
  left: whole,
  logs: z.array(z.strictObject({ instance: z.string(), text: z.string() })),
})

const quantileReport = z.strictObject({ ms: length, interval: z.tuple([length, length.nullable()]) }).nullable()

const phaseLoad = z.strictObject({
  journey: z.string(),
  phase: z.enum(['baseline', 'fault', 'recovery']),
  requests: whole,
  failedRatio: ratio,
  failedInterval: z.tuple([ratio, ratio]),
  p50: quantileReport,
  p90: quantileReport,
  p99: quantileReport,
})

const openEnded = z.tuple([z.number().nullable(), z.number().nullable()])
const effect = z.strictObject({
  journey: z.string(),
  failedRatio: z.number(),
  failedInterval: openEnded,
  p50Ms: ms,
  p50Interval: openEnded,
  slower: ratio.nullable().describe('How often a request of the fault phase took longer than one of the baseline'),
})

const experiment = z.strictObject({
  name: z.string(),
  title: z.string(),
  file: z.string(),
  seed: whole,
  verdict,
  reasons: z.array(z.string()),
  notes: z.array(z.string()).default([]).describe('What else is worth a sentence, whatever the verdict'),
  discarded: z
    .array(z.array(z.string()))
    .describe('Why earlier measurements of it were void and thrown away (`--attempts`), oldest first'),
  startedAt: instant,
  phases: z.array(z.strictObject({ name: z.enum(['baseline', 'fault', 'recovery']), startMs: ms, endMs: ms })),
  endedEarly: z
    .strictObject({ look: whole, looks: whole, plannedMs: length, usedMs: length })
    .nullable()
    .default(null)
    .describe('Of a fault phase that was over once the verdict was sure; null: it lasted as planned'),
  aftermath: z
    .strictObject({
      state: z.enum(['recovered', 'slower', 'clearing', 'metastable', 'down', 'unknown']),
      text: z.string(),
    })
    .nullable()
    .default(null)
    .describe('How the system came out of its faults; null: there were none, or the run was ended before that'),
  faults: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      service: z.string(),
      description: z.string(),
      instances: z.array(z.string()),
      armedMs: ms.nullable(),
      undoneMs: ms.nullable(),
      seen: whole,
      hit: whole,
      percent: z.number().min(0).max(100).nullable(),
    }),
  ),
  objectives: z.array(objective),
  expectations: z.array(
    z.strictObject({
      name: z.string(),
      verdict,
      detail: z.string(),
      names: z.array(z.string()).default([]).describe('Services that it names, the worst first'),
    }),
  ),
  traces: z
    .strictObject({
      traces: whole,
      keptShare: ratio,
      edges: z.array(edge),
      struck: traceExample.nullable(),
      healthy: traceExample.nullable(),
    })
    .nullable()
    .default(null)
    .describe('null: none came, or none was waited for'),
  timeline: z.array(
    z.strictObject({
      atMs: ms,
      kind: z.enum(['phase', 'fault', 'instance', 'alert', 'error', 'recovery', 'note']),
      subject: z.string(),
      text: z.string(),
    }),
  ),
  timeToFirstErrorMs: ms.nullable().describe('After the fault phase began; null: not within the run'),
  timeToDetectMs: ms.nullable().describe('After the fault phase began; null: not within the run'),
  timeToDetectPredictedMs: length
    .nullable()
    .default(null)
    .describe('When the rules must page by their formula, at the error ratio that was seen; null: never'),
  timeToRecoverMs: ms.nullable().describe('After the fault phase ended; null: not within the run'),
  load: z.array(
    z.strictObject({
      journey: z.string(),
      ratePerSecond: z.number().min(0),
      planned: whole,
      started: whole,
      answered: whole,
      failed: whole,
      dropped: whole,
      latenessP99Ms: measure,
      latencyMs: z.strictObject({ p50: measure, p90: measure, p99: measure, max: measure }),
    }),
  ),
  phaseLoads: z.array(phaseLoad).default([]),
  effects: z.array(effect).default([]).describe('The fault phase against the baseline'),
  series: z.array(
    z.strictObject({
      atMs: ms,
      widthMs: length,
      requests: whole,
      errors: whole,
      p50Ms: length.nullable(),
      p90Ms: length.nullable(),
      p99Ms: length.nullable(),
      burn: z.record(z.string(), measure),
    }),
  ),
})

/** `report.json` as it is read; the published `schemas/report.schema.json` is generated from it. */
export const suiteReport = z.strictObject({
  apiVersion: z.literal('shaketable.dev/v1alpha1'),
  kind: z.literal('Report'),
  shaketable: z.string().describe('The version that wrote it'),
  startedAt: instant,
  durationMs: length,
  seed: whole,
  system: z.string(),
  env: z.record(z.string(), z.string()),
  verdict,
  exitCode: whole,
  experiments: z.array(experiment),
})

/** The text of `schemas/report.schema.json`. */
export function reportSchemaText(): string {
  const schema = z.toJSONSchema(suiteReport, { io: 'input', target: 'draft-7' })
  const described = {
    $schema: schema.$schema,
    $id: 'https://shaketable.dev/schemas/v1alpha1/report.schema.json',
    title: 'Shaketable report',
    description:
      'What `shaketable run --report DIR` writes to DIR/report.json. Times are ms from the start of the experiment unless a name says otherwise; ratios are in [0, 1].',
    ...schema,
  }
  return `${JSON.stringify(described, null, 2)}\n`
}

/** Compiles only while the schema and the model say the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : [A, B]
type Flat<T> = T extends readonly unknown[]
  ? { [K in keyof T]: Flat<T[K]> }
  : T extends object
    ? { [K in keyof T]: Flat<T[K]> }
    : T
const schemaIsTheModel: Same<Flat<z.output<typeof suiteReport>>, Flat<SuiteReport>> = true
void schemaIsTheModel
