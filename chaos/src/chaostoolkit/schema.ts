import { expecting } from '@shaketable/slo'
import { z } from 'zod'
import { hypothesisStrategies, rollbackStrategies } from './model.ts'

const text = (what: string) => z.string({ error: expecting(what) }).min(1)
const mapping = z.record(z.string(), z.unknown())
/** A number, or a variable that holds one. */
const seconds = z.union([z.number().min(0), z.string().regex(/^\$\{.+\}$/)], {
  error: expecting('a number of seconds, or a variable'),
})
const noControls = 'is refused: controls are Python code, and we run none'
const controls = z.array(z.unknown(), { error: noControls }).max(0, { error: noControls }).optional()

const provider = z.discriminatedUnion(
  'type',
  [
    z.looseObject({
      type: z.literal('http'),
      url: text('the URL to call'),
      method: z.string().optional(),
      headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullish(),
      arguments: z.unknown().optional(),
      timeout: z.union([seconds, z.tuple([seconds, seconds])]).nullish(),
      verify_tls: z.literal(true, { error: expecting('true: certificates are checked here always') }).optional(),
      secrets: z.array(z.string()).optional(),
    }),
    z.looseObject({
      type: z.literal('process'),
      path: text('the program to run'),
      arguments: z.union([z.string(), z.array(z.unknown()), mapping]).nullish(),
      timeout: seconds.nullish(),
      secrets: z.array(z.string()).optional(),
    }),
    z.looseObject({
      type: z.literal('python'),
      module: text('the Python module'),
      func: text('the function in it'),
      arguments: mapping.nullish(),
      secrets: z.array(z.string()).optional(),
    }),
  ],
  { error: expecting('a provider with its type: "http", "process" or "python"') },
)

const activity = z.looseObject({
  type: z.enum(['probe', 'action']),
  name: text('the name of the activity'),
  background: z.boolean().optional(),
  pauses: z.looseObject({ before: seconds.optional(), after: seconds.optional() }).optional(),
  controls,
  tolerance: z.unknown().optional(),
  provider,
})
/** Of one that is written out elsewhere in the file. */
const reference = z.looseObject({ ref: text('the name of an activity') })
const activities = z.array(z.union([activity, reference], { error: expecting('an activity, or a ref to one') }))

export const toolkitSchema = z.looseObject({
  title: text('the title of the experiment'),
  description: z.string({ error: expecting('the description of the experiment') }),
  tags: z.array(z.string()).optional(),
  configuration: mapping.nullish(),
  secrets: z.record(z.string(), mapping).nullish(),
  controls,
  'steady-state-hypothesis': z
    .looseObject({ title: text('the title of the hypothesis'), probes: activities.optional(), controls })
    .nullish(),
  method: activities,
  rollbacks: activities.nullish(),
  runtime: z
    .looseObject({
      hypothesis: z
        .looseObject({ strategy: z.enum(hypothesisStrategies).optional(), frequency: z.number().positive().optional() })
        .optional(),
      rollbacks: z.looseObject({ strategy: z.enum(rollbackStrategies).optional() }).optional(),
    })
    .optional(),
})

export type ActivitySource = z.output<typeof activity>
export type ReferenceSource = z.output<typeof reference>

/** Whether it is an experiment of the Chaos Toolkit: it has no version of its own to tell it by. */
export function isToolkitExperiment(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || 'apiVersion' in value || 'kind' in value) return false
  return 'method' in value && ('title' in value || 'steady-state-hypothesis' in value)
}
