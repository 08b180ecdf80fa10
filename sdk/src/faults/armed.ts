import { bear } from './burdens/index.ts'
import { choice, type Draw } from './choice.ts'
import type { Clock } from './clock.ts'
import type { Lease } from './effects/effect.ts'
import { matcher, type Subject } from './matching.ts'
import { type Intensity, intensity } from './schedule.ts'
import type { ArmRequest, FaultMatch, FaultStatus } from './wire.ts'

/** One armed fault and its lease. Once ended it never strikes again; arming the same id makes a new one. */
export class ArmedFault implements Lease {
  readonly id: string
  readonly request: ArmRequest
  readonly matches: (subject: Subject) => boolean
  readonly draw: (traceId: string | undefined, measure?: number) => Draw
  /** How hard it strikes at a moment; `undefined` while it is off. */
  readonly intensity: (now: number) => Intensity | undefined
  seen = 0
  hit = 0
  expected = 0
  ended = false
  expiresAt: number
  readonly #onEnd = new Set<() => void>()

  constructor(id: string, request: ArmRequest, now: number) {
    this.id = id
    this.request = request
    this.matches = matcher(request.match)
    this.draw = choice({ seed: request.seed, id }, request.percent)
    this.intensity = intensity(request.schedule, now)
    this.expiresAt = now + request.leaseMs
  }

  onEnd(run: () => void): () => void {
    if (this.ended) {
      run()
      return () => {}
    }
    const once = () => run()
    this.#onEnd.add(once)
    return () => this.#onEnd.delete(once)
  }

  end(): void {
    this.ended = true
    const waiting = [...this.#onEnd]
    this.#onEnd.clear()
    for (const run of waiting) run()
  }

  status(now: number): FaultStatus {
    return {
      id: this.id,
      seen: this.seen,
      hit: this.hit,
      expected: Number(this.expected.toFixed(3)),
      expiresInMs: this.ended ? 0 : Math.max(0, Math.round(this.expiresAt - now)),
    }
  }
}

/**
 * The armed faults of this process. Each lives only as long as its lease on the process's own monotonic clock, whoever armed it.
 * `inbound`, `outbound` and `tcp` are replaced whole at every change, so a request sees a change entirely or not at all.
 */
export class ArmedFaults {
  inbound: readonly ArmedFault[] = []
  outbound: readonly ArmedFault[] = []
  tcp: readonly ArmedFault[] = []
  readonly #clock: Clock
  readonly #count: (faultId: string, kind: string) => void
  readonly #byId = new Map<string, ArmedFault>()
  #cancelTimer: () => void = () => {}

  constructor(clock: Clock, count: (faultId: string, kind: string) => void = () => {}) {
    this.#clock = clock
    this.#count = count
  }

  arm(id: string, request: ArmRequest): FaultStatus {
    const now = this.#clock.now()
    const before = this.#byId.get(id)
    const fault = new ArmedFault(id, request, now)
    this.#byId.set(id, fault)
    this.#publish()
    before?.end()
    if (request.match.direction === 'process') bear(fault, this.#clock, this.#count)
    return fault.status(now)
  }

  /** Renews all of the faults named, or none: then it answers the ids that are not armed. */
  renew(ids: string[], leaseMs: number): { missing: string[] } {
    this.expire()
    const missing = ids.filter(id => !this.#byId.has(id))
    if (missing.length === 0) {
      const expiresAt = this.#clock.now() + leaseMs
      for (const id of ids) this.#byId.get(id)!.expiresAt = expiresAt
      this.#watch()
    }
    return { missing }
  }

  disarm(id: string): FaultStatus | undefined {
    this.expire()
    const fault = this.#byId.get(id)
    if (fault === undefined) return undefined
    this.#drop([fault])
    return fault.status(this.#clock.now())
  }

  list(): FaultStatus[] {
    this.expire()
    return [...this.#byId.values()].map(fault => fault.status(this.#clock.now()))
  }

  disarmAll(): void {
    this.#drop([...this.#byId.values()])
  }

  /** Ends what is over. Called before every use too: after a stall of the process its timers come late. */
  expire(): void {
    const now = this.#clock.now()
    const over = [...this.#byId.values()].filter(fault => now >= fault.expiresAt)
    if (over.length > 0) this.#drop(over)
  }

  #drop(faults: ArmedFault[]): void {
    for (const fault of faults) this.#byId.delete(fault.id)
    this.#publish()
    for (const fault of faults) fault.end()
  }

  #publish(): void {
    const going = (direction: FaultMatch['direction']) =>
      [...this.#byId.values()].filter(fault => fault.request.match.direction === direction)
    this.inbound = going('inbound')
    this.outbound = going('outbound')
    this.tcp = going('tcp')
    this.#watch()
  }

  #watch(): void {
    this.#cancelTimer()
    if (this.#byId.size === 0) return
    const next = Math.min(...[...this.#byId.values()].map(fault => fault.expiresAt))
    const wake = () => {
      this.expire()
      this.#watch()
    }
    this.#cancelTimer = this.#clock.after(Math.max(1, Math.ceil(next - this.#clock.now())), wake, 'idle')
  }
}
