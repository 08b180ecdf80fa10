import { duration, expecting, nameSchema, percentage, rate, refused, seen } from '@shaketable/slo'
import { z } from 'zod'
import { apiVersion, invariant, methodSchema, pathSchema } from './system-schema.ts'

const file = (what: string) => z.string({ error: expecting(`the path of ${what}, relative to this file`) }).min(1)
const name = (what: string) => z.string({ error: expecting(`the name of ${what}`) }).min(1)

const anId = 'an id of letters, digits, ".", "_" and "-", at most 64 characters'
const anywhere = {
  service: name('a service of the system').describe('The service that it strikes.'),
  at: duration().optional().describe('When it begins, counted from the start of the fault phase; at once by default.'),
  id: z
    .string({ error: expecting(anId) })
    .regex(/^[A-Za-z0-9._-]{1,64}$/, { error: expecting(anId) })
    .optional(),
}
const lasting = {
  for: duration({ atLeastMs: 1 }).optional().describe('How long it lasts; to the end of the fault phase by default.'),
}

const aShare = 'a number from 1 to 100 or a percentage such as "50%"'
/** `50` and `50%` are the same; a number under 1 is more likely a ratio by mistake than half a percent. */
const share = z
  .union(
    [
      z
        .number()
        .max(100)
        .refine(percent => percent >= 1, { error: issue => wordsForLess(issue.input as number) })
        .meta({ minimum: 1 }),
      z
        .string()
        .regex(/^\d{1,3}(?:\.\d{1,6})?\s?%$/)
        .meta({ examples: ['50%', '0.5%'] })
        .transform(text => Number.parseFloat(text))
        .refine(percent => percent > 0 && percent <= 100, {
          error: issue => `expected more than 0 % and at most 100 %, saw ${issue.input} %`,
        }),
    ],
    { error: expecting(aShare) },
  )
  .default(100)

function wordsForLess(percent: number): string {
  const words = `expected ${aShare}, saw ${seen(percent)}`
  if (percent <= 0) return words
  const ratio = Number((percent * 100).toPrecision(12))
  return `${words}: it would be ${percent} percent, which is written "${percent}%"; ${ratio} percent is "${ratio}%"`
}

const requests = {
  ...anywhere,
  ...lasting,
  percent: share.describe('How many of the matching requests are struck: 50 or "50%"; under 1 only as "0.5%".'),
  scope: z
    .enum(['request', 'attempt'])
    .default('request')
    .describe('request: a retry of a request that was struck is struck again; attempt: each is decided anew.'),
  method: methodSchema.optional().describe('Only these requests.'),
  path: pathSchema.optional().describe('Only these requests: /a/b exactly, /a/:id a template, /a/* a prefix.'),
  from: name('a calling service').optional().describe('Only requests that this service makes.'),
}
const instances = {
  ...anywhere,
  instances: z.int().min(1).default(1).describe('How many instances, chosen by the seed.'),
}

/** What each kind of fault may say. */
const faultKinds = {
  latency: z
    .strictObject({
      ...requests,
      delay: duration({ atLeastMs: 1 }),
      jitter: duration().prefault('0s').describe('The delay varies by so much in both directions.'),
    })
    .describe('Requests wait.'),
  error: z
    .strictObject({ ...requests, status: z.int().min(400).max(599), body: z.string().optional() })
    .describe('Requests are answered with an error.'),
  reset: z.strictObject(requests).describe('The connection is reset before any answer.'),
  hang: z.strictObject(requests).describe('No answer at all.'),
  crash: z
    .strictObject({ ...instances, every: duration({ atLeastMs: 100 }).optional().describe('Again and again.') })
    .describe('Instances are killed with SIGKILL.'),
  terminate: z
    .strictObject({ ...instances, grace: duration().optional().describe('SIGKILL follows after this.') })
    .describe('Instances are asked to end with SIGTERM.'),
  freeze: z.strictObject({ ...instances, ...lasting }).describe('Instances are stopped with SIGSTOP.'),
}

const kinds = Object.keys(faultKinds) as (keyof typeof faultKinds)[]
const oneKind = `one kind of fault (${kinds.join(', ')})`
const fault = z
  .strictObject({
    latency: faultKinds.latency.optional(),
    error: faultKinds.error.optional(),
    reset: faultKinds.reset.optional(),
    hang: faultKinds.hang.optional(),
    crash: faultKinds.crash.optional(),
    terminate: faultKinds.terminate.optional(),
    freeze: faultKinds.freeze.optional(),
  })
  .refine(each => Object.keys(each).length === 1, {
    // What is misspelt has been said.
    when: payload => payload.issues.length === 0,
    error: issue => {
      const saw = Object.keys(issue.input as object)
      return `expected ${oneKind}, saw ${saw.length === 0 ? 'none' : saw.join(' and ')}`
    },
  })
  .meta({ minProperties: 1, maxProperties: 1 })

const load = z.strictObject({
  journey: name('a journey of the system'),
  rate: rate().describe('Arrivals, whatever the system does.'),
  timeout: duration({ atLeastMs: 1 }).prefault('5s').describe('A request that has no answer by then has failed.'),
})

const phase = (what: string) => duration({ atLeastMs: 1 }).describe(what)

const expectations = z
  .strictObject({
    objectives: z
      .strictObject({
        hold: z.array(name('an objective')).min(1).describe('Objectives that must hold over fault and recovery.'),
        atLeast: percentage().optional().describe('Replaces the target of each for this experiment.'),
      })
      .optional(),
    recovery: z
      .strictObject({ within: duration({ atLeastMs: 1 }) })
      .optional()
      .describe('The steady state is back within this after the fault phase.'),
    alerts: z
      .strictObject({
        none: z.literal(true).optional().describe('No page may fire.'),
        fire: z
          .array(name('an objective'))
          .min(1)
          .optional()
          .describe('The pages of these objectives must fire, and no others.'),
        within: duration({ atLeastMs: 1 }).optional().describe('Each so soon after the fault phase began.'),
        resolvedWithin: duration({ atLeastMs: 1 })
          .optional()
          .describe('Each over so soon after the fault phase ended.'),
      })
      .optional(),
    invariants: z
      .array(invariant)
      .min(1)
      .optional()
      .describe(
        'Checked once the load has stopped, beside those of the system. Commands start in the folder of the system file.',
      ),
    blame: name('a service of the system')
      .optional()
      .describe('The service that the traces alone must name as the guilty one.'),
    amplification: z
      .strictObject({
        atMost: z
          .number({ error: expecting('a number of at least 1') })
          .min(1)
          .max(1000),
      })
      .optional()
      .describe('No edge takes more than so many times its usual calls a request while the fault lasts.'),
    abandonedWork: z
      .strictObject({ atMost: duration() })
      .optional()
      .describe('Nobody works on for longer than this after the caller has given up.'),
    telemetry: z
      .array(z.enum(['errors-told', 'warnings-traced', 'health-honest']))
      .min(1)
      .optional()
      .describe(
        'errors-told: who answers well although a call failed logs a warning of it; warnings-traced: warnings carry a trace id; health-honest: no instance calls itself healthy while it fails everything else.',
      ),
  })
  .describe('What must be true for the experiment to pass.')

const aBudget = 'a percentage of at least 1 % such as "50%" or "200%"'
const budget = z
  .string({ error: expecting(aBudget) })
  .regex(/^\d{1,6}(?:\.\d{1,6})?\s?%$/, { error: expecting(aBudget) })
  .meta({ examples: ['100%'] })
  .transform(text => Number((Number.parseFloat(text) / 100).toPrecision(12)))
  .refine(share => share >= 0.01, { error: issue => `expected ${aBudget}, saw ${(issue.input as number) * 100} %` })

const guard = z
  .strictObject({
    objectives: z.array(name('an objective')).min(1).optional().describe('All of the experiment by default.'),
    budget: budget
      .optional()
      .describe('Of the bad requests that the target allows over fault and recovery: more ends the run.'),
    errorRatio: z
      .strictObject({ above: percentage(), over: duration({ atLeastMs: 100 }).prefault('1s') })
      .optional()
      .describe('More than this share of the requests answered within "over" is bad.'),
    health: z
      .strictObject({ service: name('a service of the system'), path: pathSchema })
      .optional()
      .describe('No instance of the service answers a GET of this path with a 2xx.'),
  })
  .refine(each => each.budget !== undefined || each.errorRatio !== undefined || each.health !== undefined, {
    when: payload => payload.issues.length === 0,
    error: 'guards against nothing: expected "budget", "errorRatio" or "health"',
  })
  .describe('What ends the experiment at once, undoes everything, and fails it.')

/** An Experiment document as it stands in a file. */
export const experimentSchema = z
  .strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal('Experiment'),
    metadata: z.strictObject({
      name: nameSchema,
      title: z.string().min(1).optional().describe('One sentence for people: what should stand.'),
      description: z.string().optional(),
    }),
    spec: z.strictObject({
      system: file('a System file').meta({ examples: ['../system.yaml'] }),
      objectives: z.array(file('an OpenSLO file')).min(1).describe('OpenSLO files, relative to this file.'),
      load: z.union([load, z.array(load).min(1)], { error: expecting('a journey and its rate, or a list of them') }),
      phases: z.strictObject({
        baseline: phase('Load without a fault.'),
        fault: phase('Load with the faults.'),
        recovery: phase('Load after the faults.'),
      }),
      faults: z.array(fault).default([]).describe('None at all makes an A/A run.'),
      expect: expectations,
      alerts: z
        .strictObject({ windowScale: z.number().min(1).max(1_000_000).default(300) })
        .prefault({})
        .describe('Burn-rate windows are divided by windowScale.'),
      target: refused('not supported yet: experiments run against local processes only'),
      guard: guard.optional(),
    }),
  })
  .describe('A fault, the load under which it is injected, and what must stand.')

export type ExperimentDocument = z.output<typeof experimentSchema>
export type FaultDocument = z.output<typeof fault>
