import { type CallGraph, hasFailed } from './calls.ts'

/** Work that a service did for a caller who had given up. */
export interface Abandoned {
  /** Who worked on. */
  service: string
  /** For how long, in ms. */
  lateMs: number
}

/**
 * Of each call that the caller gave up without an answer: how long afterwards the callee still made calls for it. A timeout that
 * is longer than the caller's shows in this.
 */
export function abandonedWork({ calls }: CallGraph): Abandoned[] {
  const madeFor = Map.groupBy(
    calls.filter(call => call.owner),
    call => call.owner!,
  )
  return calls.flatMap(({ client, server, end }) => {
    if (!client || !server || client.status > 0 || !hasFailed(client)) return []
    const last = Math.max(end, ...(madeFor.get(server) ?? []).map(call => call.end))
    return [{ service: server.service, lateMs: last - end }]
  })
}
