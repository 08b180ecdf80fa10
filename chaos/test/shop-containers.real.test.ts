import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { Ports } from '../src/targets/local/ports.ts'
import { freshState, Shaketable } from './cli.ts'
import { type Engine, startEngine } from './fixtures/docker/engine.ts'
import { hitAndUndone } from './outcome.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const within = { timeout: 30_000, interval: 100 }
const listeners = { OTEL_EXPORTER_PROMETHEUS_HOST: '0.0.0.0', OTEL_EXPORTER_PROMETHEUS_PORT: '9464' }
let engine: Engine

beforeAll(async () => {
  engine = await startEngine()
})
afterAll(() => engine?.remove())

interface ComposeService {
  labels?: Record<string, string>
  environment?: Record<string, string>
}

/** What `compose.shop.yaml` makes of the shop, by the names of its containers. */
async function composed(): Promise<[string, Required<ComposeService>][]> {
  const { services } = parse(await readFile(join(root, 'compose.shop.yaml'), 'utf8'), { merge: true }) as {
    services: Record<string, ComposeService>
  }
  return Object.entries(services).flatMap(([name, { labels, environment = {} }]) =>
    labels ? [[name, { labels, environment }]] : [],
  )
}

describe('the shop', () => {
  it('has an image by its Dockerfile, which holds all that a service needs', async () => {
    await engine.build('demo-services/Dockerfile', 'shaketable-test-shop')
    const service = await engine.run({
      name: `shop-${process.pid}-recommendations`,
      image: 'shaketable-test-shop',
      // Without a build of the SDK in this checkout, from its sources.
      command: [
        '--conditions=@shaketable/source',
        '--import',
        '@shaketable/sdk/register',
        'recommendations/src/main.ts',
      ],
      dir: '/shaketable/demo-services',
      labels: {},
      env: {
        HOST: '0.0.0.0',
        PORT: '8080',
        ...listeners,
        OTEL_SERVICE_NAME: 'recommendations',
        OTEL_TRACES_EXPORTER: 'none',
      },
      ports: [8080, 9464],
      host: { ReadonlyRootfs: true },
    })
    const { Config, NetworkSettings } = await service.inspect()
    const at = (port: number) => `http://127.0.0.1:${NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort}`
    const ready = () =>
      fetch(`${at(9464)}/readyz`).then(
        ({ status }) => status,
        () => 0,
      )
    await expect.poll(ready, within).toBe(200)
    expect((await fetch(`${at(8080)}/recommendations?sku=A1`)).status).toBe(200)
    expect(Config.User).toBe('1000:1000')
  })
})

describe('the shop in containers', () => {
  const ports = new Ports()
  const relays: Server[] = []
  let postgres: ChildProcess
  let gateway: string
  let spansGoTo: string

  /** PostgreSQL has no image here: it runs beside the engine, and its container hands on to it. */
  async function servePostgres(): Promise<number> {
    const port = await ports.reserve()
    postgres = spawn(process.execPath, ['postgres/src/main.ts'], {
      cwd: join(root, 'demo-services'),
      env: { ...process.env, PORT: String(port) },
      stdio: 'ignore',
    })
    for (let tries = 0; !(await opens(port)); tries++) {
      if (tries > 300) throw new Error('PostgreSQL does not start')
      await sleep(100)
    }
    const relay = createServer(socket => {
      const there = connect(port, '127.0.0.1')
      socket.pipe(there).pipe(socket)
      for (const each of [socket, there]) each.on('error', () => {})
    })
    relays.push(relay.listen(0, gateway))
    await once(relay, 'listening')
    return (relay.address() as { port: number }).port
  }

  beforeAll(async () => {
    gateway = await engine.gateway()
    spansGoTo = `${gateway}:${await ports.reserve()}`
    const database = await servePostgres()
    for (const [name, { labels, environment }] of await composed()) {
      if (name === 'postgres') {
        const relay = `require('net').createServer(s => {
          const there = require('net').connect(${database}, '${gateway}')
          s.pipe(there).pipe(s)
          for (const each of [s, there]) each.on('error', () => {})
        }).listen(5432)`
        await engine.run({ name, command: ['-e', relay], dir: '/', labels, env: {}, ports: [5432] })
        continue
      }
      await engine.run({
        name,
        command: [
          '--conditions=@shaketable/source',
          '--max-old-space-size=96',
          '--import',
          '@shaketable/sdk/register',
          `${environment.OTEL_SERVICE_NAME}/src/main.ts`,
        ],
        dir: join(root, 'demo-services'),
        labels,
        env: { ...environment, ...listeners, OTEL_EXPORTER_OTLP_ENDPOINT: `http://${spansGoTo}` },
        ports: [3000, 9464, 9465],
      })
    }
  })
  afterAll(async () => {
    for (const relay of relays) relay.close()
    if (postgres?.kill('SIGTERM')) await once(postgres, 'exit')
    ports.release()
  })

  it('is shaken by its own experiment as its processes are, its books balance, and its spans come', async () => {
    const names = ['slow-payments']
    const { state, remove, runs } = await freshState()
    onTestFinished(remove)
    const run = (...more: string[]) => {
      const files = names.map(name => `demo-services/experiments/${name}.yaml`)
      const args = ['run', ...files, '--target', 'docker', '--seed', '1', ...more]
      return new Shaketable(args, { state, cwd: root, env: engine.env }).finished
    }
    const dry = await run('--dry-run')
    expect([dry.code, dry.stdout.match(/ hits /g)?.length], dry.stderr).toEqual([0, names.length])
    expect(dry.stdout).toContain(' hits payments-1 (container payments-1)\n')
    const finished = await run('--yes-this-is', 'shop', '--json', '--attempts', '2', '--otlp-listen', spansGoTo)
    const experiments = hitAndUndone(finished, names)
    for (const { name, expectations } of experiments) {
      const books = expectations.find(each => each.name.includes('books-balance'))
      expect(books, name).toMatchObject({ verdict: 'pass' })
    }
    expect(experiments[0]?.traces?.edges.map(({ from, to }) => `${from} ${to}`)).toContain('orders payments')
    expect(await runs()).toEqual([])
  })
})

const opens = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
