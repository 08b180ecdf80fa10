import type { LoadHealths, LoadPlan } from './load.ts'
import type { SampleBatch } from './sample-batch.ts'

/** What the runner tells its load process, over IPC. */
export type ToWorker =
  /** `clockOffsetMs`: to be added to the machine's monotonic clock (`process.hrtime`) to get the runner's. */
  { type: 'start'; plans: LoadPlan[]; clockOffsetMs: number } | { type: 'stop' }

/** What the load process tells the runner. */
export type FromWorker =
  | { type: 'running' }
  /** A plan that cannot be run, or a setup that failed, in words. */
  | { type: 'refused'; reason: string }
  | { type: 'samples'; samples: SampleBatch }
  | { type: 'done'; health: LoadHealths }

/** The machine's monotonic clock, in ms: the same for every process on it (CLOCK_MONOTONIC and its like). */
export function machineClock(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
