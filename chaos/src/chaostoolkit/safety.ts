import { ShaketableError } from '@shaketable/slo'
import { type Journal, openJournal } from '../conduct/journal.ts'
import { startKeeper } from '../conduct/keeper.ts'
import type { World } from '../world.ts'
import { hitsCluster, mappedFunctions } from './mapped/index.ts'
import type { MappedContext } from './mapped/mapped.ts'
import type { Activity, ToolkitExperiment } from './model.ts'

const heartbeatMs = 500

type Held = Pick<MappedContext, 'journal' | 'undoes'>

/** Runs `body` with faults of ours held: undone at its end whatever its rollbacks say, by the keeper where we die. */
export async function held<T>(
  experiment: ToolkitExperiment,
  world: World,
  body: (held: Held, signal: AbortSignal) => Promise<T>,
): Promise<{ result: T; undone: string[]; notUndone: string[] }> {
  const undoings: { what: string; undo: () => Promise<string> }[] = []
  const undoes = (what: string, undo: () => Promise<string>) => void undoings.push({ what, undo })
  const conclude = async (result: T) => ({ result, ...(await undoAll(undoings)) })
  // http and process leave nothing of ours behind.
  if (!activitiesOf(experiment).some(isFaultOfOurs)) {
    return conclude(await body({ journal: async () => {}, undoes }, world.signal))
  }
  const journal = await openJournal(world, { system: experiment.title })
  let clean = false
  try {
    const done = await kept(journal, world, signal =>
      body({ journal: entry => journal.append(entry), undoes }, signal).then(conclude),
    )
    clean = done.notUndone.length === 0
    return done
  } finally {
    await journal.close({ clean })
  }
}

async function kept<T>(journal: Journal, world: World, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const keeper = await startKeeper(world, journal)
  const died = new AbortController()
  keeper.died.then(reason => died.abort(new ShaketableError('SHAKETABLE_KEEPER_DIED', reason)))
  const heartbeat = setInterval(() => keeper.beat(), heartbeatMs)
  try {
    return await body(AbortSignal.any([world.signal, died.signal]))
  } finally {
    clearInterval(heartbeat)
    await keeper.release()
  }
}

/** The last first. */
async function undoAll(undoings: { what: string; undo: () => Promise<string> }[]) {
  const [undone, notUndone]: [string[], string[]] = [[], []]
  for (const { what, undo } of undoings.reverse()) {
    try {
      undone.push(`${what} ${await undo()}`)
    } catch (error) {
      notUndone.push(`${what} ${(error as Error).message}`)
    }
  }
  return { undone, notUndone }
}

export const activitiesOf = ({ hypothesis, method, rollbacks }: ToolkitExperiment): Activity[] => [
  ...(hypothesis?.probes ?? []),
  ...method,
  ...rollbacks,
]

const isFaultOfOurs = ({ provider }: Activity) =>
  provider.type === 'mapped' && mappedFunctions.get(provider.function)?.type === 'action'

/** Whether it shakes a cluster that others may live on. */
export const shakesCluster = (experiment: ToolkitExperiment): boolean =>
  activitiesOf(experiment).some(({ provider }) => provider.type === 'mapped' && hitsCluster(provider.function))
