import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Whether server and load can have a core each: needs `taskset` and two cores. */
export const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['-p', String(process.pid)]).status === 0

/** The command that runs `command` on one core. */
export function onCore(core: number, command: string[]): string[] {
  return canPin ? ['taskset', '-c', String(core), ...command] : command
}

/** Moves this process, and what it starts later, to one core. */
export function moveToCore(core: number): void {
  if (canPin) spawnSync('taskset', ['-a', '-cp', String(core), String(process.pid)])
}
