import type { Family } from './exposition.ts'
import { defaultMaxSeries, overflowLabels } from './series.ts'

/** A counter or gauge with labels, small enough to need no library. */
export class Tally {
  readonly #name: string
  readonly #help: string
  readonly #type: 'counter' | 'gauge'
  readonly #labelNames: readonly string[]
  readonly #maxSeries: number
  readonly #values = new Map<string, { labels: Record<string, string>; value: number }>()

  constructor(
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    labelNames: readonly string[],
    maxSeries = defaultMaxSeries,
  ) {
    this.#type = type
    this.#name = name
    this.#help = help
    this.#labelNames = labelNames
    this.#maxSeries = maxSeries
  }

  add(amount: number, ...values: string[]): void {
    this.entry(...values).value += amount
  }

  /** What these label values count into: to be kept where they come with every request. */
  entry(...values: string[]): { value: number } {
    const known = values.join('\n')
    const full = this.#values.size >= this.#maxSeries && !this.#values.has(known)
    const key = full ? 'overflow' : known
    let entry = this.#values.get(key)
    if (!entry) {
      const labels = Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] ?? '']))
      entry = { labels: full ? overflowLabels : labels, value: 0 }
      this.#values.set(key, entry)
    }
    return entry
  }

  family(): Family {
    const samples = [...this.#values.values()].map(({ labels, value }) => ({ name: this.#name, labels, value }))
    return { name: this.#name, help: this.#help, type: this.#type, samples }
  }
}
