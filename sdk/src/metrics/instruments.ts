import { type MetricOptions, metrics } from '@opentelemetry/api'

export interface InstrumentOptions<Label extends string> {
  description?: string
  /** In UCUM: `s`, `By`, `{order}`. It becomes a part of the metric's name on `/metrics`. */
  unit?: string
  /** Every label of the metric. The compiler refuses others, and a value that lacks one. */
  labels?: readonly Label[]
}

export interface HistogramOptions<Label extends string> extends InstrumentOptions<Label> {
  /** The upper bounds of the buckets, rising, in the metric's unit. */
  boundaries?: number[]
}

/** What stands behind a value: nothing where the metric has no labels, else every one of them. */
export type LabelValues<Label extends string> = [Label] extends [never]
  ? []
  : [labels: Readonly<Record<Label, string | number | boolean>>]

export interface Counter<Label extends string> {
  /** `value` must not be negative. */
  add(value: number, ...labels: LabelValues<Label>): void
}

export interface Gauge<Label extends string> {
  record(value: number, ...labels: LabelValues<Label>): void
}

export interface Histogram<Label extends string> {
  record(value: number, ...labels: LabelValues<Label>): void
}

const meter = () => metrics.getMeter('app')

/**
 * Counts what happens, in its `unit`. It is measured through `@opentelemetry/api`, in the scope `app`, once the SDK runs; without it
 * nothing happens. Never throws; a negative value is not counted.
 *
 * ```ts
 * const orders = counter('shop.orders', { unit: '{order}', labels: ['kind'] })
 * orders.add(1, { kind: 'gift' })
 * ```
 */
export function counter<const Label extends string = never>(
  name: string,
  options: InstrumentOptions<Label> = {},
): Counter<Label> {
  const instrument = whenUsed(() => meter().createCounter(name, described(options)))
  return { add: (value, ...[labels]) => instrument().add(value, labels) }
}

/**
 * Records what a value is now, in its `unit`; the last one counts. Measured as a `counter` is.
 *
 * ```ts
 * gauge('shop.queue.depth', { unit: '{order}' }).record(3)
 * ```
 */
export function gauge<const Label extends string = never>(
  name: string,
  options: InstrumentOptions<Label> = {},
): Gauge<Label> {
  const instrument = whenUsed(() => meter().createGauge(name, described(options)))
  return { record: (value, ...[labels]) => instrument().record(value, labels) }
}

/**
 * Records how values are distributed, in its `unit`; durations are in seconds (`s`). Measured as a `counter` is. Without `boundaries`
 * they are OpenTelemetry's: 0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500 and 10000.
 *
 * ```ts
 * const packing = histogram('shop.packing.duration', { unit: 's', boundaries: [0.1, 1, 10], labels: ['kind'] })
 * packing.record(0.25, { kind: 'gift' })
 * ```
 */
export function histogram<const Label extends string = never>(
  name: string,
  options: HistogramOptions<Label> = {},
): Histogram<Label> {
  const { boundaries } = options
  const advice = boundaries ? { advice: { explicitBucketBoundaries: boundaries } } : {}
  const instrument = whenUsed(() => meter().createHistogram(name, { ...described(options), ...advice }))
  return { record: (value, ...[labels]) => instrument().record(value, labels) }
}

/** Made at the first value: a metric may be defined before `start` has registered its meters. */
function whenUsed<Instrument>(make: () => Instrument): () => Instrument {
  let made: Instrument | undefined
  return () => (made ??= make())
}

function described({ description, unit }: InstrumentOptions<string>): MetricOptions {
  return { ...(description && { description }), ...(unit && { unit }) }
}
