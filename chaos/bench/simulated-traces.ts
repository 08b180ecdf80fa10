/** The traces of a made-up shop from a seed: gateway -> catalog, orders and recommendations; orders -> inventory, payments and db. */
import type { TraceSpan } from '../src/observe/spans.ts'

export const phases = { baseline: { start: 0, end: 6000 }, fault: { start: 6000, end: 16_000 } }
const requestsPerSecond = 20
/** Of calls, without a fault. */
const failingAnyway = 0.001
/** A collection of garbage, a slow disk: of calls, and by how much. */
const stalling = { share: 0.01, ms: 40 }

export interface TraceSimulation {
  /** The service that is made slow or failing, for whoever calls it. */
  guilty?: string
  /** What becomes of such a share of its calls. */
  share?: number
  slowMs?: number
  fails?: boolean
  /** How often a caller tries again what failed. */
  retries?: number
  /** How long a caller waits for it. */
  timeoutMs?: number
  /** The gateway calls all of its peers at once, not one after the other. */
  fanOut?: boolean
  /** No span comes from the guilty service. */
  silent?: boolean
}

/** Who calls whom; a service with two callers is a cause that they share. */
const callees: Record<string, string[]> = {
  gateway: ['catalog', 'orders', 'recommendations'],
  catalog: ['db'],
  orders: ['inventory', 'payments'],
  inventory: ['db'],
}
const addresses = ['gateway', 'catalog', 'orders', 'recommendations', 'inventory', 'payments', 'db']

export function simulatedTraces(next: () => number, simulation: TraceSimulation): TraceSpan[] {
  const { guilty, share = 1, slowMs = 0, fails = false, retries = 0, timeoutMs = Number.POSITIVE_INFINITY } = simulation
  const spans: TraceSpan[] = []
  let ids = 0
  const id = () => (++ids).toString(16).padStart(16, '0')

  /** What a service does with a request that reaches it: its own work, then its calls; when it ends, and how. */
  const serve = (
    service: string,
    traceId: string,
    parentId: string,
    start: number,
  ): { end: number; failed: boolean } => {
    const spanId = id()
    const struck = service === guilty && start >= phases.fault.start && next() < share
    // Log-normal, around 3 ms.
    const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
    let end = start + 3 * Math.exp(0.4 * normal) + (next() < stalling.share ? stalling.ms * next() : 0)
    let failed = next() < failingAnyway
    if (struck && fails) failed = true
    else {
      if (struck) end += slowMs * (0.9 + 0.2 * next())
      const fanOut = simulation.fanOut && service === 'gateway'
      const from = end
      for (const callee of callees[service] ?? []) {
        const called = call(service, callee, traceId, spanId, fanOut ? from : end)
        end = Math.max(end, called.end)
        // Recommendations are a bonus: without them the page is still good.
        if (called.failed && callee !== 'recommendations') {
          failed = true
          if (!fanOut) break
        }
      }
    }
    if (!(simulation.silent && service === guilty)) {
      spans.push(spanOf({ traceId, spanId, parentId, service, kind: 'server', start, end, failed }))
    }
    return { end, failed }
  }

  const call = (from: string, to: string, traceId: string, parentId: string, start: number) => {
    let at = start
    for (let attempt = 0; ; attempt++) {
      const spanId = id()
      const answer = serve(to, traceId, spanId, at + 0.2)
      const late = answer.end + 0.2 - at > timeoutMs
      const end = late ? at + timeoutMs : answer.end + 0.2
      const failed = late || answer.failed
      const peer = `h:${addresses.indexOf(to)}`
      spans.push({
        ...spanOf({ traceId, spanId, parentId, service: from, kind: 'client', start: at, end, failed }),
        peer,
      })
      if (!failed || attempt === retries) return { end, failed }
      at = end + 5
    }
  }

  const arrivals = (phases.fault.end * requestsPerSecond) / 1000
  for (let index = 0; index < arrivals; index++) {
    serve('gateway', id().padStart(32, '0'), '', (index * 1000) / requestsPerSecond)
  }
  return spans
}

/** `host:port` -> service, as the runner knows it. */
export const knownAddresses: ReadonlyMap<string, string> = new Map(
  addresses.map((service, index) => [`h:${index}`, service]),
)

function spanOf({
  failed,
  ...of
}: Pick<TraceSpan, 'traceId' | 'spanId' | 'parentId' | 'service' | 'kind' | 'start' | 'end'> & {
  failed: boolean
}): TraceSpan {
  return {
    instance: `${of.service}-1`,
    name: 'POST /x',
    status: failed ? 503 : 200,
    error: failed,
    errorType: failed ? '503' : undefined,
    peer: undefined,
    database: undefined,
    faultId: undefined,
    ...of,
  }
}
