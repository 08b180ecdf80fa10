import type { ObservedLogs } from '../../observe/logs.ts'
import { type CallGraph, hasFailed } from './calls.ts'

/** Of a service: requests that it answered well although a call for them had failed for good, and how many of these no log tells of. */
export interface Untold {
  service: string
  handled: number
  untold: number
}

/** A call that failed was tried again with success where the last one to the same service is good: that is nothing to tell. */
export function untoldErrors({ calls }: CallGraph, logs: ObservedLogs): Untold[] {
  const byOwner = Map.groupBy(
    calls.filter(call => call.owner),
    call => call.owner!,
  )
  const found = new Map<string, Untold>()
  for (const [owner, made] of byOwner) {
    if (hasFailed(owner)) continue
    const lastTo = new Map(made.sort((a, b) => a.start - b.start).map(call => [call.to, call]))
    if (![...lastTo.values()].some(call => call.failed)) continue
    const of = found.get(owner.service) ?? { service: owner.service, handled: 0, untold: 0 }
    of.handled++
    if (!logs.byService.get(owner.service)?.traceIds.has(owner.traceId)) of.untold++
    found.set(owner.service, of)
  }
  return [...found.values()].sort((a, b) => b.untold - a.untold)
}
