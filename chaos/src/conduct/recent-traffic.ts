import type { LoadSample } from '../load/load.ts'

const windowMs = 1000
/** Samples come in batches, and are all there when they are so old. */
const settledMs = 300

/** The last second of the load, for the live view. */
export class RecentTraffic {
  #samples: LoadSample[] = []

  add(samples: LoadSample[]): void {
    this.#samples.push(...samples)
  }

  /** By the time of the answer, which is what an onlooker sees. */
  over(now: number): { requestsPerSecond: number; p99Ms: number | null; errorRatio: number } {
    const until = now - settledMs
    this.#samples = this.#samples.filter(sample => sample.at + sample.latencyMs > until - windowMs)
    const answered = this.#samples.filter(sample => sample.at + sample.latencyMs <= until)
    const latencies = answered.map(sample => sample.latencyMs).sort((a, b) => a - b)
    const failed = answered.filter(sample => !sample.ok).length
    return {
      requestsPerSecond: Math.round((latencies.length / windowMs) * 1000),
      p99Ms: latencies[Math.ceil(latencies.length * 0.99) - 1] ?? null,
      errorRatio: latencies.length === 0 ? 0 : failed / latencies.length,
    }
  }
}
