import { createRequire } from 'node:module'
import type { Logger, LoggerOptions } from 'pino'
import type { ReadinessCheck } from './admin/readiness.ts'
import { type Handle, runningSdk } from './running.ts'
import type { StartOptions } from './start.ts'

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
export type { Options } from './options.ts'
export type { OtlpOptions, OtlpTls } from './otlp/options.ts'
export type { SpanExporter } from './otlp/own-exporter.ts'
export { type Handle, runningSdk } from './running.ts'
export type { StartOptions } from './start.ts'
export type { SpanProcessor } from './traces/pipeline.ts'
export type { Sampler } from './traces/sampler.ts'

/**
 * Starts the SDK, once in a process: a second call returns the first one's handle. Start it before the libraries that it
 * instruments are loaded (`--import @shaketable/sdk/register` does). What cannot be done is said on stderr.
 */
export async function start(given: StartOptions = {}): Promise<Handle> {
  // Loaded only now: a service that is started with the SDK switched off does not pay for what it imports from here.
  const sdk = await import('./start.ts')
  return sdk.start(given)
}

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
