import type { FaultSpec } from '../experiment/model.ts'
import type { InjectContext, Injected } from '../faults/fault.ts'
import { describeFault, injectFault } from '../faults/index.ts'
import { deriveSeed } from '../random.ts'
import type { ObservedFault } from '../verdict/observations.ts'
import type { Journal } from './journal.ts'

/** A fault's right to live without a heartbeat; renewed three times as often. */
const leaseMs = 3000

/** The faults of one experiment: arms each at its time, keeps its lease, undoes it at its end or when told to. */
export class ArmedFaults {
  readonly observed: ObservedFault[]
  /** Why a fault could not be undone, one sentence each. */
  readonly notUndone: string[] = []
  readonly #specs: FaultSpec[]
  readonly #context: Omit<InjectContext, 'seed' | 'leaseMs' | 'journal' | 'shaking'>
  readonly #journal: Journal
  readonly #seed: number
  readonly #ending = new AbortController()

  constructor(
    specs: FaultSpec[],
    context: Omit<InjectContext, 'seed' | 'leaseMs' | 'journal' | 'shaking'> & { journal: Journal; seed: number },
  ) {
    this.#specs = specs
    this.#context = { world: context.world, target: context.target, tag: context.tag }
    this.#journal = context.journal
    this.#seed = context.seed
    this.observed = specs.map(spec => ({
      id: spec.id,
      description: describeFault(spec),
      instances: [],
      armedAt: undefined,
      undoneAt: undefined,
      seen: 0,
      hit: 0,
    }))
  }

  /** What is armed at this moment, in words. */
  armed(): string[] {
    return this.observed
      .filter(fault => fault.armedAt !== undefined && fault.undoneAt === undefined)
      .map(fault => fault.description)
  }

  /** The ids of the same. */
  armedIds(): string[] {
    return this.observed
      .filter(fault => fault.armedAt !== undefined && fault.undoneAt === undefined)
      .map(fault => fault.id)
  }

  /** Runs every fault to its end; resolves when all are undone, rejects when one could not be injected. */
  async run(): Promise<void> {
    const runs = this.#specs.map((spec, index) => this.#live(spec, this.observed[index] as ObservedFault))
    const results = await Promise.allSettled(
      runs.map(run =>
        run.catch(error => {
          this.end()
          throw error
        }),
      ),
    )
    const failure = results.find(result => result.status === 'rejected')
    if (failure) throw failure.reason
  }

  /** Undo everything now; `run` resolves once that is done. */
  end(): void {
    this.#ending.abort()
  }

  async #live(spec: FaultSpec, seen: ObservedFault): Promise<void> {
    const { clock } = this.#context.world
    const ending = this.#ending.signal
    const until = (ms: number) => clock.sleep(ms, ending).catch(() => {})

    await until(spec.startMs)
    if (ending.aborted) return
    const injected = await injectFault(spec, {
      ...this.#context,
      leaseMs,
      seed: deriveSeed(this.#seed, spec.id),
      journal: entry => this.#journal.append({ type: 'fault-arming', ...entry }),
      shaking: entry => this.#journal.append(entry),
    })
    seen.instances = injected.instances
    seen.armedAt = clock.now()
    const endsAt = seen.armedAt + spec.durationMs
    try {
      await this.#journal.append({
        type: 'fault-armed',
        fault: spec.id,
        instances: injected.instances,
        kind: spec.kind,
      })
      while (clock.now() < endsAt && !ending.aborted) {
        await until(Math.min(leaseMs / 3, endsAt - clock.now()))
        if (clock.now() < endsAt && !ending.aborted) await injected.renew()
        Object.assign(seen, await injected.hits())
      }
    } finally {
      await this.#undo(spec, injected, seen)
    }
  }

  async #undo(spec: FaultSpec, injected: Injected, seen: ObservedFault): Promise<void> {
    try {
      await injected.undo()
      seen.undoneAt = this.#context.world.clock.now()
      await this.#journal.append({
        type: 'fault-undone',
        fault: spec.id,
        instances: injected.instances,
        kind: spec.kind,
      })
    } catch (error) {
      this.notUndone.push(`${spec.id}: ${(error as Error).message}`)
    }
    Object.assign(seen, await injected.hits())
  }
}
