import type { Attributes } from '@opentelemetry/api'
import { label, otelAttribute, otelMetric } from '../names.ts'
import type { Family, Sample } from './exposition.ts'
import type { HistogramPoint, Metric, NumberPoint } from './metric.ts'

/** The families of one process or thread. */
export interface MemberFamilies {
  /** The value of the label that tells the members' gauges apart. */
  name: string
  families: readonly Family[]
}

/**
 * The metrics of several processes or threads as one's: what only adds up (counters, histograms, up-down counters) is
 * added; of anything else each member keeps its own, under a label where several have it.
 */
export function merge(members: readonly MemberFamilies[]): Family[] {
  const merged = new Map<string, Merging>()
  const holders = new Map<string, number>()
  for (const { name } of members.flatMap(({ families }) => families)) holders.set(name, (holders.get(name) ?? 0) + 1)
  for (const { name, families } of members) {
    for (const family of families) {
      let merging = merged.get(family.name)
      if (!merging) {
        merging = new Merging(family, holders.get(family.name) === 1)
        merged.set(family.name, merging)
      }
      if (merging.family.type === family.type) merging.add(family, name)
    }
  }
  return [...merged.values()].map(({ family }) => family)
}

/** Only what goes on counting when the member that has counted it is gone. */
export function counted(families: readonly Family[]): Family[] {
  return families.flatMap(family => {
    const measured = family.measured?.filter(({ data }) => data.type === 'histogram' || isCounter(data))
    if (family.type !== 'counter' && family.type !== 'histogram') return []
    return [measured ? { ...family, measured } : family]
  })
}

class Merging {
  readonly family: Family
  readonly #adds: boolean
  readonly #alone: boolean
  readonly #samples = new Map<string, Sample>()
  readonly #metrics = new Map<string, Metric>()
  readonly #points = new Map<string, NumberPoint | HistogramPoint>()

  constructor(first: Family, alone: boolean) {
    this.#alone = alone
    this.family = { ...first, samples: [] }
    this.#adds =
      first.type === 'counter' ||
      first.type === 'histogram' ||
      otelMetric[first.name]?.upDown === true ||
      (first.measured?.every(({ data }) => data.type === 'sum') ?? false)
    if (first.measured) this.family.measured = []
  }

  add({ samples, measured = [] }: Family, member: string): void {
    for (const sample of samples) this.#addSample(sample, member)
    for (const metric of measured) this.#addMetric(metric, member)
  }

  #addSample(sample: Sample, member: string): void {
    if (!this.#adds) {
      this.family.samples.push(this.#alone ? sample : { ...sample, labels: named(sample.labels, label.member, member) })
      return
    }
    const key = sample.name + JSON.stringify(sample.labels)
    const found = this.#samples.get(key)
    if (!found) {
      const own = { ...sample }
      this.#samples.set(key, own)
      this.family.samples.push(own)
      return
    }
    found.value += sample.value
    if ((sample.exemplar?.timestamp ?? 0) > (found.exemplar?.timestamp ?? 0)) found.exemplar = sample.exemplar
  }

  #addMetric(metric: Metric, member: string): void {
    const { name, scope, data } = metric
    const key = JSON.stringify([name, scope.name, scope.version, data.type])
    let target = this.#metrics.get(key)
    if (!target) {
      target = { ...metric, data: { ...data, points: [] } as Metric['data'] }
      this.#metrics.set(key, target)
      this.family.measured!.push(target)
    }
    for (const point of data.points) this.#addPoint(key, target, point as NumberPoint & HistogramPoint, member)
  }

  #addPoint(metricKey: string, { data }: Metric, point: NumberPoint & HistogramPoint, member: string): void {
    const points = data.points as unknown[]
    if (data.type === 'gauge' || data.type === 'summary') {
      const key = otelAttribute[label.member]!
      points.push(this.#alone ? point : { ...point, attributes: named(point.attributes, key, member) })
      return
    }
    const key = metricKey + JSON.stringify(sorted(point.attributes)) + (point.boundaries?.join() ?? '')
    const found = this.#points.get(key) as (NumberPoint & HistogramPoint) | undefined
    if (!found) {
      const own = { ...point, ...(point.counts && { counts: [...point.counts] }) }
      this.#points.set(key, own)
      points.push(own)
      return
    }
    if (point.startMs !== undefined && point.startMs < (found.startMs ?? Number.POSITIVE_INFINITY)) {
      found.startMs = point.startMs
    }
    if (data.type === 'sum') found.value += point.value
    else {
      found.count += point.count
      if (found.sum !== undefined) found.sum += point.sum ?? 0
      for (const [at, inBucket] of point.counts.entries()) found.counts[at]! += inBucket
    }
  }
}

/** A thread of a worker has the names of both. */
function named<Labels extends object>(labels: Labels, key: string, member: string): Labels {
  const within = (labels as Record<string, unknown>)[key]
  return { ...labels, [key]: within === undefined ? member : `${member} ${within}` }
}

function isCounter(data: Metric['data']): boolean {
  return data.type === 'sum' && data.monotonic
}

function sorted(attributes: Attributes): [string, unknown][] {
  return Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
}
