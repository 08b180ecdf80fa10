import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Journal, JournalEntry } from '../src/conduct/journal.ts'
import type { FaultKind, FaultSpec, System } from '../src/experiment/model.ts'
import { readExperiments } from '../src/experiment/read.ts'
import { FaultControl } from '../src/faults/fault-control.ts'
import { describeFault, injectFault } from '../src/faults/index.ts'
import { localTarget } from '../src/targets/local/local-target.ts'
import type { Target } from '../src/targets/target.ts'
import { processWorld } from '../src/world.ts'
import { fixture } from './cli.ts'

const never = new AbortController().signal
const world = processWorld(never)
const written: JournalEntry[] = []
let dir: string
let target: Target

/** The fault as an experiment file says it. */
async function faultOf(text: string): Promise<{ spec: FaultSpec; system: System }> {
  const experiment = `apiVersion: shaketable.dev/v1alpha1
kind: Experiment
metadata: { name: one }
spec:
  system: system.yaml
  objectives: [availability.yaml]
  load: { journey: hello, rate: 100/s }
  phases: { baseline: 1s, fault: 60s, recovery: 1s }
  faults: [${text}]
  expect: { objectives: { hold: [availability], atLeast: 90% } }
`
  const read = async (path: string) =>
    path === 'one.yaml' ? experiment : readFile(join(fixture('faulted'), path), 'utf8')
  const [found] = await readExperiments(['one.yaml'], { read })
  return { spec: found!.faults[0]!, system: { ...found!.system, dir: fixture('faulted') } }
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'every-fault-'))
  const journal: Journal = {
    runId: `every-fault-${process.pid}`,
    dir,
    append: async entry => void written.push(entry),
    close: async () => {},
  }
  target = localTarget({ world, runId: journal.runId, journal, env: {}, logDir: dir })
  const { system } = await faultOf('reset: { service: service }')
  await target.start(system, never)
})
afterAll(async () => {
  await target?.stop()
  await rm(dir, { recursive: true, force: true })
})

interface Answer {
  status?: number
  body?: string
  error?: boolean
  ms: number
}

async function ask(instance: number, path = '/hello', headers: Record<string, string> = {}): Promise<Answer> {
  const began = performance.now()
  const url = new URL(path, target.urls('service')[instance])
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(20_000) })
    return { status: response.status, body: await response.text(), ms: performance.now() - began }
  } catch {
    return { error: true, ms: performance.now() - began }
  }
}

const both = (path?: string) => Promise.all([ask(0, path), ask(1, path)])
const pids = () => target.instances('service').map(({ pid }) => pid)
const fails = (path?: string) => async () => {
  for (const answer of await both(path)) expect(answer.error).toBe(true)
}
const lasts = (ms: number, path?: string) => async () => {
  for (const answer of await both(path)) expect(answer).toMatchObject({ status: 200, ms: expect.any(Number) })
  for (const answer of await both(path)) expect(answer.ms).toBeGreaterThan(ms)
}
let pidsBefore: (number | undefined)[]

/** How each kind stands in a file, what it says of itself, and how it shows while it is armed. */
const table: Record<
  Exclude<FaultKind, 'disconnect' | 'limit' | 'network' | 'evict' | 'chaosMesh' | 'istio'>,
  { fault: string; says: string; shows(): Promise<void>; path?: string }[]
> = {
  latency: [
    {
      fault: 'latency: { service: service, delay: 60ms, jitter: 5ms, distribution: pareto }',
      says: '60 ms and, by Pareto, 5 ms more on average on 100 % of requests to service',
      shows: lasts(58),
    },
    {
      fault: 'latency: { service: store, from: service, delay: 60ms, ramp: { over: 1ms, of: delay } }',
      says: '60 ms on 100 % of requests from service to store, its delay climbing for 1 ms',
      shows: lasts(58, '/stored'),
      path: '/stored',
    },
  ],
  error: [
    {
      fault:
        'error: { service: service, status: 503, body: sorry, headers: { X-Tenant: acme }, method: GET, path: /hello }',
      says: 'status 503 on 100 % of GET /hello with x-tenant: acme to service',
      shows: async () => {
        expect(await ask(0, '/hello', { 'x-tenant': 'acme' })).toMatchObject({ status: 503, body: 'sorry' })
        expect(await ask(0)).toMatchObject({ status: 200 })
      },
    },
    {
      fault: 'error: { service: service, grpc: UNAVAILABLE, instances: 1, pulse: { on: 50s, off: 1s } }',
      says: 'gRPC status UNAVAILABLE on 100 % of requests to service in 1 instance of service, on for 50 s and off for 1 s in turns',
      shows: async () => {
        const bodies = (await both()).map(({ body }) => body)
        expect(bodies.toSorted()).toEqual(['', 'x'.repeat(200)])
      },
    },
  ],
  reset: [
    { fault: 'reset: { service: service }', says: 'connection reset on 100 % of requests to service', shows: fails() },
    {
      fault: 'reset: { service: store, from: service }',
      says: 'connection reset on 100 % of requests from service to store',
      path: '/stored',
      shows: async () => {
        for (const answer of await both('/stored')) expect(answer).toMatchObject({ status: 502, body: 'ECONNRESET' })
      },
    },
  ],
  hang: [
    {
      fault: 'hang: { service: service, scope: attempt }',
      says: 'no answer on 100 % of requests to service, each attempt anew',
      shows: async () => {
        const url = new URL('/hello', target.urls('service')[0])
        await expect(fetch(url, { signal: AbortSignal.timeout(150) })).rejects.toMatchObject({ name: 'TimeoutError' })
      },
    },
  ],
  truncate: [
    {
      fault: 'truncate: { service: service, after: 20B }',
      says: 'answers cut off after 20 B on 100 % of requests to service',
      shows: fails(),
    },
  ],
  bandwidth: [
    {
      fault: 'bandwidth: { service: service, rate: 2KB/s }',
      says: 'bodies at 2 KB/s on 100 % of requests to service',
      shows: lasts(90),
    },
  ],
  stall: [
    {
      fault: 'stall: { service: service, instances: 2, block: 200ms, every: 210ms }',
      says: 'event loop blocked for 200 ms every 210 ms in 2 instances of service',
      shows: () => expect.poll(async () => Math.max(...(await both()).map(({ ms }) => ms))).toBeGreaterThan(100),
    },
  ],
  burn: [
    {
      fault: 'burn: { service: service, threads: 1 }',
      says: 'CPU burnt by 1 thread in 1 instance of service',
      shows: async () => {},
    },
  ],
  memory: [
    {
      fault: 'memory: { service: service, size: 1MiB }',
      says: '1.05 MB of memory taken in 1 instance of service',
      shows: async () => {},
    },
  ],
  crash: [
    {
      fault: 'crash: { service: service }',
      says: 'crash 1 instance of service',
      shows: () => expect.poll(() => pids().filter(pid => !pidsBefore.includes(pid)).length).toBe(1),
    },
  ],
  terminate: [
    {
      fault: 'terminate: { service: service, grace: 3s }',
      says: 'terminate 1 instance of service, grace 3 s',
      shows: () => expect.poll(() => pids().filter(pid => !pidsBefore.includes(pid)).length).toBe(1),
    },
  ],
  freeze: [
    {
      fault: 'freeze: { service: service, instances: 2 }',
      says: 'freeze 2 instances of service',
      shows: async () => {
        const url = new URL('/hello', target.urls('service')[0])
        await expect(fetch(url, { signal: AbortSignal.timeout(150) })).rejects.toMatchObject({ name: 'TimeoutError' })
      },
    },
  ],
  rollingRestart: [
    {
      fault: 'rollingRestart: { service: service, grace: 3s }',
      says: 'rolling restart of service, grace 3 s',
      shows: () =>
        expect
          .poll(() => pids().filter(pid => pid !== undefined && !pidsBefore.includes(pid)).length, { timeout: 30_000 })
          .toBe(2),
    },
  ],
  scaleToZero: [
    {
      fault: 'scaleToZero: { service: service }',
      says: 'scale service to zero',
      shows: async () => {
        await fails()()
        expect(pids()).toEqual([undefined, undefined])
      },
    },
  ],
}

test.each(Object.values(table).flat())('$fault', async ({ fault, says, shows, path }) => {
  const well = async () => (await both(path)).map(({ status }) => status)
  await expect.poll(well, { timeout: 30_000 }).toEqual([200, 200])
  pidsBefore = pids()
  written.length = 0

  const { spec } = await faultOf(fault)
  expect(describeFault(spec)).toBe(says)
  const context = { world, target, seed: 5, leaseMs: 3000 }
  const injected = await injectFault(spec, {
    ...context,
    journal: async entry => void written.push({ type: 'fault-arming', ...entry }),
    shaking: async () => {},
  })
  try {
    expect(injected.instances.length).toBeGreaterThan(0)
    await shows()
    await injected.renew()
    await expect.poll(async () => (await injected.hits()).hit).toBeGreaterThan(0)
  } finally {
    await injected.undo()
  }
  // Written down before it was done, in every instance that it hit.
  const announced = new Set(written.flatMap(entry => (entry.type === 'fault-arming' ? [entry.instance] : [])))
  expect([...announced].sort()).toEqual(injected.instances.toSorted())

  await injected.undo()
  await expect.poll(well, { timeout: 30_000 }).toEqual([200, 200])
  for (const instance of target.instances('service')) {
    expect(await new FaultControl(instance, 3000, world.clock).armed()).toEqual([])
  }
})

test('what selects nothing is refused, and nothing is armed', async () => {
  const inject = async (fault: string, at: Target) => {
    const { spec } = await faultOf(fault)
    return injectFault(spec, {
      world,
      target: at,
      seed: 5,
      leaseMs: 3000,
      journal: async () => {},
      shaking: async () => {},
    })
  }
  const nobody: Target = { ...target, instances: () => [] }
  for (const { fault } of Object.values(table).flat())
    await expect(inject(fault, nobody), fault).rejects.toMatchObject({ code: 'SHAKETABLE_NOTHING_TO_HIT' })
})
