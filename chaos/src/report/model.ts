/**
 * What a run found out, whole: what `report.json` holds and every reporter reads. Times are ms from the start of the
 * experiment unless a name says otherwise; ratios are in [0, 1].
 */
export interface SuiteReport {
  apiVersion: 'shaketable.dev/v1alpha1'
  kind: 'Report'
  shaketable: string
  startedAt: string
  durationMs: number
  seed: number
  system: string
  /** Environment given on the command line (`--env`), e.g. `{ RESILIENCE: 'off' }`. */
  env: Record<string, string>
  verdict: Verdict
  exitCode: number
  experiments: ExperimentReport[]
}

/** `pass`, `fail`; `inconclusive`: too little was seen to tell; `void`: the measurement itself was not sound. */
export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'void'

export interface ExperimentReport {
  name: string
  title: string
  file: string
  seed: number
  verdict: Verdict
  /** Why, in plain sentences: every expectation that failed, was inconclusive, or made the run void. */
  reasons: string[]
  /** What else is worth a sentence, whatever the verdict: that the run was shorter than planned, how the system came out of it. */
  notes: string[]
  /** Why earlier measurements of it were void and thrown away (`--attempts`), oldest first. */
  discarded: string[][]
  startedAt: string
  phases: { name: 'baseline' | 'fault' | 'recovery'; startMs: number; endMs: number }[]
  /** Of a fault phase that was over once the verdict was sure; null: it lasted as planned. */
  endedEarly: EndedEarlyReport | null
  /** How the system came out of its faults; null: there were none, or the run was ended before that. */
  aftermath: AftermathReport | null
  faults: FaultReport[]
  objectives: ObjectiveReport[]
  expectations: ExpectationReport[]
  /** null: none came, or none was waited for. */
  traces: TracesReport | null
  timeline: TimelineEvent[]
  /** ms after the fault phase began; null: not within the run. */
  timeToFirstErrorMs: number | null
  timeToDetectMs: number | null
  /** When the rules must page by their formula, at the error ratio that was seen; null: never. */
  timeToDetectPredictedMs: number | null
  /** ms after the fault phase ended; null: not within the run. */
  timeToRecoverMs: number | null
  load: LoadReport[]
  /** What the load saw of each journey in each phase. */
  phaseLoads: PhaseLoadReport[]
  /** What the fault did to each journey, against the baseline. */
  effects: EffectReport[]
  /** One point a bin, oldest first, for the plots. */
  series: SeriesPoint[]
}

export interface AftermathReport {
  /**
   * `slower`: the objectives hold again, and the median is not back; `clearing`: bad, and getting better; `metastable`: bad for
   * good, although nothing is wrong any more; `down`: an instance has not come back; `unknown`: too little was seen.
   */
  state: 'recovered' | 'slower' | 'clearing' | 'metastable' | 'down' | 'unknown'
  /** The same in a sentence, with its figures. */
  text: string
}

export interface EndedEarlyReport {
  /** The look by which it was sure, of so many. */
  look: number
  looks: number
  plannedMs: number
  usedMs: number
}

export interface ObjectiveReport {
  name: string
  title: string
  service: string
  /** The target that was judged: `atLeast` where the experiment gives one. */
  target: number
  /** The objective's own target. */
  objectiveTarget: number
  good: number
  total: number
  ratio: number
  /** 95 % confidence, widened for clustered errors, and for the looks of a run that may end early. */
  interval: [low: number, high: number]
  verdict: Verdict
  /** `hold`: judged; `observed`: measured only. */
  judged: boolean
  /** Of the error budget of the objective's own window at this run's rate of requests: the share that the run spent. */
  budgetSpent: number
  /** What the service's own counters say of the same requests, where they could be read. */
  counters: { good: number; total: number } | null
}

export interface ExpectationReport {
  /** e.g. `recovery within 5 s`, `no alert`, `invariant books-balance`. */
  name: string
  verdict: Verdict
  /** What was seen. */
  detail: string
  /** Services that it names as the ones to look at, the worst first. */
  names: string[]
}

/** What the traces of a run tell. */
export interface TracesReport {
  traces: number
  /** Of all that came, the share that was kept. */
  keptShare: number
  /** By the harm that they did of their own while the fault lasted, the worst first. */
  edges: EdgeReport[]
  /** A typical request that the fault made bad, and one of the same kind without it. */
  struck: TraceExample | null
  healthy: TraceExample | null
}

export interface EdgeReport {
  /** '' for calls from outside. */
  from: string
  to: string
  /** ms a request, over what it does without the fault. */
  harmMs: number
  /** Errors that began here. */
  errors: number
  callsPerRequest: { baseline: number; fault: number }
  /** How many times as many calls a request took on the way to its answer; null: too few to tell. */
  amplification: number | null
  /** The share of resamples in which it came first. */
  confidence: number
}

export interface TraceExample {
  traceId: string
  /** When it began, in ms from the start of the experiment. */
  atMs: number
  spans: TraceExampleSpan[]
  /** Spans that are not shown. */
  left: number
  logs: { instance: string; text: string }[]
}

export interface TraceExampleSpan {
  service: string
  instance: string
  name: string
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  /** How far below the first it hangs. */
  depth: number
  /** From the start of the first. */
  startMs: number
  durationMs: number
  error: string | null
  faultId: string | null
}

export interface FaultReport {
  id: string
  kind: string
  service: string
  /** One line for people. */
  description: string
  instances: string[]
  /** When it was armed and undone; null: never. */
  armedMs: number | null
  undoneMs: number | null
  seen: number
  hit: number
  percent: number | null
}

export interface TimelineEvent {
  atMs: number
  kind: 'phase' | 'fault' | 'instance' | 'alert' | 'error' | 'recovery' | 'note'
  /** The service, instance, fault or objective it is about. */
  subject: string
  /**
   * For people, with a word that the plots read: an instance `exited` or was `frozen`, is `ready` or `resumed`; an alert is
   * `firing` or `resolved`. E.g. `exited: SIGKILL`, `page 5m/1h firing`.
   */
  text: string
}

export interface LoadReport {
  journey: string
  ratePerSecond: number
  planned: number
  started: number
  answered: number
  failed: number
  dropped: number
  latenessP99Ms: number
  /** Over the whole run. */
  latencyMs: { p50: number; p90: number; p99: number; max: number }
}

export interface PhaseLoadReport {
  journey: string
  phase: 'baseline' | 'fault' | 'recovery'
  requests: number
  failedRatio: number
  /** 95 %, as all of these. */
  failedInterval: [low: number, high: number]
  /** null: there was no request. */
  p50: QuantileReport | null
  p90: QuantileReport | null
  p99: QuantileReport | null
}

export interface QuantileReport {
  ms: number
  /** null: too few took longer to tell. */
  interval: [low: number, high: number | null]
}

/** Differences, the fault phase's number minus the baseline's. */
export interface EffectReport {
  journey: string
  failedRatio: number
  failedInterval: [low: number | null, high: number | null]
  p50Ms: number
  p50Interval: [low: number | null, high: number | null]
  /** How often a request of the fault phase took longer than one of the baseline: 0.5 where nothing changed. */
  slower: number | null
}

export interface SeriesPoint {
  /** The start of the bin, and its width. */
  atMs: number
  widthMs: number
  requests: number
  errors: number
  p50Ms: number | null
  p90Ms: number | null
  p99Ms: number | null
  /** Per objective: the burn rate over the bin. */
  burn: Record<string, number>
}
