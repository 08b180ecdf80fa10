import { freePort } from '../../.ci/tools/free-port.ts'
import { LocalShop } from '../../demo-services/test/local-shop.ts'

export interface InstrumentedShop {
  shop: LocalShop
  /** `host:port` of the health and metrics listeners of each service's instances. */
  admin: Map<string, string[]>
}

/** The shop with the SDK, by one flag; `env` is what a service gets besides. */
export async function startInstrumentedShop(
  env: (service: string) => Record<string, string>,
): Promise<InstrumentedShop> {
  const admin = new Map<string, string[]>()
  const ports = await Promise.all(Array.from({ length: 9 }, freePort))
  const shop = await LocalShop.start({
    extras: service => {
      if (service === 'postgres') return {}
      const port = ports.pop()!
      admin.set(service, [...(admin.get(service) ?? []), `127.0.0.1:${port}`])
      return {
        flags: ['--import', '@shaketable/sdk/register'],
        env: {
          NODE_OPTIONS: '--conditions=@shaketable/source',
          OTEL_SERVICE_NAME: service,
          OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
          ...env(service),
        },
      }
    },
  })
  return { shop, admin }
}

/** Visitors of both journeys, who come at their rate whether or not those before them have been answered. */
export class Visitors {
  /** How often each status was answered, `0` for no answer at all. */
  readonly answers = new Map<number, number>()
  readonly #door: string
  readonly #headers: Record<string, string>
  readonly #inFlight = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout

  static async come(shop: LocalShop, eachPerSecond: number): Promise<Visitors> {
    const [door] = shop.urls('gateway')
    const login = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"user":"ada"}' }
    const { token } = (await (await fetch(`${door}/login`, login)).json()) as { token: string }
    return new Visitors(door!, token, eachPerSecond)
  }

  private constructor(door: string, token: string, eachPerSecond: number) {
    this.#door = door
    this.#headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    this.#timer = setInterval(() => {
      const once = { 'idempotency-key': crypto.randomUUID() }
      const body = '{"sku":"A1","quantity":1}'
      this.#visit('/checkout', { method: 'POST', headers: { ...this.#headers, ...once }, body })
      this.#visit('/', { headers: this.#headers })
    }, 1000 / eachPerSecond)
  }

  /** Nobody comes any more; resolves when all have left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#inFlight)
  }

  #visit(path: string, init: RequestInit): void {
    const ask = () => fetch(this.#door + path, init).then(answer => answer.arrayBuffer().then(() => answer.status))
    // Once more, as browsers do: the connection may have been closed just then, for having been idle.
    const visit = ask()
      .catch(ask)
      .catch(() => 0)
      .then(status => {
        this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
        this.#inFlight.delete(visit)
      })
    this.#inFlight.add(visit)
  }
}
