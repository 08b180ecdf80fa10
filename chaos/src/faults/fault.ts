import type { JournalEntry } from '../conduct/journal.ts'
import type { FaultSpec } from '../experiment/model.ts'
import type { Target } from '../targets/target.ts'
import type { World } from '../world.ts'

/** What `inject` gets: where to inject, a seed of its own, and the journal's write-ahead hook. */
export interface InjectContext {
  world: World
  target: Target
  seed: number
  leaseMs: number
  /** The name of the tag that the load's requests bear, where a fault strikes nothing else. */
  tag?: string | undefined
  /** Records durably what is about to be done, before it is done; the keeper and `sweep` undo from this. */
  journal(entry: { fault: string; instance: string; kind: FaultSpec['kind'] }): Promise<void>
  /** The same for what is done to something that is neither an instance nor ours. */
  shaking(entry: Extract<JournalEntry, { type: 'proxy-shaking' | 'proxy-restored' }>): Promise<void>
}

/** An armed fault. It cannot be made without its undo, so a rollback cannot be forgotten. */
export interface Injected {
  /** Instances it acts on. */
  instances: string[]
  /** Renews the lease; called about three times a lease. */
  renew(): Promise<void>
  /** How often it has struck so far: requests hit, or instances signalled. */
  hits(): Promise<{
    seen: number
    hit: number /** By the percentages in force, where they change. */
    expected?: number
  }>
  /** Undoes it and proves that it is undone; rejects if it could not be. Idempotent. */
  undo(): Promise<void>
}

/** One file a fault, registered in `faults/index.ts`. */
export interface Fault<S extends FaultSpec = FaultSpec> {
  kind: S['kind']
  /** One line for people: `2 s ± 200 ms on 100 % of requests to payments`. */
  describe(spec: S): string
  /** Why the target cannot do it, found out before anything is done; undefined where it can. */
  refuses?(target: Target, spec: S): string | undefined
  /** Rejects, with nothing armed, where it cannot be injected into every instance that it names. */
  inject(spec: S, context: InjectContext): Promise<Injected>
}
