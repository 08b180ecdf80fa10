import { Pool } from 'undici'

/** A replica: its pool, and the path that its base URL puts before every other (`''` mostly). */
export interface Origin {
  pool: Pool
  prefix: string
  url: string
}

/**
 * The base URLs of every service that is called, each with its pool of connections. A pool opens as many connections as there are
 * requests in flight: a queue of our own would hide arrivals from the system. Nothing is ever tried again.
 */
export class Origins {
  readonly #pools = new Map<string, Pool>()
  readonly #replicas = new Map<string, Origin[]>()

  /** `called`: of fifty services a journey calls a few, and an empty pool already takes 20 kB. */
  constructor(urls: Record<string, string[]>, called: ReadonlySet<string>) {
    for (const service of called) {
      const web = (urls[service] ?? []).filter(url => /^https?:/.test(url)).map(url => new URL(url))
      const replicas = web.map(url => ({
        pool: this.#pool(url.origin),
        prefix: url.pathname.replace(/\/$/, ''),
        url: url.href.replace(/\/$/, ''),
      }))
      if (replicas.length > 0) this.#replicas.set(service, replicas)
    }
  }

  has(service: string): boolean {
    return this.#replicas.has(service)
  }

  /** The replica whose turn it is with this arrival: every step goes round robin by itself. */
  of(service: string, arrival: number): Origin {
    const replicas = this.#replicas.get(service)
    const replica = replicas?.[arrival % replicas.length]
    if (!replica) throw new Error(`no URL of ${service} is known`)
    return replica
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(pool => pool.destroy()))
  }

  #pool(origin: string): Pool {
    let pool = this.#pools.get(origin)
    if (!pool) {
      // The deadline of each step is kept apart; undici's timers are coarse and count from elsewhere.
      pool = new Pool(origin, { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
      this.#pools.set(origin, pool)
    }
    return pool
  }
}
