/**
 * The wire types of an in-process fault: what a runner sends to a service's fault-control listener.
 *
 * The listener speaks HTTP/1.1 with JSON on its own port (`SHAKETABLE_FAULTS_PORT`, loopback unless told otherwise) and
 * wants on every call an `Authorization` that `authorizationOf` makes: the call, its time and a number used once, signed with
 * `SHAKETABLE_FAULTS_KEY`. With a certificate (`SHAKETABLE_FAULTS_CERTIFICATE`) it speaks TLS. The calls:
 *
 * - `PUT /faults/{id}` with an `ArmRequest`: arms the fault, or replaces it whole; answers 200 with its `FaultStatus`;
 * - `POST /lease` with a `LeaseRequest`: renews the leases named; answers 200 with `FaultList`, 404 if one is not armed;
 * - `DELETE /faults/{id}`: disarms; answers 200 with the last `FaultStatus`, 404 if it is not armed;
 * - `GET /faults`: 200 with `FaultList`.
 *
 * Errors: 401 for a call that is not signed with the key, is too old or has been made before, 400 for a body that does not fit (with `{ error }` naming the field), 413 over 64 KiB.
 * A fault whose lease is not renewed disarms itself on the service's own monotonic clock.
 */

export { authorizationOf, type Call } from './signed-call.ts'
export { signedTag } from './tag.ts'

/** How the delays of a latency are spread. */
export const distributions = ['uniform', 'normal', 'pareto'] as const
export type Distribution = (typeof distributions)[number]

/** What happens to a chosen request. Units stand in the names. */
export type RequestEffect =
  /**
   * `uniform` (the default): `delayMs` +- `jitterMs`. `normal`: around `delayMs` with the deviation `jitterMs`, never under 0.
   * `pareto`: never under `delayMs`, `jitterMs` more on average, and now and then very much more (shape 1 + delay / jitter).
   */
  | { kind: 'latency'; delayMs: number; jitterMs: number; distribution?: Distribution }
  | { kind: 'error' /** HTTP status, 400-599 */; status: number; body?: string }
  /** Answers a gRPC call with this status, 1-16, and nothing else. */
  | { kind: 'error'; grpcStatus: number; grpcMessage?: string }
  /** The connection is reset (TCP RST) before any answer. */
  | { kind: 'reset' }
  /** No answer at all, for as long as the fault is armed; then the connection is reset. */
  | { kind: 'hang' }
  /** The answer's head and so many bytes of its body arrive, then the connection is closed. A shorter body arrives whole. */
  | { kind: 'truncate'; afterBytes: number }
  /** The body of the answer arrives at this rate. */
  | { kind: 'bandwidth'; bytesPerSecond: number }

/** What a process bears, whatever its requests are; with the direction `process`. */
export type ProcessEffect =
  /** The event loop stands still for `blockMs`, every `everyMs`. */
  | { kind: 'stall'; blockMs: number; everyMs: number }
  /** So many threads compute without a pause. */
  | { kind: 'burn'; threads: number }
  /** So much memory is taken, and written to. Refused where it is over half of what the process could still have. */
  | { kind: 'memory'; bytes: number }

export type FaultEffect = RequestEffect | ProcessEffect

/** Which requests a fault may choose from. An absent field matches all. */
export interface FaultMatch {
  /**
   * `inbound`: HTTP requests and gRPC calls that this service receives; `outbound`: those that it makes (`fetch`, undici,
   * node:http, node:http2, grpc-js, whose path is `/package.Service/Method`); `tcp`: what it writes to a
   * dependency of any protocol (PostgreSQL, Redis): all that it writes to one connection in one turn of its event loop is a request;
   * `process`: no request at all, the process itself. There `percent`, `scope` and `seed` mean nothing.
   */
  direction: 'inbound' | 'outbound' | 'tcp' | 'process'
  /** HTTP method in capitals. */
  method?: string
  /** Path without the query: `/a/b` exactly, `/a/:id` a template, `/a/*` a prefix. */
  path?: string
  /** Headers that the request bears, by their names in small letters, with exactly these values. Not with `tcp`. */
  headers?: Record<string, string>
  /**
   * Only requests that bear this tag, as `signedTag` makes it: in the baggage that they came with, and that the services hand on. A
   * tag that is not signed with the key, or has expired, is none, and is handed on by no service whose faults are enabled.
   */
  tag?: string
  /** `outbound` and `tcp` only, where it must be given: `host:port` of the dependency; several mean any of them. */
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
  schedule?: Schedule
}

/** How a fault changes while it is armed; without one it strikes alike from the beginning to the end. */
export interface Schedule {
  /** How long it has been going on already elsewhere: an instance that starts anew joins in where the others are. */
  ageMs?: number
  /** Climbs linearly from nothing to its full measure, and stays there. `delay` is for a latency. */
  ramp?: { of: 'percent' | 'delay'; overMs: number }
  /** On for so long, then off for so long, again and again. While it is off it sees no request. */
  pulse?: { onMs: number; offMs: number }
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
  /** How many of those seen were to be hit: the sum of the percentages in force, as ratios. */
  expected: number
  expiresInMs: number
}

export interface FaultList {
  faults: FaultStatus[]
}

/** Ids are `[A-Za-z0-9._-]`, 1 to 64 characters. */
export const faultIdPattern = /^[A-Za-z0-9._-]{1,64}$/
