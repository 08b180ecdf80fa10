import type { Family } from '../metrics/exposition.ts'
import { counted, type MemberFamilies, merge } from '../metrics/merge.ts'

/** What a process of the cluster, or a thread, says of itself. */
export interface Report {
  families: Family[]
  /** Why it is not ready; empty when it is. */
  obstacles: string[]
  telemetry: object
}

/** `drain` and `flush` are done when the report comes, `end` when the member has gone. */
export type Request = 'report' | 'drain' | 'flush' | 'end'

/** A process sees to its own requests and telemetry, as its own signals tell it. */
const askedOf: Record<Request, readonly Member['kind'][]> = {
  report: ['process', 'thread'],
  drain: ['thread'],
  flush: ['thread'],
  end: ['process'],
}

export interface Member {
  /** `worker 1` of a cluster, `thread 1` of this process. */
  name: string
  kind: 'process' | 'thread'
  ask(request: Request): void
}

/** Who does not answer in time, such as a thread that computes, is taken by what it said last. */
const answerWithinMs = 1_000

/** Those that this process speaks for: the workers of its cluster, and its threads. */
export class Members {
  readonly #live = new Map<string, Known>()
  readonly #gathering = new Map<Request, Promise<void>>()
  /** What members have counted that are gone: a counter never falls. */
  #departed: Record<Member['kind'], Family[]> = { process: [], thread: [] }

  joined(member: Member): void {
    this.#live.set(member.name, { member, last: undefined, awaited: new Map() })
  }

  /** `answer` is what was asked for; a member that ends reports unasked. */
  reported(name: string, report: Report, answer: Request = 'report'): void {
    const known = this.#live.get(name)
    if (!known) return
    known.last = report
    known.awaited.get(answer)?.()
  }

  left(name: string): void {
    const known = this.#live.get(name)
    if (!known) return
    this.#live.delete(name)
    for (const answered of known.awaited.values()) answered()
    const { kind } = known.member
    const families = counted(known.last?.families ?? [])
    this.#departed[kind] = merge([
      { name, families: this.#departed[kind] },
      { name, families },
    ])
  }

  /** Asks everyone whom it concerns, and waits for the answers. */
  ask(request: Request, withinMs = answerWithinMs): Promise<void> {
    const running = this.#gathering.get(request)
    if (running) return running
    const asked = [...this.#live.values()].filter(({ member }) => askedOf[request].includes(member.kind))
    if (asked.length === 0) return Promise.resolve()
    const gathering = this.#gather(asked, request, withinMs).finally(() => this.#gathering.delete(request))
    this.#gathering.set(request, gathering)
    return gathering
  }

  async #gather(asked: readonly Known[], request: Request, withinMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, withinMs)
    const answers = asked.map(known => {
      const { promise, resolve: answered } = Promise.withResolvers<void>()
      known.awaited.set(request, answered)
      known.member.ask(request)
      return promise
    })
    await Promise.race([Promise.all(answers), late])
    clearTimeout(timer)
  }

  /** As of the last answers. */
  reports(): ReadonlyMap<string, Report> {
    const said = [...this.#live].flatMap(([name, { last }]): [string, Report][] => (last ? [[name, last]] : []))
    return new Map(said)
  }

  /** The metrics of those of one kind, the departed included. */
  families(kind: Member['kind']): MemberFamilies[] {
    const live = [...this.#live.values()].filter(({ member }) => member.kind === kind)
    const departed = this.#departed[kind]
    return [
      ...(departed.length > 0 ? [{ name: 'departed', families: departed }] : []),
      ...live.flatMap(({ member: { name }, last }) => (last ? [{ name, families: last.families }] : [])),
    ]
  }
}

interface Known {
  readonly member: Member
  last: Report | undefined
  readonly awaited: Map<Request, () => void>
}
