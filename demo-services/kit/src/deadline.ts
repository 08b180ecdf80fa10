import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestHandler } from 'express'

/** How many ms the caller still waits. Every edge sends it on, so that nobody works for a caller who has gone. */
export const deadlineHeader = 'x-deadline-ms'

const current = new AsyncLocalStorage<number>()

/** The ms that are left for the request at hand; Infinity when its caller set no deadline. */
export const remainingMs = (): number => (current.getStore() ?? Number.POSITIVE_INFINITY) - performance.now()

/** Takes over the deadline of the caller. */
export const readDeadline: RequestHandler = (request, _response, next) => {
  const ms = Number(request.get(deadlineHeader) ?? Number.NaN)
  if (ms >= 0) current.run(performance.now() + ms, next)
  else next()
}
