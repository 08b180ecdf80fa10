import {
  type BulkheadPolicy,
  bulkhead,
  ExponentialBackoff,
  handleWhen,
  isBulkheadRejectedError,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
} from 'cockatiel'
import { Balancer, type Replica } from './balancer.ts'
import { replicasOf } from './config.ts'
import { deadlineHeader, remainingMs } from './deadline.ts'
import { type Resilience, resilience } from './resilience.ts'
import { RetryBudget } from './retry-budget.ts'

/** A peer could not be reached, did not answer in time, or answered 5xx. `status` is its answer, 0 without one. */
export class Unavailable extends Error {
  readonly status: number

  constructor(service: string, reason: string, status = 0, cause?: unknown) {
    super(`${service}: ${reason}`, { cause })
    this.name = 'Unavailable'
    this.status = status
  }
}

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: the caller knows the shape of what it asked for
  body: any
}

export interface Call {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  json?: unknown
}

export interface EdgeOptions {
  /** For one attempt, in ms. */
  timeoutMs: number
  /** For the whole call with its retries, in ms; the peer is told. */
  deadlineMs: number
  /** Further attempts after the first. Every request of the shop is idempotent, so that each may be tried again. */
  retries: number
  /** Calls at a time; as many again may wait. */
  concurrency?: number
  /**
   * What to do when every replica is ejected: `refuse` at once, where the caller has a fallback, or `try` them all the same
   * (the default), because refusing would turn a stall of a second into an outage.
   */
  allEjected?: 'refuse' | 'try'
  /** Whether the caller's deadline shortens this one; true. */
  heedsCaller?: boolean
  /** Whether retries are limited to a share of the requests; true. */
  retryBudget?: boolean
  replicas?: readonly string[]
  switches?: Resilience
}

/**
 * One arrow of the map: how this service calls another. From the outside in: bulkhead, retry within a budget, the choice of
 * a replica, its breaker, the timeout.
 */
export class Edge {
  readonly #service: string
  readonly #options: EdgeOptions
  readonly #switches: Resilience
  readonly #balancer: Balancer
  readonly #bulkhead: BulkheadPolicy
  readonly #budget = new RetryBudget()

  constructor(service: string, options: EdgeOptions) {
    this.#service = service
    this.#options = options
    this.#switches = options.switches ?? resilience
    this.#bulkhead = bulkhead(options.concurrency ?? 100, options.concurrency ?? 100)
    this.#balancer = new Balancer(options.replicas ?? replicasOf(service), {
      probe: async url => {
        const answer = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(options.timeoutMs) })
        if (!answer.ok) throw new Unavailable(service, `health check answered ${answer.status}`, answer.status)
        await answer.body?.cancel()
      },
    })
  }

  /** Answers under 500 come back; everything else is thrown as `Unavailable`. */
  async call(path: string, call: Call = {}): Promise<Answer> {
    if (!this.#switches.has('bulkhead')) return this.#withRetries(path, call)
    try {
      return await this.#bulkhead.execute(() => this.#withRetries(path, call))
    } catch (error) {
      throw isBulkheadRejectedError(error) ? new Unavailable(this.#service, 'too many calls at a time') : error
    }
  }

  async #withRetries(path: string, call: Call): Promise<Answer> {
    const { deadlineMs, heedsCaller = true, retryBudget = true } = this.#options
    const endsAt = performance.now() + Math.min(deadlineMs, heedsCaller ? remainingMs() : Number.POSITIVE_INFINITY)
    let last: Replica | undefined
    const attempt = () => {
      const guarded =
        this.#switches.has('breaker') && (this.#options.allEjected === 'refuse' || !this.#balancer.allEjected)
      const replica = this.#balancer.pick({ ejected: guarded ? 'leave-out' : 'keep', avoid: last })
      if (!replica) throw new Unavailable(this.#service, 'every replica is ejected')
      last = replica
      const send = () => this.#send(replica.url, path, call, endsAt)
      return guarded ? replica.breaker.execute(send) : send()
    }
    this.#budget.deposit()
    if (!this.#switches.has('retry') || this.#options.retries === 0) return attempt()
    const again = handleWhen(
      () => last !== undefined && performance.now() < endsAt && (!retryBudget || this.#budget.withdraw()),
    )
    return retry(again, {
      maxAttempts: this.#options.retries,
      backoff: new ExponentialBackoff({ initialDelay: 10, maxDelay: 100 }),
    }).execute(attempt)
  }

  async #send(base: string, path: string, call: Call, endsAt: number): Promise<Answer> {
    const leftMs = Math.floor(endsAt - performance.now())
    if (!this.#switches.has('timeout')) return this.#exchange(base, path, call, {})
    const limitMs = Math.min(this.#options.timeoutMs, leftMs)
    if (limitMs <= 0) throw new Unavailable(this.#service, 'no time is left')
    try {
      // Aggressive: nobody waits for a connection that does not end even when it is told to.
      return await timeout(limitMs, TimeoutStrategy.Aggressive).execute(({ signal }) =>
        this.#exchange(base, path, call, { signal, headers: { [deadlineHeader]: String(limitMs) } }),
      )
    } catch (error) {
      if (error instanceof TaskCancelledError) throw new Unavailable(this.#service, `no answer in ${limitMs} ms`)
      throw error
    }
  }

  async #exchange(
    base: string,
    path: string,
    { method = 'GET', headers, json }: Call,
    extra: { signal?: AbortSignal; headers?: Record<string, string> },
  ): Promise<Answer> {
    let response: Response
    let text: string
    try {
      response = await fetch(new URL(path, base), {
        method,
        headers: {
          ...headers,
          ...extra.headers,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        ...(extra.signal ? { signal: extra.signal } : {}),
      })
      text = await response.text()
    } catch (error) {
      throw new Unavailable(this.#service, 'no answer', 0, error)
    }
    if (response.status >= 500) throw new Unavailable(this.#service, `answered ${response.status}`, response.status)
    const isJson = response.headers.get('content-type')?.includes('json')
    return { status: response.status, body: isJson ? JSON.parse(text) : text }
  }
}

/** What `call` gives, or `otherwise()` when it fails and the fallback pattern is on. */
export async function withFallback<T>(
  call: () => Promise<T>,
  otherwise: (error: unknown) => T | Promise<T>,
  switches: Resilience = resilience,
): Promise<T> {
  if (!switches.has('fallback')) return call()
  try {
    return await call()
  } catch (error) {
    return otherwise(error)
  }
}
