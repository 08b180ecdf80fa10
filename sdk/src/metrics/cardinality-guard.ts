import type { Notice } from '../notice.ts'
import type { Family, Sample } from './exposition.ts'
import { type LabelledSeries, overflowLabel, overflowLabels, seriesOf } from './series.ts'

/**
 * Bounds the series of one metric. Our own metrics and the Meter API's are bounded where they are counted; prom-client's
 * are not, so that what they have beyond the bound is folded here. That a metric overflows is said once.
 */
export class CardinalityGuard {
  readonly #maxSeries: number
  readonly #notice: Notice
  readonly #named = new Set<string>()

  constructor(maxSeries: number, notice: Notice) {
    this.#maxSeries = maxSeries
    this.#notice = notice
  }

  bound(family: Family): Family {
    if (countSeries(family) <= this.#maxSeries) return family
    const folded = family.samples.some(({ labels }) => overflowLabel in labels)
    if (folded && this.#named.has(family.name)) return family
    const all = seriesOf(family)
    this.#warn(family.name, all)
    if (folded) return family
    const kept = all.slice(0, this.#maxSeries).flatMap(series => series.samples)
    return { ...family, samples: kept.concat(fold(family, all.slice(this.#maxSeries))) }
  }

  #warn(name: string, all: readonly LabelledSeries[]): void {
    if (this.#named.has(name)) return
    this.#named.add(name)
    const { label, values } = widest(all)
    this.#notice(
      `the metric ${name} has more than ${this.#maxSeries} series: its label ${label} has ${values} values; new ones are counted together under ${overflowLabel}="true"`,
    )
  }
}

function countSeries({ type, name, samples }: Family): number {
  if (type !== 'histogram' && type !== 'summary') return samples.length
  return samples.reduce((sum, sample) => (sample.name === `${name}_count` ? sum + 1 : sum), 0)
}

/** The label with the most values. */
function widest(all: readonly LabelledSeries[]): { label: string; values: number } {
  const seen = new Map<string, Set<unknown>>()
  for (const { labels } of all) {
    for (const [label, value] of Object.entries(labels)) {
      if (label === overflowLabel) continue
      const values = seen.get(label)
      if (values) values.add(value)
      else seen.set(label, new Set([value]))
    }
  }
  return [...seen]
    .map(([label, values]) => ({ label, values: values.size }))
    .reduce((most, one) => (one.values > most.values ? one : most), { label: 'none', values: 0 })
}

/** Counts add up; of gauges the last one stands; quantiles cannot be merged and are left out. */
function fold({ type }: Family, beyond: readonly LabelledSeries[]): Sample[] {
  const folded = new Map<string, Sample>()
  for (const { name, labels, value } of beyond.flatMap(series => series.samples)) {
    if (type === 'summary' && 'quantile' in labels) continue
    const into = folded.get(`${name} ${labels.le}`)
    const added = into && type !== 'gauge' && type !== 'unknown' ? into.value + value : value
    const bucket = type === 'histogram' && labels.le !== undefined ? { le: labels.le } : {}
    folded.set(`${name} ${labels.le}`, { name, labels: { ...overflowLabels, ...bucket }, value: added })
  }
  return [...folded.values()]
}
