import autocannon from 'autocannon'
import type { World } from '../world.ts'

/** What a closed loop of this many connections got through. */
export interface CapacityStep {
  connections: number
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  /** Of all answers and failures: those that were not 2xx. */
  errorRatio: number
}

export interface Capacity {
  steps: CapacityStep[]
  /** The step with the highest throughput among those that kept to the bounds; undefined where none did. */
  best: CapacityStep | undefined
  /** Why it went no further. */
  ended:
    | 'throughput stopped rising'
    | 'p99 over its bound'
    | 'errors over their bound'
    | 'most connections'
    | 'interrupted'
}

export interface CapacityOptions {
  url: string
  method: string
  headers: Record<string, string>
  body: string | undefined
  secondsPerStep: number
  maxConnections: number
  p99BoundMs: number
  errorBound: number
}

/** A step must bring this much more throughput than the best before it, or the end is reached. */
const worthwhile = 1.05

/**
 * The most that a service takes: a closed loop (autocannon), its connections doubled until throughput stops rising or a bound
 * is passed. Closed loops wait for slow answers, so these latencies are not what users at a given rate would see: for that,
 * run an experiment.
 */
export async function measureCapacity(
  options: CapacityOptions,
  world: Pick<World, 'signal'>,
  onStep: (step: CapacityStep) => void,
): Promise<Capacity> {
  const steps: CapacityStep[] = []
  let best: CapacityStep | undefined
  for (let connections = 1; connections <= options.maxConnections; connections *= 2) {
    const step = await oneStep(options, connections, world.signal)
    if (!step) return { steps, best, ended: 'interrupted' }
    steps.push(step)
    onStep(step)
    if (step.errorRatio > options.errorBound) return { steps, best, ended: 'errors over their bound' }
    if (step.p99Ms > options.p99BoundMs) return { steps, best, ended: 'p99 over its bound' }
    const risen = !best || step.requestsPerSecond > best.requestsPerSecond * worthwhile
    if (!best || step.requestsPerSecond > best.requestsPerSecond) best = step
    if (!risen) return { steps, best, ended: 'throughput stopped rising' }
  }
  return { steps, best, ended: 'most connections' }
}

async function oneStep(
  { url, method, headers, body, secondsPerStep }: CapacityOptions,
  connections: number,
  signal: AbortSignal,
): Promise<CapacityStep | undefined> {
  if (signal.aborted) return undefined
  // What it returns is both the running instance and a promise of its result; its types tell only of the latter.
  const running = autocannon({
    url,
    method: method as 'GET',
    headers,
    ...(body === undefined ? {} : { body }),
    connections,
    duration: secondsPerStep,
  }) as Promise<autocannon.Result> & Pick<autocannon.Instance, 'stop'>
  const stop = () => running.stop()
  signal.addEventListener('abort', stop, { once: true })
  const result = await running
  signal.removeEventListener('abort', stop)
  if (signal.aborted) return undefined
  const failed = result.non2xx + result.errors
  return {
    connections,
    requestsPerSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    errorRatio: failed / Math.max(1, result.requests.total + result.errors),
  }
}
