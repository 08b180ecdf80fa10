import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { injectIntoRequests } from './request-fault.ts'
import { duration, whichRequests } from './words.ts'

/** Requests wait before they are handled. */
export const latency: Fault<Extract<FaultSpec, { kind: 'latency' }>> = {
  kind: 'latency',
  describe: spec => `${delay(spec)} ${whichRequests(spec)}`,
  inject: (spec, context) => {
    const { delayMs, jitterMs, distribution } = spec
    return injectIntoRequests(spec, { kind: 'latency', delayMs, jitterMs, distribution }, context)
  },
}

function delay({ delayMs, jitterMs, distribution }: Extract<FaultSpec, { kind: 'latency' }>): string {
  if (jitterMs === 0) return duration(delayMs)
  if (distribution === 'pareto') return `${duration(delayMs)} and, by Pareto, ${duration(jitterMs)} more on average`
  return `${duration(delayMs)} ± ${duration(jitterMs)}${distribution === 'normal' ? ' (normal)' : ''}`
}
