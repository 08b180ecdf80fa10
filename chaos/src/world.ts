import { randomBytes } from 'node:crypto'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** Everything of the process and the machine that a command touches, passed in: tests hand in their own. */
export interface World {
  env: NodeJS.ProcessEnv
  cwd: string
  /** Results go here. */
  stdout: Writable & { isTTY?: boolean; columns?: number }
  /** Words for people go here. */
  stderr: Writable & { isTTY?: boolean; columns?: number }
  clock: Clock
  /** A fresh unsigned 32-bit seed, used where the user gives none. */
  freshSeed(): number
  /** Aborts with the name of the signal as its reason when the user or the system wants the process to end. */
  signal: AbortSignal
}

export interface Clock {
  /** Monotonic, in ms. */
  now(): number
  /** Wall time, in ms since the epoch. */
  wall(): number
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal ? { signal } : {}).catch(error => {
      throw signal?.aborted ? signal.reason : error
    })
  },
}

/** The world of a real process. `signal` comes from the caller, who owns the signal handlers. */
export function processWorld(signal: AbortSignal): World {
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock,
    freshSeed: () => randomBytes(4).readUInt32LE(),
    signal,
  }
}
