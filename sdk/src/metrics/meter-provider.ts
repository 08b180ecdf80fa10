import { createRequire } from 'node:module'
import { createNoopMeter, type HrTime, type Meter, type MeterOptions, type MeterProvider } from '@opentelemetry/api'
import type * as SdkMetrics from '@opentelemetry/sdk-metrics'
import type { Notice } from '../notice.ts'
import type { Metric } from './metric.ts'

interface Loaded {
  provider: MeterProvider
  collect(): Promise<SdkMetrics.CollectionResult>
}

/**
 * The global meter provider: OpenTelemetry's own, which is loaded when the first meter is asked for, so that a service
 * without one does not pay for it.
 */
export class LazyMeterProvider implements MeterProvider {
  readonly #maxSeries: number
  readonly #notice: Notice
  #loaded: Loaded | undefined

  constructor(maxSeries: number, notice: Notice) {
    this.#maxSeries = maxSeries
    this.#notice = notice
  }

  getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    try {
      this.#loaded ??= load(this.#maxSeries)
      return this.#loaded.provider.getMeter(name, version, options)
    } catch (error) {
      this.#notice(`the meter ${name} measures nothing: ${String(error)}`)
      return createNoopMeter()
    }
  }

  /** What all instruments hold now; callbacks of observable ones run for it. */
  async collect(): Promise<Metric[]> {
    if (!this.#loaded) return []
    const { resourceMetrics, errors } = await this.#loaded.collect()
    for (const error of errors) this.#notice(`a metric's callback failed: ${String(error)}`)
    return resourceMetrics.scopeMetrics.flatMap(({ scope, metrics }) => metrics.flatMap(data => metricOf(scope, data)))
  }
}

function load(maxSeries: number): Loaded {
  const { MeterProvider, MetricReader } = createRequire(import.meta.url)(
    '@opentelemetry/sdk-metrics',
  ) as typeof SdkMetrics
  class Reader extends MetricReader {
    protected async onForceFlush(): Promise<void> {}
    protected async onShutdown(): Promise<void> {}
  }
  // OpenTelemetry counts the overflow series among them.
  const reader = new Reader({ cardinalitySelector: () => maxSeries + 1 })
  const provider = new MeterProvider({ readers: [reader] })
  return { provider, collect: () => reader.collect({ timeoutMillis: 5_000 }) }
}

/** Exponential histograms come only from views, which nobody can set here. */
function metricOf(scope: Metric['scope'], data: SdkMetrics.MetricData): Metric[] {
  const { name, description, unit } = data.descriptor
  const metric = { name, description, unit, scope }
  // DataPointType, which cannot be imported without loading the library.
  switch (data.dataPointType as number) {
    case 0: {
      const points = (data as SdkMetrics.HistogramMetricData).dataPoints.map(({ attributes, startTime, value }) => {
        const { boundaries, counts } = value.buckets
        return { attributes, startMs: ms(startTime), count: value.count, sum: value.sum, boundaries, counts }
      })
      return [{ ...metric, data: { type: 'histogram', points } }]
    }
    case 2:
    case 3: {
      const { dataPoints, isMonotonic } = data as SdkMetrics.SumMetricData
      const points = dataPoints.map(({ attributes, startTime, value }) => ({
        attributes,
        startMs: ms(startTime),
        value,
      }))
      const sum = (data.dataPointType as number) === 3
      return [{ ...metric, data: sum ? { type: 'sum', monotonic: isMonotonic, points } : { type: 'gauge', points } }]
    }
    default:
      return []
  }
}

function ms([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1e6
}
