import { createRequire } from 'node:module'
import type { Logger, LoggerOptions } from 'pino'
import type { ReadinessCheck } from './admin/readiness.ts'
import { runningSdk } from './start.ts'

export type { ReadinessCheck } from './admin/readiness.ts'
export type { Environment } from './environment.ts'
export { setRoute } from './http/route.ts'
export {
  type Counter,
  counter,
  type Gauge,
  gauge,
  type Histogram,
  type HistogramOptions,
  histogram,
  type InstrumentOptions,
  type LabelValues,
} from './metrics/instruments.ts'
export type { Options, OtlpOptions, OtlpTls } from './options.ts'
export { type Handle, runningSdk, type StartOptions, start } from './start.ts'
export type { SpanExporter } from './traces/destinations.ts'
export type { SpanProcessor } from './traces/pipeline.ts'
export type { Sampler } from './traces/sampler.ts'

/** Not loaded with this module: a pino that is there before `start` would not be instrumented, the app's own included. */
const require = createRequire(import.meta.url)

/**
 * A pino logger; like every pino logger of a process that runs the SDK, its lines carry `trace_id` and `span_id`.
 *
 * ```ts
 * const log = logger({ name: 'orders' })
 * log.info({ orderId }, 'order placed')
 * ```
 */
export function logger(options: LoggerOptions = {}): Logger {
  const { pino } = require('pino') as typeof import('pino')
  return pino(options)
}

/**
 * `/readyz` answers 503 while `check` returns false, throws, or takes longer than 1 s. Returns what takes the check away;
 * does nothing when the SDK is not running.
 */
export function addReadinessCheck(name: string, check: ReadinessCheck): () => void {
  return runningSdk()?.addReadinessCheck(name, check) ?? (() => {})
}
