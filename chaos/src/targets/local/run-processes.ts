import { environmentOf, type ProcessIdentity, type SeenProcess, seeProcesses } from './process-table.ts'

/** The environment variable that marks every process of a run, and so its descendants too. */
export const runVariable = 'SHAKETABLE_RUN'

/**
 * All living processes of one run, found anew at every `look`: those that carry its mark, those in the process groups and
 * sessions of its recorded leaders, and their descendants. What was found once is remembered until it is dead, so that a
 * process which lost its parent and its mark does not slip away.
 */
export class RunProcesses {
  readonly #mark: string
  readonly #leaders: Map<number, ProcessIdentity>
  #known: ProcessIdentity[] = []

  constructor(runId: string, leaders: ProcessIdentity[]) {
    this.#mark = `${runVariable}=${runId}`
    this.#leaders = new Map(leaders.map(leader => [leader.pid, leader]))
  }

  look(): SeenProcess[] {
    const all = new Map(seeProcesses().map(seen => [seen.pid, seen]))
    all.delete(process.pid)
    const ours = new Map<number, SeenProcess>()
    for (const { pid, startTime } of this.#known) {
      const seen = all.get(pid)
      if (seen?.startTime === startTime) ours.set(pid, seen)
    }
    for (const seen of all.values()) if (this.#belongs(seen, all)) ours.set(seen.pid, seen)
    addDescendants(ours, all)
    const alive = [...ours.values()].filter(seen => !seen.zombie)
    this.#known = alive
    return alive
  }

  #belongs(seen: SeenProcess, all: Map<number, SeenProcess>): boolean {
    if (seen.zombie) return false
    const environment = environmentOf(seen.pid)
    if (environment?.includes(this.#mark)) return true
    const leader = this.#leaders.get(seen.pgid) ?? this.#leaders.get(seen.sid)
    if (!leader) return false
    // The kernel gives no pid away while a group bears its number. But the group may have died out and the number begun
    // another life: then its leader is another one, or its members carry an environment without our mark.
    const leaderNow = all.get(leader.pid)
    return leaderNow ? leaderNow.startTime === leader.startTime : environment?.length === 0
  }
}

/** Those whose parent is not of the run: the ones to ask first, for they know how to end their own children. */
export function rootsOf(processes: SeenProcess[]): SeenProcess[] {
  const pids = new Set(processes.map(({ pid }) => pid))
  return processes.filter(({ ppid }) => !pids.has(ppid))
}

function addDescendants(ours: Map<number, SeenProcess>, all: Map<number, SeenProcess>): void {
  for (let grew = true; grew; ) {
    grew = false
    for (const seen of all.values()) {
      if (ours.has(seen.pid) || !ours.has(seen.ppid)) continue
      ours.set(seen.pid, seen)
      grew = true
    }
  }
}
