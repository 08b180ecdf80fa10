import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../.ci/tools/free-port.ts'

const dir = fileURLToPath(new URL('..', import.meta.url))
const layout = {
  postgres: 1,
  gateway: 1,
  catalog: 1,
  orders: 2,
  inventory: 2,
  payments: 1,
  notifications: 1,
  recommendations: 1,
}
export type Service = keyof typeof layout

/** Calls `look` until it gives something truthy. Rejects with what it said last after `withinMs`. */
export async function eventually<T>(look: () => Promise<T>, withinMs = 20_000): Promise<NonNullable<T>> {
  const giveUpAt = performance.now() + withinMs
  for (;;) {
    let last: unknown
    try {
      const seen = await look()
      if (seen) return seen
      last = seen
    } catch (error) {
      last = error
    }
    if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms`, { cause: last })
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** What an instance is started with beyond what the shop needs. */
export interface Extras {
  /** Of Node, before the service's own file. */
  flags?: string[]
  env?: Record<string, string>
  /** A file for its lines. */
  log?: string
}

/** The whole shop as processes of this one, without the runner, and without the SDK unless `extras` bring it. */
export class LocalShop {
  readonly #children = new Map<string, ChildProcess>()
  #env: NodeJS.ProcessEnv = {}
  #ports: Partial<Record<Service, number[]>> = {}
  #extras: (service: Service, n: number) => Extras = () => ({})

  /** `paymentsUrl` takes the place of the payments service's own address, for the services that call it. */
  static async start(
    options: { paymentsUrl?: string; extras?: (service: Service, n: number) => Extras } = {},
  ): Promise<LocalShop> {
    const shop = new LocalShop()
    if (options.extras) shop.#extras = options.extras
    for (const [service, replicas] of Object.entries(layout)) {
      shop.#ports[service as Service] = await Promise.all(Array.from({ length: replicas }, freePort))
    }
    const { DATABASE_URL: _, ...env } = process.env
    shop.#env = { ...env, HOST: '127.0.0.1', LOG_LEVEL: 'fatal' }
    for (const service of Object.keys(layout) as Service[]) {
      const scheme = service === 'postgres' ? 'tcp' : 'http'
      const urls = shop.#ports[service]!.map(port => `${scheme}://127.0.0.1:${port}`)
      shop.#env[`${service.toUpperCase()}_URL`] = urls.join(',')
    }
    if (options.paymentsUrl) shop.#env.PAYMENTS_URL = options.paymentsUrl
    try {
      for (const [service, replicas] of Object.entries(layout)) {
        for (let n = 1; n <= replicas; n++) shop.startInstance(service as Service, n)
      }
      const web = (Object.keys(layout) as Service[]).filter(each => each !== 'postgres')
      const up = (url: string) => eventually(async () => (await fetch(`${url}/health`)).ok, 120_000)
      await Promise.all(web.flatMap(service => shop.urls(service).map(up)))
      return shop
    } catch (error) {
      await shop.stop()
      throw error
    }
  }

  startInstance(service: Service, n: number): void {
    const { flags = [], env = {}, log } = this.#extras(service, n)
    const lines = log === undefined ? 'ignore' : openSync(log, 'a')
    const child = spawn(process.execPath, [...flags, `${service}/src/main.ts`], {
      cwd: dir,
      env: { ...this.#env, PORT: String(this.#ports[service]![n - 1]), ...env },
      stdio: ['ignore', lines, process.env.SHOP_DEBUG ? 'inherit' : 'ignore'],
    })
    if (typeof lines === 'number') closeSync(lines)
    this.#children.set(`${service}-${n}`, child)
  }

  /** The services' own addresses, whatever stands between. */
  urls(service: Service): string[] {
    return this.#ports[service]!.map(port => `http://127.0.0.1:${port}`)
  }

  signal(instance: string, signal: NodeJS.Signals): void {
    this.#children.get(instance)!.kill(signal)
  }

  async resilience(patterns: string): Promise<void> {
    const every = [...this.urls('gateway'), ...this.urls('orders')]
    for (const url of every) {
      const body = JSON.stringify({ patterns })
      const answer = await fetch(`${url}/resilience`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body,
      })
      if (!answer.ok) throw new Error(`PUT /resilience answered ${answer.status}`)
    }
  }

  /** The audit's exit code and what it printed. */
  async audit(): Promise<{ code: number; output: string }> {
    const child = spawn(process.execPath, ['audit/src/main.ts'], { cwd: dir, env: this.#env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    const [code] = await once(child, 'close')
    return { code, output }
  }

  async stop(): Promise<void> {
    const postgres = this.#children.get('postgres-1')
    for (const child of this.#children.values()) if (child !== postgres) child.kill('SIGKILL')
    postgres?.kill('SIGTERM')
    const running = [...this.#children.values()].filter(each => each.exitCode === null && each.signalCode === null)
    await Promise.all(running.map(each => once(each, 'exit')))
  }
}
