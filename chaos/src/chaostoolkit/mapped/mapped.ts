import type { z } from 'zod'
import type { JournalEntry } from '../../conduct/journal.ts'
import type { Cluster } from '../../targets/kubernetes/cluster.ts'
import type { Clock } from '../../world.ts'
import type { Values } from '../substitute.ts'

/** What a function of a driver gets to do its work with. */
export interface MappedContext {
  configuration: Values
  clock: Clock
  signal: AbortSignal
  /** For what is chosen at random. */
  seed: number
  /** On disk before it is done: the keeper and `sweep` undo by it. */
  journal(entry: JournalEntry): Promise<void>
  /** To be done at the end of the experiment whatever its rollbacks say; resolves with what it took. */
  undoes(what: string, undo: () => Promise<string>): void
  cluster(): Promise<Cluster>
}

/** A function of a driver of the Chaos Toolkit, done by our own means. */
export interface MappedFunction {
  type: 'probe' | 'action'
  arguments: z.ZodType
  /** What it lacks in an experiment's configuration, in words. */
  lacks?(configuration: Values): string | undefined
  run(given: Record<string, unknown>, context: MappedContext): Promise<unknown>
}

export function mapped<S extends z.ZodType>(
  type: MappedFunction['type'],
  schema: S,
  run: (given: z.output<S>, context: MappedContext) => Promise<unknown>,
): MappedFunction {
  return { type, arguments: schema, run: (given, context) => run(given as z.output<S>, context) }
}
