import type { SpanContext } from '@opentelemetry/api'
import { logMember } from '../names.ts'
import type { Family, Sample } from './exposition.ts'
import type { Exemplar } from './metric.ts'
import { defaultMaxSeries, overflowLabels } from './series.ts'

/** A histogram whose series are looked up once and then only incremented. */
export class Histogram {
  readonly name: string
  readonly help: string
  readonly boundaries: readonly number[]
  readonly #labelNames: readonly string[]
  readonly #maxSeries: number
  readonly #series = new Map<string, Series>()
  #overflow: Series | undefined

  constructor(
    name: string,
    help: string,
    labelNames: readonly string[],
    boundaries: readonly number[],
    maxSeries = defaultMaxSeries,
  ) {
    this.name = name
    this.help = help
    this.boundaries = boundaries
    this.#labelNames = labelNames
    this.#maxSeries = maxSeries
  }

  /** The series of these label values, in the order of the label names. */
  series(values: readonly string[]): Series {
    const key = values.join('\n')
    const found = this.#series.get(key)
    if (found) return found
    if (this.#series.size >= this.#maxSeries) {
      this.#overflow ??= new Series(overflowLabels, this.boundaries)
      return this.#overflow
    }
    const labels = Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] ?? '']))
    const made = new Series(labels, this.boundaries)
    this.#series.set(key, made)
    return made
  }

  family(): Family {
    const all = this.#overflow ? [...this.#series.values(), this.#overflow] : [...this.#series.values()]
    return { name: this.name, help: this.help, type: 'histogram', samples: all.flatMap(one => one.samples(this.name)) }
  }
}

export class Series {
  readonly #labels: Record<string, string>
  readonly #boundaries: readonly number[]
  readonly #counts: Float64Array
  /** The span of the last value in each bucket, the value, and when it was. */
  readonly #spans: (SpanContext | undefined)[]
  readonly #values: Float64Array
  readonly #times: Float64Array
  #sum = 0

  constructor(labels: Record<string, string>, boundaries: readonly number[]) {
    this.#labels = labels
    this.#boundaries = boundaries
    this.#counts = new Float64Array(boundaries.length + 1)
    this.#spans = new Array(boundaries.length + 1).fill(undefined)
    this.#values = new Float64Array(boundaries.length + 1)
    this.#times = new Float64Array(boundaries.length + 1)
  }

  /** Counts one value; a sampled span becomes the exemplar of its bucket, of `atMs` since the epoch. */
  record(value: number, span?: SpanContext, atMs?: number): void {
    let bucket = 0
    while (bucket < this.#boundaries.length && value > this.#boundaries[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sum += value
    if (!span) return
    this.#spans[bucket] = span
    this.#values[bucket] = value
    this.#times[bucket] = atMs ?? Date.now()
  }

  #exemplar(bucket: number): Exemplar | undefined {
    const span = this.#spans[bucket]
    if (!span) return undefined
    const labels = { [logMember.traceId]: span.traceId, [logMember.spanId]: span.spanId }
    return { labels, value: this.#values[bucket]!, timestamp: this.#times[bucket]! / 1000 }
  }

  samples(name: string): Sample[] {
    const samples: Sample[] = []
    let count = 0
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      count += this.#counts[bucket]!
      const boundary = this.#boundaries[bucket]
      const le = boundary === undefined ? '+Inf' : String(boundary)
      const exemplar = this.#exemplar(bucket)
      samples.push({ name: `${name}_bucket`, labels: { ...this.#labels, le }, value: count, exemplar })
    }
    samples.push({ name: `${name}_sum`, labels: this.#labels, value: this.#sum })
    samples.push({ name: `${name}_count`, labels: this.#labels, value: count })
    return samples
  }
}
