import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  type Engine,
  startFerretdb,
  startKafka,
  startMariadb,
  startPostgres,
  startRabbitmq,
  startRedis,
  startRedisCluster,
} from './engines.ts'
import { type Received, type Receiver, startReceiver } from './otlp-receiver.ts'
import { startService, stopServices } from './service.ts'

let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
})
beforeEach(() => {
  receiver.spans.length = 0
})
afterEach(stopServices)

/** They start side by side, while the first ones are already in use. */
const starts = {
  redis: startRedis,
  'redis cluster': startRedisCluster,
  postgres: startPostgres,
  mariadb: startMariadb,
  ferretdb: startFerretdb,
  rabbitmq: startRabbitmq,
  kafka: startKafka,
}
const engines = new Map<string, Promise<Engine>>()
beforeAll(() => {
  for (const [name, start] of Object.entries(starts)) {
    const engine = start()
    engine.catch(() => {})
    engines.set(name, engine)
  }
})
const urlOf = async (name: keyof typeof starts) => (await engines.get(name)!).url
afterAll(async () => {
  await receiver.close()
  const all = await Promise.allSettled([...engines.values()])
  await Promise.all(all.map(one => one.status === 'fulfilled' && one.value.stop()))
})

const kinds = ['', 'internal', 'server', 'client', 'producer', 'consumer']

/** A run of the fixture with one request: all that arrived outside. */
async function run(library: string, entry: string, url: string) {
  const service = await startService(`libraries/entry.${entry}`, {
    env: {
      LIBRARY: library,
      ENGINE: url,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'prometheus,otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    },
  })
  const answer = await fetch(service.url, { headers: { baggage: 'tenant=acme' } })
  expect(await answer.text()).toBe('ok')
  const page = await (await fetch(`${service.adminUrl}/metrics`)).text()
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  const said = service
    .stderr()
    .split('\n')
    .filter(line => line.startsWith('shaketable') && !line.includes('health and'))
  expect(said).toEqual([])
  const spans = receiver.spans.splice(0).toSorted((a, b) => Number(a.startNano - b.startNano))
  expect(new Set(spans.map(span => span.traceId)).size).toBe(1)
  const name = (id: string) => spans.find(span => span.spanId === id)?.name ?? 'none'
  const told = ({ kind, name: own, parentSpanId, status }: Received) =>
    `${kinds[kind]} ${own} < ${name(parentSpanId)}${status.code === 2 ? ' (error)' : ''}`
  const counted = page.matchAll(/^((?:db|messaging|rpc)_\w+_seconds_count\{.*\}) (\d+)/gm)
  const counts = [...counted].map(([, series, count]) => hide(`${series} ${count}`).replaceAll(/\w+="",?/g, ''))
  // Over OTLP it is the same.
  const sent = receiver.metrics.filter(({ name }) => /^(db|messaging|rpc)\..*\.duration$/.test(name))
  expect(sent.flatMap(one => one.points.map(point => String(point.count)))).toEqual(counts.map(one => one.at(-1)))
  return {
    seen: [...spans.map(told).map(hide), ...counts],
    attributes: spans.slice(1).map(span => hide(JSON.stringify(span.attributes))),
    lines: service.lines().filter(line => line.msg === undefined),
  }
}

/** Ports and process ids differ from run to run. */
function hide(text: string): string {
  return text.replaceAll(/127\.0\.0\.1:\d+|port"?[:=]"?\d+|orders-\d+/g, match => match.replace(/\d+$/, 'N'))
}

const entries = ['mjs', 'cjs']

test.each(entries)(
  'redis and ioredis (%s): a span each for what a request asks of Redis, and a count for the rest too',
  async entry => {
    const redis = await run('redis', entry, await urlOf('redis'))
    expect(redis.seen).toMatchInlineSnapshot(`
      [
        "server GET < none",
        "client redis-SET < GET",
        "client redis-GET < GET",
        "client redis-INCR < GET",
        "client redis-INCR < GET",
        "client redis-LPUSH < GET (error)",
        "db_client_operation_duration_seconds_count{db_system_name="redis",db_operation_name="SET",server_address="127.0.0.1",server_port="N",} 2",
        "db_client_operation_duration_seconds_count{db_system_name="redis",db_operation_name="GET",server_address="127.0.0.1",server_port="N",} 1",
        "db_client_operation_duration_seconds_count{db_system_name="redis",db_operation_name="MULTI INCR",server_address="127.0.0.1",server_port="N",} 2",
        "db_client_operation_duration_seconds_count{db_system_name="redis",db_operation_name="LPUSH",server_address="127.0.0.1",server_port="N",error_type="_OTHER"} 1",
      ]
    `)
    expect(redis.attributes).toMatchInlineSnapshot(`
      [
        "{"db.system.name":"redis","server.address":"127.0.0.1","server.port":N,"db.operation.name":"SET","db.query.text":"SET order [1 other arguments]"}",
        "{"db.system.name":"redis","server.address":"127.0.0.1","server.port":N,"db.operation.name":"GET","db.query.text":"GET order"}",
        "{"db.system.name":"redis","server.address":"127.0.0.1","server.port":N,"db.operation.name":"MULTI INCR","db.query.text":"INCR count"}",
        "{"db.system.name":"redis","server.address":"127.0.0.1","server.port":N,"db.operation.name":"MULTI INCR","db.query.text":"INCR count"}",
        "{"db.system.name":"redis","server.address":"127.0.0.1","server.port":N,"db.operation.name":"LPUSH","db.query.text":"LPUSH order [1 other arguments]"}",
      ]
    `)
    const ioredis = await run('ioredis', entry, await urlOf('redis'))
    expect(ioredis.seen).toMatchInlineSnapshot(`
      [
        "server GET < none",
        "client set < GET",
        "client get < GET",
        "client incr < GET",
        "client lpush < GET (error)",
        "db_client_operation_duration_seconds_count{db_system_name="redis",db_operation_name="SET",server_address="127.0.0.1",server_port="N",} 3",
        "db_client_operation_duration_seconds_count{db_system_name="redis",db_operation_name="PIPELINE GET",server_address="127.0.0.1",server_port="N",} 1",
        "db_client_operation_duration_seconds_count{db_system_name="redis",db_operation_name="PIPELINE INCR",server_address="127.0.0.1",server_port="N",} 1",
        "db_client_operation_duration_seconds_count{db_system_name="redis",db_operation_name="LPUSH",server_address="127.0.0.1",server_port="N",error_type="_OTHER"} 1",
      ]
    `)
  },
)

test('redis and ioredis with a cluster: each command is one span, whichever node has its key', async () => {
  const spansOf = async (client: string) => {
    const { seen } = await run(`${client} cluster`, 'mjs', await urlOf('redis cluster'))
    return seen.filter(line => !line.startsWith('db_client'))
  }
  expect(await spansOf('redis')).toEqual([
    'server GET < none',
    ...['SET', 'GET', 'INCR', 'INCR'].map(command => `client redis-${command} < GET`),
  ])
  expect(await spansOf('ioredis')).toEqual([
    'server GET < none',
    ...['set', 'get', 'incr'].map(command => `client ${command} < GET`),
  ])
})

test.each(entries)('pg (%s): placeholders stay placeholders', async entry => {
  const { seen, attributes } = await run('pg', entry, await urlOf('postgres'))
  expect(seen).toMatchInlineSnapshot(`
    [
      "server GET < none",
      "client pg-pool.connect < GET",
      "client pg.query:INSERT postgres < GET",
      "client pg-pool.connect < GET",
      "client pg.query:order postgres < GET",
      "client pg-pool.connect < GET",
      "client pg.query:BEGIN postgres < GET",
      "client pg.query:COMMIT postgres < GET",
      "client pg-pool.connect < GET",
      "client pg.query:SELECT postgres < GET (error)",
      "db_client_operation_duration_seconds_count{db_system_name="postgresql",db_namespace="postgres",db_operation_name="CREATE",server_address="127.0.0.1",server_port="N",} 1",
      "db_client_operation_duration_seconds_count{db_system_name="postgresql",db_namespace="postgres",db_operation_name="INSERT",server_address="127.0.0.1",server_port="N",} 1",
      "db_client_operation_duration_seconds_count{db_system_name="postgresql",db_namespace="postgres",db_operation_name="SELECT",server_address="127.0.0.1",server_port="N",} 1",
      "db_client_operation_duration_seconds_count{db_system_name="postgresql",db_namespace="postgres",db_operation_name="BEGIN",server_address="127.0.0.1",server_port="N",} 1",
      "db_client_operation_duration_seconds_count{db_system_name="postgresql",db_namespace="postgres",db_operation_name="COMMIT",server_address="127.0.0.1",server_port="N",} 1",
      "db_client_operation_duration_seconds_count{db_system_name="postgresql",db_namespace="postgres",db_operation_name="SELECT",server_address="127.0.0.1",server_port="N",error_type="_OTHER"} 1",
    ]
  `)
  expect(attributes).toMatchInlineSnapshot(`
    [
      "{"db.postgresql.idle.timeout.millis":10000,"db.system.name":"postgresql","db.namespace":"postgres","server.address":"127.0.0.1","server.port":N}",
      "{"db.system.name":"postgresql","db.namespace":"postgres","server.address":"127.0.0.1","server.port":N,"db.query.text":"INSERT INTO orders VALUES ($1, $2)"}",
      "{"db.postgresql.idle.timeout.millis":10000,"db.system.name":"postgresql","db.namespace":"postgres","server.address":"127.0.0.1","server.port":N}",
      "{"db.system.name":"postgresql","db.namespace":"postgres","server.address":"127.0.0.1","server.port":N,"db.query.text":"SELECT * FROM orders WHERE id = $1","db.postgresql.plan":"order"}",
      "{"db.postgresql.idle.timeout.millis":10000,"db.system.name":"postgresql","db.namespace":"postgres","server.address":"127.0.0.1","server.port":N}",
      "{"db.system.name":"postgresql","db.namespace":"postgres","server.address":"127.0.0.1","server.port":N,"db.query.text":"BEGIN"}",
      "{"db.system.name":"postgresql","db.namespace":"postgres","server.address":"127.0.0.1","server.port":N,"db.query.text":"COMMIT"}",
      "{"db.postgresql.idle.timeout.millis":10000,"db.system.name":"postgresql","db.namespace":"postgres","server.address":"127.0.0.1","server.port":N}",
      "{"db.system.name":"postgresql","db.namespace":"postgres","server.address":"127.0.0.1","server.port":N,"db.query.text":"SELECT * FROM nowhere"}",
    ]
  `)
})

test.each(entries)('mysql2 (%s): placeholders stay placeholders', async entry => {
  const { seen, attributes } = await run('mysql2', entry, await urlOf('mariadb'))
  expect(seen).toMatchInlineSnapshot(`
    [
      "server GET < none",
      "client INSERT < GET",
      "client SELECT < GET",
      "client SELECT < GET (error)",
      "db_client_operation_duration_seconds_count{db_system_name="mysql",db_namespace="mysql",db_operation_name="CREATE",server_address="127.0.0.1",server_port="N",} 1",
      "db_client_operation_duration_seconds_count{db_system_name="mysql",db_namespace="mysql",db_operation_name="INSERT",server_address="127.0.0.1",server_port="N",} 1",
      "db_client_operation_duration_seconds_count{db_system_name="mysql",db_namespace="mysql",db_operation_name="SELECT",server_address="127.0.0.1",server_port="N",} 1",
      "db_client_operation_duration_seconds_count{db_system_name="mysql",db_namespace="mysql",db_operation_name="SELECT",server_address="127.0.0.1",server_port="N",error_type="_OTHER"} 1",
    ]
  `)
  expect(attributes).toMatchInlineSnapshot(`
    [
      "{"db.namespace":"mysql","server.address":"127.0.0.1","server.port":N,"db.system.name":"mysql","db.query.text":"INSERT INTO orders VALUES (?, ?)"}",
      "{"db.namespace":"mysql","server.address":"127.0.0.1","server.port":N,"db.system.name":"mysql","db.query.text":"SELECT * FROM orders WHERE id = ?"}",
      "{"db.namespace":"mysql","server.address":"127.0.0.1","server.port":N,"db.system.name":"mysql","db.query.text":"SELECT * FROM nowhere"}",
    ]
  `)
})

test.each(entries)('mongodb (%s): what is asked for is not told', async entry => {
  const { seen, attributes } = await run('mongodb', entry, await urlOf('ferretdb'))
  expect(seen).toMatchInlineSnapshot(`
    [
      "server GET < none",
      "client insert orders < GET",
      "client find orders < GET",
      "client insert orders < GET",
      "db_client_operation_duration_seconds_count{db_system_name="mongodb",db_namespace="shop",db_operation_name="delete",server_address="127.0.0.1",server_port="N",} 1",
      "db_client_operation_duration_seconds_count{db_system_name="mongodb",db_namespace="shop",db_operation_name="insert",server_address="127.0.0.1",server_port="N",} 2",
      "db_client_operation_duration_seconds_count{db_system_name="mongodb",db_namespace="shop",db_operation_name="find",server_address="127.0.0.1",server_port="N",} 1",
    ]
  `)
  expect(attributes).toMatchInlineSnapshot(`
    [
      "{"db.system.name":"mongodb","db.namespace":"shop","db.operation.name":"insert","db.collection.name":"orders","server.address":"127.0.0.1","server.port":N,"db.query.text":"{\\"_id\\":\\"?\\",\\"card\\":\\"?\\"}"}",
      "{"db.system.name":"mongodb","db.namespace":"shop","db.operation.name":"find","db.collection.name":"orders","server.address":"127.0.0.1","server.port":N,"db.query.text":"{\\"find\\":\\"?\\",\\"filter\\":{\\"card\\":\\"?\\"},\\"limit\\":\\"?\\",\\"singleBatch\\":\\"?\\"}"}",
      "{"db.system.name":"mongodb","db.namespace":"shop","db.operation.name":"insert","db.collection.name":"orders","server.address":"127.0.0.1","server.port":N,"db.query.text":"{\\"_id\\":\\"?\\"}"}",
    ]
  `)
})

test.each(entries)(
  'amqplib (%s): the consumer goes on with the trace and the baggage of who published',
  async entry => {
    const { seen, attributes, lines } = await run('amqplib', entry, await urlOf('rabbitmq'))
    expect(seen).toMatchInlineSnapshot(`
      [
        "server GET < none",
        "producer publish <default> < GET",
        "consumer orders process < publish <default>",
        "internal handle order 7 < orders process",
        "messaging_client_operation_duration_seconds_count{messaging_system="rabbitmq",messaging_operation_name="send",messaging_destination_name="orders",server_address="127.0.0.1",server_port="N",} 1",
        "messaging_process_duration_seconds_count{messaging_system="rabbitmq",messaging_operation_name="process",messaging_destination_name="orders",server_address="127.0.0.1",server_port="N",} 1",
      ]
    `)
    expect(attributes).toMatchInlineSnapshot(`
      [
        "{"messaging.protocol_version":"0.9.1","messaging.url":"amqp://REDACTED:REDACTED@127.0.0.1:N","messaging.protocol":"AMQP","server.address":"127.0.0.1","server.port":N,"messaging.system":"rabbitmq","messaging.destination":"","messaging.destination_kind":"topic","messaging.rabbitmq.routing_key":"orders"}",
        "{"messaging.protocol_version":"0.9.1","messaging.url":"amqp://REDACTED:REDACTED@127.0.0.1:N","messaging.protocol":"AMQP","server.address":"127.0.0.1","server.port":N,"messaging.system":"rabbitmq","messaging.destination":"","messaging.destination_kind":"topic","messaging.rabbitmq.routing_key":"orders","messaging.operation":"process"}",
        "{}",
      ]
    `)
    expect(lines).toMatchObject([{ body: 'order 7', tenant: 'acme' }])
  },
)

test.each(entries)('kafkajs (%s): the consumer goes on with the trace and the baggage of who sent', async entry => {
  const { seen, attributes, lines } = await run('kafkajs', entry, await urlOf('kafka'))
  expect(seen).toMatchInlineSnapshot(`
    [
      "server GET < none",
      "producer send orders-N < GET",
      "consumer process orders-N < send orders-N",
      "internal handle order 7 < process orders-N",
      "messaging_client_operation_duration_seconds_count{messaging_system="kafka",messaging_operation_name="send",messaging_destination_name="orders-N",} 1",
      "messaging_process_duration_seconds_count{messaging_system="kafka",messaging_operation_name="process",messaging_destination_name="orders-N",} 1",
    ]
  `)
  expect(attributes).toMatchInlineSnapshot(`
    [
      "{"messaging.system":"kafka","messaging.destination.name":"orders-N","messaging.kafka.message.key":"7","messaging.operation.name":"send","messaging.operation.type":"send"}",
      "{"messaging.destination.partition.id":"0","messaging.system":"kafka","messaging.destination.name":"orders-N","messaging.operation.type":"process","messaging.operation.name":"process","messaging.kafka.message.key":"7","messaging.kafka.offset":"0","messaging.kafka.cluster.id":"4L6g3nShT-eMCtK--X86sw"}",
      "{}",
    ]
  `)
  expect(lines).toMatchObject([{ body: 'order 7', tenant: 'acme' }])
})

test.each(entries)('grpc-js (%s): client and server, with the statuses of their calls', async entry => {
  const { seen, lines } = await run('grpc', entry, 'none://none')
  expect(seen).toMatchInlineSnapshot(`
    [
      "server GET < none",
      "client grpc.shop.Orders/Get < GET",
      "server grpc.shop.Orders/Get < grpc.shop.Orders/Get",
      "internal handle order 7 < grpc.shop.Orders/Get",
      "client grpc.shop.Orders/Get < GET (error)",
      "server grpc.shop.Orders/Get < grpc.shop.Orders/Get (error)",
      "client grpc.shop.Orders/List < GET",
      "server grpc.shop.Orders/List < grpc.shop.Orders/List",
      "rpc_client_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="shop.Orders/Get",rpc_response_status_code="OK",server_address="127.0.0.1",server_port="N",} 1",
      "rpc_client_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="shop.Orders/Get",rpc_response_status_code="NOT_FOUND",server_address="127.0.0.1",server_port="N",error_type="NOT_FOUND"} 1",
      "rpc_client_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="shop.Orders/List",rpc_response_status_code="OK",server_address="127.0.0.1",server_port="N",} 1",
      "rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="shop.Orders/Get",rpc_response_status_code="OK",} 1",
      "rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="shop.Orders/Get",rpc_response_status_code="NOT_FOUND",error_type="NOT_FOUND"} 1",
      "rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="shop.Orders/List",rpc_response_status_code="OK",} 1",
    ]
  `)
  expect(lines).toMatchObject([{ body: 'order 7', tenant: 'acme' }])
})

test.each([
  { library: 'pg pool', engine: 'postgres', queries: 1 },
  { library: 'mysql2 pool', engine: 'mariadb', queries: 1 },
  { library: 'mysql2 pool, callbacks', engine: 'mariadb', queries: 2 },
  { library: 'mongodb pool', engine: 'ferretdb', queries: 1 },
] as const)(
  '$library: what waits for a connection is in the trace of its own request',
  async ({ library, engine, queries }) => {
    const service = await startService('shared.mjs', {
      env: {
        LIBRARY: library,
        ENGINE: await urlOf(engine),
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      },
    })
    const together = Array.from({ length: 20 }, (_, i) => fetch(`${service.url}/${i}`).then(reply => reply.text()))
    await Promise.all(together)
    service.child.kill()
    await service.ended
    const requests = receiver.spans.filter(span => kinds[span.kind] === 'server')
    const asked = requests.map(({ spanId }) =>
      receiver.spans.filter(span => span.parentSpanId === spanId && !/connect$/.test(span.name)),
    )
    expect(asked.map(spans => spans.length)).toEqual(together.map(() => queries))
  },
)
