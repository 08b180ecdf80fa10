import { duration, expecting, seen } from '@shaketable/slo'
import { z } from 'zod'
import { grpcStatuses } from './grpc-statuses.ts'
import { byteRate, size } from './sizes.ts'
import { methodSchema, pathSchema } from './system-schema.ts'

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

const aHeader = 'a header by its name, e.g. "x-tenant"'
const ramp = z
  .union(
    [
      duration({ atLeastMs: 1 }),
      z.strictObject({ over: duration({ atLeastMs: 1 }), of: z.enum(['percent', 'delay']).default('percent') }),
    ],
    { error: expecting('a duration such as "10s", or { over: 10s, of: delay }') },
  )
  .transform(given => (typeof given === 'number' ? { over: given, of: 'percent' as const } : given))

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
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9!#$&'*+.^_`|~-]{1,80}$/, { error: expecting(aHeader) }),
      z.string({ error: expecting('text (numbers, true and false in quotes)') }),
    )
    .optional()
    .describe('Only requests that bear these headers, with exactly these values.'),
  traffic: z
    .enum(['all', 'load'])
    .default('all')
    .describe('load: only the requests of this run’s own load, and what they lead to; all: everybody’s.'),
  from: name('a calling service').optional().describe('Only requests that this service makes.'),
  instances: z.int().min(1).optional().describe('Only in so many instances, chosen by the seed; in all by default.'),
  ramp: ramp.optional().describe('Climbs from nothing to its full percentage (or delay) over this, and stays there.'),
  pulse: z
    .strictObject({ on: duration({ atLeastMs: 1 }), off: duration({ atLeastMs: 1 }) })
    .optional()
    .describe('On for so long, then off for so long, again and again.'),
}
const instances = {
  ...anywhere,
  instances: z.int().min(1).default(1).describe('How many instances, chosen by the seed.'),
}

const inTheirWords = (what: string) =>
  z.record(z.string(), z.unknown(), { error: expecting(what) }).refine(body => Object.keys(body).length > 0, {
    error: expecting(what),
  })
const ours = ['selector', 'mode', 'value', 'duration', 'scheduler']

/** What each kind of fault may say. */
const faultKinds = {
  latency: z
    .strictObject({
      ...requests,
      delay: duration({ atLeastMs: 1 }),
      jitter: duration().prefault('0s').describe('How much the delay varies; how, says the distribution.'),
      distribution: z
        .enum(['uniform', 'normal', 'pareto'])
        .default('uniform')
        .describe(
          'uniform: the jitter in both directions; normal: the jitter is the deviation; pareto: never less than the delay, the jitter more on average, with a long tail.',
        ),
    })
    .describe('Requests wait.'),
  error: z
    .strictObject({
      ...requests,
      status: z.int().min(400).max(599).optional().describe('The HTTP status.'),
      body: z.string().optional(),
      grpc: z.enum(grpcStatuses).optional().describe('The status of gRPC, instead of an HTTP status.'),
      message: z.string().optional().describe('What the gRPC status says.'),
    })
    .describe('Requests are answered with an error.'),
  reset: z.strictObject(requests).describe('The connection is reset before any answer.'),
  hang: z.strictObject(requests).describe('No answer at all.'),
  truncate: z
    .strictObject({ ...requests, after: size().prefault('0B').describe('So much of the body still arrives.') })
    .describe('Answers are cut off in their body, and the connection is closed.'),
  bandwidth: z
    .strictObject({ ...requests, rate: byteRate().describe('How fast each body arrives, e.g. 500B/s.') })
    .describe('The bodies of answers arrive slowly.'),
  stall: z
    .strictObject({
      ...instances,
      ...lasting,
      block: duration({ atLeastMs: 1 }).describe('The event loop stands still for so long, at most 10s,'),
      every: duration({ atLeastMs: 1 }).describe('as often as this.'),
    })
    .describe('The event loop is blocked, again and again.'),
  burn: z
    .strictObject({
      ...instances,
      ...lasting,
      threads: z.int().min(1).max(64).default(1).describe('So many compute without a pause.'),
    })
    .describe('CPU time is taken away.'),
  memory: z
    .strictObject({ ...instances, ...lasting, size: size({ atLeastBytes: 1 }) })
    .describe('Memory is taken; at most half of what the process could still have.'),
  crash: z
    .strictObject({ ...instances, every: duration({ atLeastMs: 100 }).optional().describe('Again and again.') })
    .describe('Instances are killed with SIGKILL.'),
  terminate: z
    .strictObject({ ...instances, grace: duration().optional().describe('SIGKILL follows after this.') })
    .describe('Instances are asked to end with SIGTERM.'),
  freeze: z.strictObject({ ...instances, ...lasting }).describe('Instances are stopped with SIGSTOP.'),
  disconnect: z.strictObject({ ...instances, ...lasting }).describe('Docker: instances are taken from their networks.'),
  limit: z
    .strictObject({
      ...instances,
      ...lasting,
      cpus: z.number().min(0.01).max(1024).optional().describe('So many at most, e.g. 0.5.'),
      memory: size({ atLeastBytes: 6 * 2 ** 20 })
        .optional()
        .describe('So much at most; the kernel kills what needs more.'),
    })
    .refine(each => each.cpus !== undefined || each.memory !== undefined, {
      when: payload => payload.issues.length === 0,
      error: 'limits nothing: expected "cpus" or "memory"',
    })
    .describe('Docker: instances get less of the machine.'),
  network: z
    .strictObject({
      ...anywhere,
      ...lasting,
      stream: z
        .enum(['downstream', 'upstream'])
        .default('downstream')
        .describe('downstream: what the service answers; upstream: what it is asked.'),
      percent: share.describe('Of the connections, when they are made.'),
      latency: z
        .strictObject({ delay: duration({ atLeastMs: 1 }), jitter: duration().prefault('0s') })
        .optional()
        .describe('All data comes later.'),
      bandwidth: byteRate().optional().describe('All data comes at this rate, in whole KB/s.'),
      slowClose: duration({ atLeastMs: 1 }).optional().describe('Connections close so much later.'),
      timeout: duration().optional().describe('No data at all; connections close after this, never at 0s.'),
      resetPeer: duration().optional().describe('Connections are reset after this.'),
      slicer: z
        .strictObject({
          size: size({ atLeastBytes: 1 }),
          variation: size().prefault('0B'),
          delay: duration().prefault('0s'),
        })
        .optional()
        .describe('Data comes in small pieces.'),
      limitData: size({ atLeastBytes: 1 }).optional().describe('Connections close after so much data.'),
      down: z.literal(true).optional().describe('Nobody gets through: a partition.'),
    })
    .describe('Toxiproxy disturbs the network before the service.'),
  evict: z
    .strictObject(instances)
    .describe('Kubernetes: instances are evicted, if their PodDisruptionBudget lets them.'),
  scaleToZero: z
    .strictObject({ ...anywhere, ...lasting, grace: duration().optional().describe('SIGKILL follows after this.') })
    .describe('No instance is left.'),
  rollingRestart: z
    .strictObject({
      ...anywhere,
      grace: duration().optional().describe('SIGKILL follows after this.'),
      readyWithin: duration({ atLeastMs: 1 }).prefault('30s').describe('Each must be ready again by then.'),
    })
    .describe('Every instance is restarted, one after the other; in Kubernetes replaced, as a new version would be.'),
  chaosMesh: z
    .strictObject({
      ...instances,
      ...lasting,
      kind: z.enum(['NetworkChaos', 'StressChaos', 'PodChaos']).describe('The resource that is made.'),
      spec: inTheirWords('what Chaos Mesh is to do, in its own words').refine(
        spec => !ours.some(field => field in spec),
        { error: `expected no ${ours.join(', ')}: the service, "instances" and "for" say it` },
      ),
    })
    .describe('Kubernetes: Chaos Mesh injects it.'),
  istio: z
    .strictObject({
      ...anywhere,
      ...lasting,
      host: z.string().min(1).optional().describe('What its callers call it; the name of the service by default.'),
      fault: inTheirWords('an HTTPFaultInjection in the words of Istio, e.g. { delay: { fixedDelay: 2s } }'),
    })
    .describe('Kubernetes: the sidecars of its callers inject it, by a VirtualService.'),
}

const kinds = Object.keys(faultKinds) as (keyof typeof faultKinds)[]
const oneKind = `one kind of fault (${kinds.join(', ')})`
/** One key, the kind; what stands under it are the fields of that kind. */
export const fault = z
  .strictObject({
    latency: faultKinds.latency.optional(),
    error: faultKinds.error.optional(),
    reset: faultKinds.reset.optional(),
    hang: faultKinds.hang.optional(),
    truncate: faultKinds.truncate.optional(),
    bandwidth: faultKinds.bandwidth.optional(),
    stall: faultKinds.stall.optional(),
    burn: faultKinds.burn.optional(),
    memory: faultKinds.memory.optional(),
    crash: faultKinds.crash.optional(),
    terminate: faultKinds.terminate.optional(),
    freeze: faultKinds.freeze.optional(),
    disconnect: faultKinds.disconnect.optional(),
    limit: faultKinds.limit.optional(),
    network: faultKinds.network.optional(),
    evict: faultKinds.evict.optional(),
    scaleToZero: faultKinds.scaleToZero.optional(),
    rollingRestart: faultKinds.rollingRestart.optional(),
    chaosMesh: faultKinds.chaosMesh.optional(),
    istio: faultKinds.istio.optional(),
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

export type FaultDocument = z.output<typeof fault>
