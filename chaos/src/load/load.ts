import type { Journey } from '../experiment/model.ts'

/** Open-loop load: arrivals at a constant rate, whatever the system does; latency counts from the intended start. */
export interface LoadPlan {
  journey: Journey
  ratePerSecond: number
  /** A step that has not answered by then counts as failed, with this as its latency. */
  timeoutMs: number
  /** Base URLs by service name; arrivals go round robin. */
  urls: Record<string, string[]>
}

/** One step of one arrival, as the client saw it. */
export interface LoadSample {
  /** Intended start, ms on the runner's monotonic clock. */
  at: number
  /** From the intended start (first step) or the end of the step before, to the whole answer, in ms. */
  latencyMs: number
  journey: string
  /** Index into the journey's steps. */
  step: number
  /** 0: no answer. */
  status: number
  /** e.g. `timeout`, `ECONNRESET`; undefined when there was an answer. */
  error: string | undefined
  /** The status was one of the expected ones. */
  ok: boolean
}

/** How well the generator itself did: the run is void when it was late. */
export interface LoadHealth {
  planned: number
  started: number
  /** Actual minus intended start, in ms. */
  latenessP99Ms: number
  latenessMaxMs: number
  /** Arrivals that could not start because too many were in flight. */
  dropped: number
  greatestInFlight: number
}

/** Of all journeys together (counts add up, the lateness is the worst), and of each. */
export interface LoadHealths extends LoadHealth {
  /** How much of one core the load process took: near 1 it can do no more. */
  cpuShare: number
  byJourney: Record<string, LoadHealth>
}

/** A running load. Samples arrive in batches, at most 250 ms after their answer. */
export interface RunningLoad {
  onSamples(listener: (samples: LoadSample[]) => void): void
  /** Stops arrivals, waits for what is in flight (at most the timeout), and reports. */
  stop(): Promise<LoadHealths>
}
