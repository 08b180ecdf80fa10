import type { LoadSample } from './load.ts'

/** Columns of a row: at, latencyMs, journey, step, status, error, ok. Journey and error are indices into the words. */
const columns = 7

/** Samples on their way between processes: rows of numbers, which cost little to send, and each word once. */
export interface SampleBatch {
  rows: Float64Array
  words: string[]
}

/** Collects samples until they are sent. */
export class SampleBuffer {
  #rows = new Float64Array(columns * 256)
  #length = 0
  #words = new Map<string, number>()

  add({ at, latencyMs, journey, step, status, error, ok }: LoadSample): void {
    if (this.#length === this.#rows.length) {
      const larger = new Float64Array(this.#rows.length * 2)
      larger.set(this.#rows)
      this.#rows = larger
    }
    const rows = this.#rows
    let i = this.#length
    rows[i++] = at
    rows[i++] = latencyMs
    rows[i++] = this.#word(journey)
    rows[i++] = step
    rows[i++] = status
    rows[i++] = error === undefined ? -1 : this.#word(error)
    rows[i++] = ok ? 1 : 0
    this.#length = i
  }

  /** Everything since the last call; undefined where there was nothing. */
  take(): SampleBatch | undefined {
    if (this.#length === 0) return undefined
    const batch = { rows: this.#rows.slice(0, this.#length), words: [...this.#words.keys()] }
    this.#length = 0
    this.#words = new Map()
    return batch
  }

  #word(text: string): number {
    let index = this.#words.get(text)
    if (index === undefined) {
      index = this.#words.size
      this.#words.set(text, index)
    }
    return index
  }
}

export function samplesOf({ rows, words }: SampleBatch): LoadSample[] {
  return Array.from({ length: rows.length / columns }, (_, row) => {
    const i = row * columns
    return {
      at: rows[i]!,
      latencyMs: rows[i + 1]!,
      journey: words[rows[i + 2]!]!,
      step: rows[i + 3]!,
      status: rows[i + 4]!,
      error: words[rows[i + 5]!],
      ok: rows[i + 6] === 1,
    }
  })
}
