import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { injectIntoRequests } from './request-fault.ts'
import { duration, whichRequests } from './words.ts'

/** Requests wait before they are handled: `delay`, give or take a uniform `jitter`. */
export const latency: Fault<Extract<FaultSpec, { kind: 'latency' }>> = {
  kind: 'latency',
  describe: spec =>
    `${duration(spec.delayMs)}${spec.jitterMs ? ` ± ${duration(spec.jitterMs)}` : ''} ${whichRequests(spec)}`,
  inject: (spec, context) =>
    injectIntoRequests(spec, { kind: 'latency', delayMs: spec.delayMs, jitterMs: spec.jitterMs }, context),
}
