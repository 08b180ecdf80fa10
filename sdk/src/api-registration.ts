import {
  context,
  DiagLogLevel,
  diag,
  metrics,
  propagation,
  type TextMapPropagator,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { SharedContextManager } from './context.ts'
import { LazyMeterProvider } from './metrics/meter-provider.ts'
import type { Notice } from './notice.ts'
import type { Options } from './options.ts'

/** What OpenTelemetry's own packages have to say is not said unless it is asked for, and never on stdout. */
export function listenToDiagnostics({ logLevel }: Options, notice: Notice): void {
  if (logLevel === undefined || logLevel === 'none') return
  const say = (message: string) => notice(`OpenTelemetry: ${message}`)
  const level = DiagLogLevel[logLevel.toUpperCase() as keyof typeof DiagLogLevel]
  diag.setLogger(
    { error: say, warn: say, info: say, debug: say, verbose: say },
    { logLevel: level, suppressOverrideMessage: true },
  )
}

/** Whether the API gives its spans to us. */
export function registerApi(provider: TracerProvider, propagator: TextMapPropagator, notice: Notice): boolean {
  const registered = [
    context.setGlobalContextManager(new SharedContextManager()),
    propagation.setGlobalPropagator(propagator),
    trace.setGlobalTracerProvider(provider),
  ]
  if (!registered.every(Boolean)) {
    notice('another OpenTelemetry SDK is registered in this process; spans made through the API go to that one')
  }
  return registered.every(Boolean)
}

/** Undefined where no metrics are wanted, or another SDK has them. */
export function registerMeters(options: Options, notice: Notice): LazyMeterProvider | undefined {
  if (options.metricsExporters.length === 0) return undefined
  const meters = new LazyMeterProvider(options.maxSeries, notice)
  if (metrics.setGlobalMeterProvider(meters)) return meters
  notice('another OpenTelemetry SDK has registered its meters in this process; what they measure goes to that one')
  return undefined
}
