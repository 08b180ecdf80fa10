import { lstat, mkdir, readdir, rmdir } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A folder that holds the folders of runs, and the nearest folder above it that is not ours to remove. */
export interface StatePlace {
  runs: string
  stays: string
}

/**
 * Where runs keep their state, the first choice first: `$SHAKETABLE_STATE`, or else `$XDG_STATE_HOME/shaketable`, or else
 * `~/.local/state/shaketable`; and a folder of this user's in the system's temporary folder where that cannot be written.
 */
export function statePlaces(env: NodeJS.ProcessEnv): StatePlace[] {
  const user = process.getuid?.() ?? 'user'
  const temporary = { runs: join(tmpdir(), `shaketable-${user}`, 'runs'), stays: tmpdir() }
  return [preferred(env), temporary]
}

function preferred(env: NodeJS.ProcessEnv): StatePlace {
  if (env.SHAKETABLE_STATE) {
    return { runs: join(env.SHAKETABLE_STATE, 'runs'), stays: dirname(env.SHAKETABLE_STATE) }
  }
  if (env.XDG_STATE_HOME) {
    return { runs: join(env.XDG_STATE_HOME, 'shaketable', 'runs'), stays: env.XDG_STATE_HOME }
  }
  const home = env.HOME || homedir()
  return { runs: join(home, '.local', 'state', 'shaketable', 'runs'), stays: home }
}

/** Makes the folder of a new run in the first place that can be written. Rejects with the last place's reason. */
export async function makeRunFolder(env: NodeJS.ProcessEnv, runId: string): Promise<StatePlace & { dir: string }> {
  let reason: unknown
  for (const place of statePlaces(env)) {
    const dir = join(place.runs, runId)
    // Another run that ends at this moment may take the empty parents away under our hands.
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        await mkdir(place.runs, { recursive: true, mode: 0o700 })
        if (!(await isOwnFolder(place.runs))) break
        await mkdir(dir, { mode: 0o700 })
        return { ...place, dir }
      } catch (error) {
        reason = error
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') break
      }
    }
  }
  throw (
    reason ??
    new Error(
      `no folder for the state of a run: ${statePlaces(env)
        .map(({ runs }) => runs)
        .join(', ')}`,
    )
  )
}

/** The folders of all runs, of every place. Folders of other users are left out: what stands in them proves nothing. */
export async function runFolders(env: NodeJS.ProcessEnv): Promise<(StatePlace & { dir: string; runId: string })[]> {
  const found = []
  for (const place of statePlaces(env)) {
    if (!(await isOwnFolder(place.runs))) continue
    for (const runId of await readdir(place.runs).catch(() => [])) {
      const dir = join(place.runs, runId)
      if (await isOwnFolder(dir)) found.push({ ...place, dir, runId })
    }
  }
  return found
}

/** Removes the folders above a run's that are empty now, up to the one that stays. */
export async function removeEmptyParents(place: StatePlace): Promise<void> {
  for (let dir = place.runs; dir !== place.stays && dir !== dirname(dir); dir = dirname(dir)) {
    try {
      await rmdir(dir)
    } catch {
      return
    }
  }
}

async function isOwnFolder(path: string): Promise<boolean> {
  try {
    const seen = await lstat(path)
    return seen.isDirectory() && (process.getuid === undefined || seen.uid === process.getuid())
  } catch {
    return false
  }
}
