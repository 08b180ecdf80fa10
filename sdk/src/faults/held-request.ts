import type { ClientRequest } from 'node:http'
import type { Clock } from './clock.ts'

/** `timeout` is documented as an option and stands on the request, but is missing in the types. */
export type TimedRequest = ClientRequest & { timeout?: number }

/**
 * Keeps a request of node:http alive to its caller while it waits for a connection. Node runs a request's timeouts and reports its
 * abort on its socket; until it has one, both happen here. `onDestroy` is told of an abort; the answer ends the hold.
 */
export function holdRequest(request: TimedRequest, clock: Clock, onDestroy: () => void): () => void {
  let cancelTimeout = () => {}
  const startTimeout = (ms: number) => {
    cancelTimeout()
    if (ms > 0) cancelTimeout = clock.after(ms, () => request.emit('timeout'))
  }
  if (request.timeout !== undefined) startTimeout(request.timeout)

  const { setTimeout, destroy } = request
  request.setTimeout = function (ms, onTimeout) {
    startTimeout(ms)
    return setTimeout.call(this, ms, onTimeout)
  }
  request.destroy = function (error) {
    const first = !this.destroyed
    destroy.call(this, error)
    if (first) {
      onDestroy()
      // Without a socket: Node then emits the error and `close`.
      this.onSocket(undefined as never)
    }
    return this
  }
  return () => {
    cancelTimeout()
    Object.assign(request, { setTimeout, destroy })
  }
}
