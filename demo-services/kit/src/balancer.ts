import { type CircuitBreakerPolicy, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'

export interface Replica {
  readonly url: string
  readonly breaker: CircuitBreakerPolicy
  /** Until then it has come back only just, and is spared. */
  coldUntil: number
}

/** A replica that came back has most often just started: for so long it gets only one request in `coldShare`. */
const coldMs = 4000
const coldShare = 4

export interface BalancerOptions {
  /** So many failures in a row eject a replica. */
  failures?: number
  /** So long it stays away before its health is asked for again, in ms. */
  ejectMs?: number
  /** Resolves when the replica is healthy. */
  probe(url: string): Promise<unknown>
}

/**
 * Goes round the replicas and leaves out those whose breaker is open. An ejected replica comes back by a health check, so
 * that no user's request has to try it out.
 */
export class Balancer {
  readonly replicas: readonly Replica[]
  #next = 0

  constructor(urls: readonly string[], { failures = 3, ejectMs = 1000, probe }: BalancerOptions) {
    this.replicas = urls.map(url => {
      const breaker = circuitBreaker(handleAll, {
        breaker: new ConsecutiveBreaker(failures),
        halfOpenAfter: ejectMs,
      })
      const replica: Replica = { url, breaker, coldUntil: 0 }
      breaker.onReset(() => {
        replica.coldUntil = performance.now() + coldMs
      })
      breaker.onBreak(() => {
        const again = () => breaker.execute(() => probe(url)).catch(() => {})
        // A failed probe opens the breaker again, which brings us back here.
        setTimeout(again, ejectMs + 1).unref()
      })
      return replica
    })
  }

  /** Whether no replica is left to choose. */
  get allEjected(): boolean {
    return this.replicas.every(each => each.breaker.state !== CircuitState.Closed)
  }

  /** The next replica; undefined when all that may be chosen are ejected. `avoid` is the one that has just failed. */
  pick({ ejected, avoid }: { ejected: 'leave-out' | 'keep'; avoid?: Replica | undefined }): Replica | undefined {
    const fit =
      ejected === 'keep' ? this.replicas : this.replicas.filter(each => each.breaker.state === CircuitState.Closed)
    const others = fit.filter(each => each !== avoid)
    const choice = others.length > 0 ? others : fit
    const turn = this.#next++
    const isCold = (each: Replica) => each.coldUntil > performance.now()
    const pool = choice.filter(each => isCold(each) === (turn % coldShare === 0))
    const chosen = pool.length > 0 && choice.some(isCold) ? pool : choice
    return chosen[turn % chosen.length]
  }
}
