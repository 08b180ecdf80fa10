import type { OpenCalls } from '../instrumentations/open-calls.ts'
import { ArmedFaults } from './armed.ts'
import { monotonicClock } from './clock.ts'
import { serveControl } from './control.ts'
import { interceptInbound } from './inbound.ts'
import { interceptFetch } from './outbound-fetch.ts'
import { interceptHttp2 } from './outbound-http2.ts'
import { interceptNodeHttp } from './outbound-node.ts'
import { interceptTcp } from './outbound-tcp.ts'
import type { Striking } from './strike.ts'
import { tagReader } from './tag.ts'

export interface EnableFaultsOptions {
  /** Where fault control listens; 0 takes a free port. */
  host: string
  port: number
  /** What a caller must know, at least 16 characters. */
  key: string
  /** Files in PEM form: with them the listener speaks TLS. */
  tls?: { certificate: string; privateKey: string } | undefined
  serviceName: string
  /** Which calls are on their way; without it a fault marks what is active when they are written. */
  calls?: OpenCalls | undefined
  /** Takes one plain line for the operator. */
  warn(line: string): void
  /** Called once for every injected fault. */
  count(faultId: string, kind: string): void
}

const shortestKey = 16

/**
 * Makes this process faultable: patches HTTP in both directions, what is written to connections, and opens the control listener of `wire.ts`. Until a fault is armed
 * the patches cost one comparison a request. Never throws; without a usable key or port it warns once and leaves nothing patched,
 * and `port` is `undefined`.
 */
export function enableFaults(options: EnableFaultsOptions): {
  port: Promise<number | undefined>
  close(): Promise<void>
} {
  if (typeof options.key !== 'string' || options.key.length < shortestKey) {
    options.warn(`faults are off: SHAKETABLE_FAULTS_KEY needs at least ${shortestKey} characters`)
    return { port: Promise.resolve(undefined), close: async () => {} }
  }
  const armed = new ArmedFaults(monotonicClock, options.count)
  const striking: Striking = { armed, clock: monotonicClock, count: options.count, readTag: tagReader(options.key) }
  const fetching = interceptFetch(striking)
  const undo = [
    interceptInbound(striking),
    interceptNodeHttp(striking),
    interceptHttp2(striking, options.calls),
    interceptTcp(striking, options.calls),
    fetching.undo,
  ]
  const unpatch = () => {
    armed.disarmAll()
    for (const one of undo.splice(0)) one()
  }

  const control = serveControl(armed, { ...options, arming: fetching.refresh })
  return {
    port: control.port.then(port => {
      if (port === undefined) unpatch()
      return port
    }),
    async close() {
      unpatch()
      await control.close()
    },
  }
}
