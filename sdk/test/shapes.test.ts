import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { startService, stopServices, until } from './service.ts'

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

test('each worker of a cluster is ready and measured by itself', async () => {
  const service = await start('cluster')
  await until(() => adminPorts(service.stderr()).length === 3)
  expect(new Set(adminPorts(service.stderr())).size).toBe(3)
  for (let at = 0; at < 4; at++) expect(await (await fetch(service.url)).text()).toBe('hello')
  const scrapes = adminPorts(service.stderr()).map(async port => {
    const admin = `http://127.0.0.1:${port}`
    const metrics = await (await fetch(`${admin}/metrics`)).text()
    const served = Number(/server_request_duration_seconds_count\{.*\} (\d+)/.exec(metrics)?.[1] ?? 0)
    return { ready: (await fetch(`${admin}/readyz`)).status, served }
  })
  const seen = await Promise.all(scrapes)
  expect(seen.map(one => one.ready).sort()).toEqual([200, 200, 503])
  expect(seen.reduce((sum, one) => sum + one.served, 0)).toBe(4)
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
})

test('worker threads run without the SDK', async () => {
  const service = await start('worker')
  expect(await (await fetch(`${service.url}/a`)).text()).toBe('/a')
  expect(adminPorts(service.stderr())).toHaveLength(1)
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  expect(service.lines()).toEqual([])
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
