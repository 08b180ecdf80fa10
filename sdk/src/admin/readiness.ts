/** False, a promise of false, or an error means not ready; anything else means ready. */
export type ReadinessCheck = () => unknown

const checkTimeoutMs = 1_000

export const nothingListens = 'no HTTP server listens yet'

/** Whether the service wants traffic: a server listens, it is not draining, and every registered check passes. */
export class Readiness {
  draining = false
  readonly #listening: () => boolean
  readonly #checks = new Map<string, ReadinessCheck>()

  constructor(listening: () => boolean) {
    this.#listening = listening
  }

  /** Registers a check; returns what takes it away again. */
  add(name: string, check: ReadinessCheck): () => void {
    this.#checks.set(name, check)
    return () => this.#checks.delete(name)
  }

  /** What stands in the way; empty when ready. A check that takes longer than 1 s fails. */
  async obstacles(): Promise<string[]> {
    if (this.draining) return ['draining']
    if (!this.#listening()) return [nothingListens]
    const results = await Promise.all([...this.#checks].map(([name, check]) => run(name, check)))
    return results.filter(result => result !== undefined)
  }
}

async function run(name: string, check: ReadinessCheck): Promise<string | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => resolve('late'), checkTimeoutMs)
  try {
    const result = await Promise.race([check(), late])
    if (result === 'late') return `${name}: no answer within ${checkTimeoutMs} ms`
    return result === false ? name : undefined
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`
  } finally {
    clearTimeout(timer)
  }
}
