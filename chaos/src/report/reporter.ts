import type { ExperimentReport, SuiteReport } from './model.ts'

/** What a run shows while it goes. Every method is optional and must be quick. */
export interface LiveView {
  /** Words for people: starting the system, waiting for readiness, checking an invariant. */
  note?(text: string): void
  experimentBegins?(experiment: { name: string; title: string; index: number; count: number; totalMs: number }): void
  /** About four times a second. */
  tick?(state: LiveState): void
  experimentEnds?(report: ExperimentReport): void
  /** Restores the terminal. */
  close?(): void
}

export interface LiveState {
  phase: 'baseline' | 'fault' | 'recovery'
  elapsedMs: number
  phaseEndsInMs: number
  /** Over the last second. */
  requestsPerSecond: number
  p99Ms: number | null
  errorRatio: number
  /** `describe()` of every armed fault. */
  armed: string[]
  /** Objectives whose page is firing. */
  firing: string[]
}

/** Turns a finished report into one file. */
export interface Reporter {
  /** e.g. `report.html`. */
  fileName: string
  render(report: SuiteReport): string
}
