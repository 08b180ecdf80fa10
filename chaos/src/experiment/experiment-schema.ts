import { duration, expecting, nameSchema, percentage, rate, refused } from '@shaketable/slo'
import { z } from 'zod'
import { fault } from './fault-schema.ts'
import { apiVersion, invariant, pathSchema } from './system-schema.ts'

const file = (what: string) => z.string({ error: expecting(`the path of ${what}, relative to this file`) }).min(1)
const name = (what: string) => z.string({ error: expecting(`the name of ${what}`) }).min(1)

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

const aPrometheus = 'the address of a Prometheus, e.g. "http://127.0.0.1:9090"'
const promql = z
  .strictObject({
    url: z.string({ error: expecting(aPrometheus) }).regex(/^https?:\/\/[^\s@]+$/, { error: expecting(aPrometheus) }),
    query: z.string().min(1).describe('PromQL that is a number, or one for each series.'),
    above: z.number().optional(),
    below: z.number().optional(),
  })
  .refine(each => each.above !== undefined || each.below !== undefined, {
    when: payload => payload.issues.length === 0,
    error: 'no bound: expected "above" or "below"',
  })

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
    prometheus: z
      .union([promql, z.array(promql).min(1)], { error: expecting('a query with its bound, or a list of them') })
      .optional()
      .describe('A query has a value beyond its bound, or none.'),
  })
  .refine(each => Object.keys(each).some(key => key !== 'objectives' && each[key as keyof typeof each] !== undefined), {
    when: payload => payload.issues.length === 0,
    error: 'guards against nothing: expected "budget", "errorRatio", "health" or "prometheus"',
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
        endFaultWhenSure: z
          .boolean()
          .default(false)
          .describe(
            'The fault phase is over as soon as the verdict on "hold" is sure, at one of three looks. Only for a fault whose effect does not grow.',
          ),
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
