import { once } from 'node:events'
import { connect } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { enableFaults } from '../src/faults/enable.ts'
import type { FaultEffect } from '../src/faults/wire.ts'
import {
  type Engine,
  startFerretdb,
  startKafka,
  startMariadb,
  startPostgres,
  startRabbitmq,
  startRedis,
} from './engines.ts'
import { controlKey, runner } from './faults-app/start.ts'
import { type Received, startReceiver } from './otlp-receiver.ts'
import { startService, stopServices } from './service.ts'

let faults: ReturnType<typeof enableFaults>
let control: ReturnType<typeof runner>
const clearing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  const options = { host: '127.0.0.1', port: 0, key: controlKey, serviceName: 'test' }
  faults = enableFaults({ ...options, warn() {}, count() {} })
  control = runner(`http://127.0.0.1:${await faults.port}`)
})
afterEach(async () => {
  for (const { id } of await control.list()) await control.disarm(id)
  for (const clear of clearing.splice(0)) await clear()
})
afterAll(() => faults.close())

const arm = async (port: number, effect: FaultEffect) => {
  const match = { direction: 'tcp' as const, peers: [`localhost:${port}`] }
  const armed = await control.arm('f', { effect, match, percent: 100, scope: 'attempt', seed: 1, leaseMs: 60_000 })
  expect(armed.status).toBe(200)
}
/** As OTLP numbers them. */
const kind = { server: 2, client: 3, producer: 4 }

const timed = async <T>(run: () => Promise<T>) => {
  const began = performance.now()
  const result = await run()
  return { result, ms: performance.now() - began }
}

test('queries of pg over an open connection are late, lost and reset, and a query with parameters is one request', async () => {
  const postgres = await startPostgres()
  clearing.push(() => postgres.stop())
  const port = Number(new URL(postgres.url).port)
  const open = async () => {
    const client = new pg.Client(postgres.url)
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const client = await open()
  const query = () => client.query('select $1::int + 1 as two', [1]).then(({ rows }) => rows[0].two)
  expect(await query()).toBe(2)
  await arm(port, { kind: 'latency', delayMs: 150, jitterMs: 0 })
  for (let i = 0; i < 2; i++) {
    const { result, ms } = await timed(query)
    expect(result).toBe(2)
    expect(ms).toBeGreaterThan(140)
  }
  expect(await control.list()).toMatchObject([{ seen: 2, hit: 2 }])

  await arm(port, { kind: 'hang' })
  const lost = query().catch(error => error.message)
  await expect.poll(async () => (await control.list())[0]?.hit).toBe(1)
  await control.disarm('f')
  expect(await lost).toMatch(/ECONNRESET|terminated/)

  const another = await open()
  await arm(port, { kind: 'reset' })
  await expect(another.query('select 1')).rejects.toThrow(/ECONNRESET|terminated/)
  await control.disarm('f')
  const last = await open()
  expect((await last.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await last.end()
})

test('commands of Redis over an open connection are late, a pipeline as one, and reset', async () => {
  const redis = await startRedis()
  clearing.push(() => redis.stop())
  const port = Number(new URL(redis.url).port)
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const ask = async (commands: number) => {
    for (let i = 0; i < commands; i++) socket.write('PING\r\n')
    let text = ''
    while (text.length < commands * 7) text += (await once(socket, 'data'))[0]
    return text
  }
  expect(await ask(1)).toBe('+PONG\r\n')
  await arm(port, { kind: 'latency', delayMs: 120, jitterMs: 0 })
  const { result, ms } = await timed(() => ask(3))
  expect(result).toBe('+PONG\r\n'.repeat(3))
  expect(ms).toBeGreaterThan(110)
  expect(await control.list()).toMatchObject([{ seen: 1, hit: 1 }])
  await arm(port, { kind: 'reset' })
  await expect(ask(1)).rejects.toMatchObject({ code: 'ECONNRESET' })
})

/** A service whose writes to a dependency are late, so many of a hundred. */
async function slowed(fixture: string, library: string, start: () => Promise<Engine>, percent: number) {
  const engine = await start()
  clearing.push(() => engine.stop())
  const receiver = await startReceiver()
  clearing.push(() => receiver.close())
  const service = await startService(fixture, {
    env: {
      LIBRARY: library,
      ENGINE: engine.url,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      SHAKETABLE_FAULTS: 'on',
      SHAKETABLE_FAULTS_KEY: controlKey,
      SHAKETABLE_FAULTS_PORT: '0',
    },
  })
  clearing.push(stopServices)
  const control = runner(/fault control is on (\S+)/.exec(service.stderr())![1]!)
  const match = { direction: 'tcp' as const, peers: [new URL(engine.url).host] }
  const effect = { kind: 'latency' as const, delayMs: 5, jitterMs: 0 }
  await control.arm('slow', { effect, match, percent, scope: 'attempt', seed: 1, leaseMs: 60_000 })
  receiver.spans.length = 0
  return { receiver, service, control }
}

const isMarked = (span: Received) => span.attributes['shaketable.fault.id'] === 'slow'

test.each([
  { library: 'redis', start: startRedis },
  { library: 'ioredis', start: startRedis },
  { library: 'pg', start: startPostgres },
  { library: 'mysql2', start: startMariadb },
  { library: 'mongodb', start: startFerretdb },
  { library: 'amqplib', start: startRabbitmq },
  { library: 'kafkajs', start: startKafka },
])(
  'a fault in what $library writes is marked on the span of each call, and on the one of their request',
  async ({ library, start }) => {
    const { receiver, service } = await slowed('libraries/entry.mjs', library, start, 100)
    expect(await (await fetch(service.url)).text()).toBe('ok')
    service.child.kill()
    await service.ended
    const isCall = (span: Received) =>
      // One that gets an open connection from the pool writes nothing.
      (span.kind === kind.client && span.name !== 'pg-pool.connect') || span.kind === kind.producer
    const marked = receiver.spans.filter(isMarked)
    expect(receiver.spans.filter(isCall)).not.toEqual([])
    const expected = receiver.spans.filter(span => isCall(span) || span.kind === kind.server)
    expect(marked.map(({ name }) => name)).toEqual(expected.map(({ name }) => name))
    expect(service.lines().find(line => line.msg === 'request completed')).toMatchObject({
      'shaketable.fault.id': 'slow',
    })
  },
)

test.each([
  { library: 'redis', start: startRedis },
  { library: 'ioredis', start: startRedis },
  { library: 'pg', start: startPostgres },
  { library: 'mysql2', start: startMariadb },
  { library: 'mysql2 pool', start: startMariadb },
])(
  'of requests that share what connections $library has, each bears the mark, and so does its call',
  async ({ library, start }) => {
    const { receiver, service } = await slowed('shared.mjs', library, start, 100)
    await askTogether(service.url)
    service.child.kill()
    await service.ended
    expect(receiver.spans.map(({ kind }) => kind).sort()).toEqual([
      ...Array(together).fill(kind.server),
      ...Array(together).fill(kind.client),
    ])
    expect(receiver.spans.filter(span => !isMarked(span))).toEqual([])
    const finished = service.lines().filter(line => line.msg === 'request completed')
    expect(finished.map(line => line['shaketable.fault.id'])).toEqual(Array(together).fill('slow'))
  },
)

test('of the queries that wait for one connection of pg, those bear the mark that were struck, and their requests', async () => {
  const { receiver, service, control } = await slowed('shared.mjs', 'pg', startPostgres, 50)
  await askTogether(service.url)
  const [fault] = await control.list()
  service.child.kill()
  await service.ended
  const calls = receiver.spans.filter(span => span.kind === kind.client)
  const requests = receiver.spans.filter(span => span.kind === kind.server)
  expect(fault!.seen).toBe(together)
  expect(calls.filter(isMarked)).toHaveLength(fault!.hit)
  const markedParents = calls.filter(isMarked).map(({ parentSpanId }) => parentSpanId)
  expect(new Set(requests.filter(isMarked).map(({ spanId }) => spanId))).toEqual(new Set(markedParents))
})

const together = 20
const askTogether = (url: string) =>
  Promise.all(Array.from({ length: together }, (_, i) => fetch(`${url}/${i}`).then(reply => reply.text())))
