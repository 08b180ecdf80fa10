import type { Clock } from '../../world.ts'
import { signalProcess } from './process-table.ts'
import { type RunProcesses, rootsOf } from './run-processes.ts'

const pollMs = 50
/** A process forked but not yet executed bears no mark: two looks this far apart must both find nothing. */
const secondLookMs = 150

/** How long each kind of asking may take, in ms. */
export interface Graces {
  sigterm: number
  sigint: number
  sigkill: number
}

/**
 * Ends every process of a run and proves it. Stopped ones are resumed first. The roots get SIGTERM, for they know how to
 * end their children; then SIGINT, by which a PostgreSQL whose parent is dead still shuts down without leaving its shared
 * memory; then all get SIGKILL. Returns what was done and which pids are left (none, unless the kernel or another user
 * holds them).
 */
export async function endProcesses(
  processes: RunProcesses,
  clock: Clock,
  graces: Graces,
): Promise<{ resumed: number[]; ended: number[]; left: number[] }> {
  const resumed = new Set<number>()
  const found = new Set<number>()

  const look = () => {
    const alive = processes.look()
    for (const seen of alive) {
      found.add(seen.pid)
      if (seen.stopped && trySignal(seen, 'SIGCONT')) resumed.add(seen.pid)
    }
    return alive
  }

  const goneWithin = async (ms: number, ask: (alive: ReturnType<typeof look>) => void): Promise<boolean> => {
    for (const until = clock.now() + ms; ; ) {
      const alive = look()
      if (alive.length === 0) {
        await clock.sleep(secondLookMs)
        if (look().length === 0) return true
        continue
      }
      if (clock.now() >= until) return false
      ask(alive)
      await clock.sleep(pollMs)
    }
  }

  for (const [signal, ms] of [
    ['SIGTERM', graces.sigterm],
    ['SIGINT', graces.sigint],
    ['SIGKILL', graces.sigkill],
  ] as const) {
    const asked = new Set<string>()
    const gone = await goneWithin(ms, alive => {
      for (const seen of signal === 'SIGKILL' ? alive : rootsOf(alive)) {
        const key = `${seen.pid} ${seen.startTime}`
        if (!asked.has(key)) trySignal(seen, signal)
        asked.add(key)
      }
    })
    if (gone) break
  }
  const left = look().map(({ pid }) => pid)
  return { resumed: [...resumed], ended: [...found].filter(pid => !left.includes(pid)), left }
}

/** Another user's process (EPERM) is not ours to end; it shows in `left`. */
function trySignal(seen: { pid: number; startTime: string }, signal: NodeJS.Signals): boolean {
  try {
    return signalProcess(seen, signal)
  } catch {
    return false
  }
}
