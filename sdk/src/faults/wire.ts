/**
 * The wire types of an in-process fault: what a runner sends to a service's fault-control listener.
 *
 * The listener speaks HTTP/1.1 with JSON on its own port (`SHAKETABLE_FAULTS_PORT`, loopback unless told otherwise) and
 * wants `Authorization: Bearer <SHAKETABLE_FAULTS_KEY>` on every call:
 *
 * - `PUT /faults/{id}` with an `ArmRequest`: arms the fault, or replaces it whole; answers 200 with its `FaultStatus`;
 * - `POST /lease` with a `LeaseRequest`: renews the leases named; answers 200 with `FaultList`, 404 if one is not armed;
 * - `DELETE /faults/{id}`: disarms; answers 200 with the last `FaultStatus`, 404 if it is not armed;
 * - `GET /faults`: 200 with `FaultList`.
 *
 * Errors: 401 without the key, 400 for a body that does not fit (with `{ error }` naming the field), 413 over 64 KiB.
 * A fault whose lease is not renewed disarms itself on the service's own monotonic clock.
 */

/** What happens to a chosen request. Units stand in the names. */
export type FaultEffect =
  | { kind: 'latency'; delayMs: number /** uniform, +- */; jitterMs: number }
  | { kind: 'error' /** HTTP status, 400-599 */; status: number; body?: string }
  /** The connection is reset (TCP RST) before any answer. */
  | { kind: 'reset' }
  /** No answer at all, for as long as the fault is armed; then the connection is reset. */
  | { kind: 'hang' }

/** Which requests a fault may choose from. An absent field matches all. */
export interface FaultMatch {
  /** `inbound`: requests that this service receives; `outbound`: requests that it makes. */
  direction: 'inbound' | 'outbound'
  /** HTTP method in capitals. */
  method?: string
  /** Path without the query: `/a/b` exactly, `/a/:id` a template, `/a/*` a prefix. */
  path?: string
  /** Outbound only: `host:port` of the dependency; several mean any of them. */
  peers?: string[]
  /**
   * Inbound only: the name of the calling service, read from the `shaketable.caller` member of the request's baggage
   * (the SDK adds it to outbound requests while faults are enabled).
   */
  from?: string
}

export interface ArmRequest {
  effect: FaultEffect
  match: FaultMatch
  /** 0-100: how many of the matching requests are hit. */
  percent: number
  /**
   * `request`: the choice hangs on the trace id, so that a retry of a request that was hit is hit again;
   * `attempt`: every attempt is decided anew.
   */
  scope: 'request' | 'attempt'
  /** Seeds the choice of requests and the jitter, so that a run can be repeated. */
  seed: number
  /** How long the fault lives without a renewal, 100-60000 ms. */
  leaseMs: number
}

export interface LeaseRequest {
  ids: string[]
  leaseMs: number
}

export interface FaultStatus {
  id: string
  /** Requests that matched since it was armed. */
  seen: number
  /** Requests that were hit. */
  hit: number
  expiresInMs: number
}

export interface FaultList {
  faults: FaultStatus[]
}

/** Ids are `[A-Za-z0-9._-]`, 1 to 64 characters. */
export const faultIdPattern = /^[A-Za-z0-9._-]{1,64}$/
