import type { Experiment } from '../experiment/model.ts'
import type { LoadSample } from '../load/load.ts'
import type { ExperimentReport, SuiteReport } from './model.ts'

/** What a run shows while it goes. Every method is optional and must be quick. */
export interface LiveView {
  /** Words for people: starting the system, waiting for readiness, checking an invariant. */
  note?(text: string): void
  experimentBegins?(experiment: { name: string; title: string; index: number; count: number; totalMs: number }): void
  /** The experiment itself, for those that tell more of it than a terminal does. */
  conducts?(experiment: Experiment): void
  /** What the load saw, as it comes. */
  samples?(samples: readonly LoadSample[]): void
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
  armedIds: string[]
  /** Objectives whose page is firing. */
  firing: string[]
}

/** Several views as one. */
export function viewsOf(views: readonly LiveView[]): Required<LiveView> {
  return {
    note: text => views.forEach(view => void view.note?.(text)),
    experimentBegins: experiment => views.forEach(view => void view.experimentBegins?.(experiment)),
    conducts: experiment => views.forEach(view => void view.conducts?.(experiment)),
    samples: samples => views.forEach(view => void view.samples?.(samples)),
    tick: state => views.forEach(view => void view.tick?.(state)),
    experimentEnds: report => views.forEach(view => void view.experimentEnds?.(report)),
    close: () => views.forEach(view => void view.close?.()),
  }
}

/** Turns a finished report into one file. */
export interface Reporter {
  /** e.g. `report.html`. */
  fileName: string
  render(report: SuiteReport): string
}
