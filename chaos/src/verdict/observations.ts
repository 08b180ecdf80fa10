import type { Experiment } from '../experiment/model.ts'
import type { LoadHealth, LoadSample } from '../load/load.ts'
import type { ObservedLogs } from '../observe/logs.ts'
import type { ReceivedTraces } from '../observe/trace-receiver.ts'
import type { InstanceEvent } from '../targets/target.ts'

/** Everything that a run saw, before anyone has judged it. All times are on the runner's monotonic clock, in ms. */
export interface Observations {
  experiment: Experiment
  /** The file it came from, as the user gave it. */
  file: string
  seed: number
  startedAtWall: number
  /** `undefined` where the run was aborted before the phase began. */
  phases: { baseline: Span; fault: Span | undefined; recovery: Span | undefined }
  /** The look by which the verdict was sure, so that the fault phase was ended; undefined: it lasted as planned. */
  endedAtLook?: number | undefined
  samples: LoadSample[]
  load: { journey: string; ratePerSecond: number; health: LoadHealth }[]
  faults: ObservedFault[]
  instanceEvents: InstanceEvent[]
  alerts: AlertTransition[]
  /** Who said so; undefined: our own evaluation. */
  alertEngine?: 'prometheus' | 'alertmanager' | undefined
  /** Why that one could not be asked. */
  alertTrouble?: string | undefined
  /** Per objective name: what the service's own counters say of fault and recovery; undefined: not to be read. */
  counters: Record<string, ObservedCounters | undefined>
  /** What the services exported and logged; undefined: nobody listened. */
  traces?: ReceivedTraces | undefined
  logs?: ObservedLogs | undefined
  /** `host:port` -> service. */
  addresses?: ReadonlyMap<string, string>
  /** The most by which the wall clock left the monotonic one while the run lasted, in ms. */
  clockJumpMs?: number
  invariants: { name: string; holds: boolean; detail: string; names?: string[] }[]
  /** The guard's condition that came true while faults were armed or after them, and ended the run. */
  breach: { at: number; reason: string } | undefined
  /** Why the conductor ended the run before its time (Ctrl-C, an instance that would not start), if it did. */
  aborted: string | undefined
}

export interface Span {
  start: number
  end: number
}

export interface ObservedFault {
  id: string
  description: string
  instances: string[]
  armedAt: number | undefined
  undoneAt: number | undefined
  seen: number
  hit: number
  /** How many should have been hit, where the percentage changed while the fault was armed. */
  expected?: number
}

/** A burn-rate alert of an objective changing state, by the embedded evaluator. */
export interface AlertTransition {
  at: number
  objective: string
  severity: 'page' | 'ticket'
  /** e.g. `5m/1h`. */
  window: string
  state: 'firing' | 'resolved'
}

export interface ObservedCounters {
  good: number
  total: number
  /** An instance of the service died in this time, which takes its counts with it. */
  instanceLost: boolean
}
