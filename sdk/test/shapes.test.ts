import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { startReceiver } from './otlp-receiver.ts'
import { type Service, startService, stopServices, until } from './service.ts'

afterEach(stopServices)

const start = (shape: string, env: Record<string, string> = {}) =>
  startService('shapes.mjs', { env: { SHAPE: shape, ...env } })
const adminPorts = (stderr: string) =>
  [...stderr.matchAll(/health and metrics are on \S+:(\d+)/g)].map(match => match[1])

test('a service that speaks only HTTP/2 is ready too, and ends by its signal', async () => {
  const service = await start('http2')
  expect((await fetch(`${service.adminUrl}/readyz`)).status).toBe(200)
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
})

test('a library that waits for the other listeners of a signal (signal-exit) runs, and the process ends', async () => {
  const service = await start('signal-exit')
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  expect(service.stdout()).toContain('cleaned up')
})

const servedIn = (page: string) =>
  [...page.matchAll(/server_request_duration_seconds_count\{.*\} (\d+)/g)].map(([, count]) => Number(count))

test('the primary of a cluster speaks for its workers: their counts added up, what they are apart, what is gone kept', async () => {
  const service = await start('cluster')
  const metrics = async () => (await fetch(`${service.adminUrl}/metrics`)).text()
  await until(async () => (await fetch(`${service.adminUrl}/readyz`)).status === 200)
  for (let at = 0; at < 4; at++) expect(await (await fetch(service.url)).text()).toBe('hello')
  const page = await metrics()
  expect(servedIn(page)).toEqual([4])
  const memory = [...page.matchAll(/^process_resident_memory_bytes\{shaketable_member="(.*)"\}/gm)].map(
    ([, name]) => name,
  )
  expect(memory.sort()).toEqual(['primary', 'worker 1', 'worker 2'])
  const { members } = (await (await fetch(`${service.adminUrl}/telemetry`)).json()) as { members: object }
  expect(Object.keys(members).sort()).toEqual(['worker 1', 'worker 2'])

  process.kill(Number(/worker 1 is (\d+)/.exec(service.stdout())![1]), 'SIGTERM')
  await until(async () => !(await metrics()).includes('worker 1'))
  expect(servedIn(await metrics())).toEqual([4])
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  expect(adminPorts(service.stderr())).toHaveLength(1)
  expect(service.stdout()).not.toContain('heard')
})

test.each(['the primary alone', 'the whole group'])(
  'a request that a worker still serves is finished and sent when %s is told to end, and no worker is made anew',
  async whom => {
    const receiver = await startReceiver()
    const service = await start('cluster', {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '60000',
    })
    const answer = fetch(`${service.url}/slow`).then(one => one.text())
    await until(() => service.stdout().includes('asked for /slow'))
    const workers = [...service.stdout().matchAll(/worker \d is (\d+)/g)].map(([, pid]) => Number(pid))
    if (whom === 'the whole group') for (const pid of workers) process.kill(pid, 'SIGTERM')
    service.child.kill()
    expect(await answer).toBe('slow')
    expect(await service.ended).toEqual([null, 'SIGTERM'])
    expect(workers.filter(isAlive)).toEqual([])
    expect(service.stdout()).not.toContain('worker 3')
    expect(receiver.spans.map(({ attributes }) => attributes['url.path'])).toEqual(['/slow'])
    await receiver.close()
  },
)

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test("a worker whose primary has no SDK, as a process manager's, has a listener of its own", async () => {
  const service = await startService('shapes.mjs', { env: { SHAPE: 'managed' }, bare: true })
  const admin = await until(() => /health and metrics are on (\S+)/.exec(service.stderr())?.[1])
  await (await fetch(service.url)).text()
  expect(servedIn(await (await fetch(`${admin}/metrics`)).text())).toEqual([1])
  service.child.kill()
  await service.ended
})

test('what a worker thread does is traced, logged and measured, and lives on in the counts when the thread ends', async () => {
  const receiver = await startReceiver()
  const service = await start('worker', {
    WORD: 'end',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'prometheus,otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  })
  const metrics = async () => (await fetch(`${service.adminUrl}/metrics`)).text()
  expect((await fetch(`${service.adminUrl}/readyz`)).status).toBe(200)
  expect(await (await fetch(`${service.url}/a`)).text()).toBe('/a')
  const counted = async () => [servedIn(await metrics()), /^orders_total\{.*\} 1$/m.test(await metrics())]
  expect(await counted()).toEqual([[1], true])
  service.child.kill('SIGUSR2')
  await until(() => service.stdout().includes('thread ended'))
  expect(await counted()).toEqual([[1], true])
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  await receiver.close()

  expect(adminPorts(service.stderr())).toHaveLength(1)
  const [span, ...others] = receiver.spans
  expect(others).toEqual([])
  expect(span).toMatchObject({ kind: 2, name: 'GET', attributes: { 'url.path': '/a' } })
  const traced = { trace_id: span!.traceId, span_id: span!.spanId }
  const lines = service.lines().toSorted((a, b) => String(a.msg).localeCompare(String(b.msg)))
  expect(lines).toMatchObject([
    { msg: 'in the thread', ...traced },
    { msg: 'request completed', ...traced },
  ])
  const sent = receiver.metrics.find(({ name }) => name === 'orders')
  expect(sent?.points.map(({ value }) => value)).toEqual([1])
  expect(sent?.resource['service.instance.id']).toBe(span!.resource['service.instance.id'])
})

test('a request that a worker thread still serves is finished and sent when the process is told to end', async () => {
  const receiver = await startReceiver()
  const service = await start('worker', {
    WORD: 'answer',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '60000',
  })
  const answer = fetch(`${service.url}/slow`).then(one => one.text())
  await until(() => service.stdout().includes('asked for /slow'))
  service.child.kill()
  await until(async () => (await fetch(`${service.adminUrl}/readyz`)).status === 503)
  service.child.kill('SIGUSR2')
  expect(await answer).toBe('/slow')
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  await receiver.close()
  expect(receiver.spans).toMatchObject([{ kind: 2, attributes: { 'http.response.status_code': 200 } }])
})

test('a thread made of the text of a script has the SDK, and its script notices nothing', async () => {
  const told = (service: Service) => service.lines().filter(line => line.msg === undefined)
  const bare = await startService('shapes.mjs', { env: { SHAPE: 'worker eval' }, bare: true })
  const service = await start('worker eval')
  await until(() => told(service).length === 5)
  expect(told(service)).toEqual(told(bare))
  expect(told(service)[3]).toEqual({ bare: false })
  expect(await (await fetch(service.url)).text()).toBe('hello')
  expect(servedIn(await (await fetch(`${service.adminUrl}/metrics`)).text())).toEqual([1])
  for (const one of [bare, service]) one.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  expect(service.lines().filter(line => line.msg === 'request completed')).toHaveLength(1)
  expect(service.stderr().replace(/shaketable: health and .*\n/, '')).toBe('')
})

test.each([
  ['by the flag and twice by code', false],
  ['twice at once by code', true],
])('started %s, the SDK runs once', async (_how, bare) => {
  const service = await startService('shapes.mjs', { env: { SHAPE: 'again' }, bare })
  expect(service.lines()).toEqual([{ same: true }])
  await (await fetch(service.url)).text()
  service.child.kill()
  await service.ended
  expect(adminPorts(service.stderr())).toHaveLength(1)
  expect(service.lines().filter(line => line.msg === 'request completed')).toHaveLength(1)
})

test('an upgraded connection does not hold up the end', async () => {
  const service = await start('upgraded', { SHAKETABLE_DRAIN_TIMEOUT: '30000' })
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1').on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
  await once(socket, 'data')
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  socket.destroy()
})

test('a second signal ends a drain at once', async () => {
  const service = await startService('edge.mjs')
  const hanging = fetch(`${service.url}/hang`).catch(() => 'gone')
  await until(async () =>
    / 1\n/.test((/active_requests\{.*\n/.exec(await (await fetch(`${service.adminUrl}/metrics`)).text()) ?? [''])[0]),
  )
  service.child.kill('SIGTERM')
  await until(async () => (await fetch(`${service.adminUrl}/readyz`)).status === 503)
  service.child.kill('SIGINT')
  expect(await service.ended).toEqual([null, 'SIGINT'])
  expect(await hanging).toBe('gone')
})

/** Runs a command with the SDK in NODE_OPTIONS, as every process of a container gets it. */
async function withNodeOptions(command: string, args: string[]) {
  const child = spawn(command, args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_OPTIONS: '--conditions=@shaketable/source --import=@shaketable/sdk/register',
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { out, error, code }
}

test('NODE_OPTIONS reaches scripts, which stay what they are, and passes package managers by', async () => {
  const [script, npm] = await Promise.all([
    withNodeOptions(process.execPath, ['-e', 'console.log("done"); process.exitCode = 3']),
    withNodeOptions('npm', ['--version']),
  ])
  expect(script).toMatchObject({ out: 'done\n', code: 3 })
  expect(npm.out).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(npm.error).not.toContain('shaketable')
  expect(npm.code).toBe(0)
})
