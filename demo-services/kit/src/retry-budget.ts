/**
 * Retries may be at most a share of the requests: each request puts `ratio` of a token into the bucket, each retry takes a
 * whole one. So a dependency that fails altogether sees 1.2 times its load and not three times.
 */
export class RetryBudget {
  readonly #ratio: number
  readonly #capacity: number
  #tokens: number

  constructor({ ratio = 0.2, capacity = 10 } = {}) {
    this.#ratio = ratio
    this.#capacity = capacity
    this.#tokens = capacity
  }

  /** To be called once for each request, not for its retries. */
  deposit(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + this.#ratio)
  }

  /** Whether one more retry may be made; takes its token. */
  withdraw(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
