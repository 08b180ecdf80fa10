/** The first experiment for a service that runs, written from what its telemetry shows. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { promiseOf } from '../src/init/first-files.ts'
import { seenRoutes } from '../src/init/telemetry.ts'
import { fixture } from './cli.ts'
import { shaketable } from './in-process.ts'

const bucket = (labels: string, le: string, value: number) =>
  `http_server_request_duration_seconds_bucket{${labels},le="${le}"} ${value}\n`
const exposition = (
  method: string,
  route: string,
  status: number,
  { quick, slow }: { quick: number; slow: number },
) => {
  const labels = `http_request_method="${method}",http_route="${route}",http_response_status_code="${status}"`
  const all = quick + slow
  return `${bucket(labels, '0.025', quick)}${bucket(labels, '0.05', quick)}${bucket(labels, '0.1', quick)}${bucket(labels, '0.25', quick)}${bucket(labels, '0.5', all)}${bucket(labels, '+Inf', all)}http_server_request_duration_seconds_count{${labels}} ${all}\n`
}

describe('what is promised first', () => {
  test('is a little less than what the service does: twice the time of 99 %, and the next target below', () => {
    const [route] = seenRoutes(
      exposition('GET', '/x', 200, { quick: 990, slow: 0 }) + exposition('GET', '/x', 503, { quick: 4, slow: 0 }),
    )
    expect(route).toMatchObject({ method: 'GET', route: '/x', requests: 994, statuses: [200] })
    expect(promiseOf(route!)).toMatchObject({ underSeconds: 0.05, target: 0.99 })
  })

  test('is of the busiest route, and not of probes', () => {
    const text =
      exposition('GET', '/health', 200, { quick: 9000, slow: 0 }) +
      exposition('GET', '/a', 200, { quick: 10, slow: 0 }) +
      exposition('GET', '/b/:id', 200, { quick: 20, slow: 0 })
    expect(seenRoutes(text).map(({ route }) => route)).toEqual(['/b/:id', '/a'])
  })

  test('is low where the service does badly', () => {
    const failing = exposition('GET', '/x', 503, { quick: 15, slow: 0 })
    const [route] = seenRoutes(exposition('GET', '/x', 200, { quick: 85, slow: 0 }) + failing)
    expect(promiseOf(route!)).toMatchObject({ underSeconds: 0.05, target: 0.8 })
  })
})

/** Says on stdout where it listens, and where its metrics are. */
const service = `
import express from 'express'
const app = express()
app.get('/item/:id', (request, response) => response.json({ id: request.params.id }))
const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log('PORT ' + server.address().port))
`

let cwd: string
let child: ChildProcess
let said = ''
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'init-test-'))
  await writeFile(join(cwd, 'server.mjs'), service)
  const start = 'node --import @shaketable/sdk/register server.mjs'
  await writeFile(join(cwd, 'package.json'), JSON.stringify({ name: '@acme/item-store', scripts: { start } }))
  await symlink(fixture('../../../node_modules'), join(cwd, 'node_modules'))
  child = spawn(process.execPath, ['--conditions=@shaketable/source', ...start.split(' ').slice(1)], {
    cwd,
    env: { ...process.env, OTEL_EXPORTER_PROMETHEUS_PORT: '0', OTEL_TRACES_EXPORTER: 'none', PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', chunk => (said += chunk))
})
afterAll(async () => {
  child.kill('SIGKILL')
  await rm(cwd, { recursive: true, force: true })
})

const heard = async (pattern: RegExp) => {
  await expect.poll(() => said, { timeout: 30_000 }).toMatch(pattern)
  return pattern.exec(said)![1]!
}

test('a service that runs gets a system, objectives and an experiment that are sound, and are not overwritten', async () => {
  const port = await heard(/PORT (\d+)/)
  const metrics = await heard(/metrics are on (http:\S+)/)

  const nothing = await shaketable(['init', metrics], cwd)
  expect(nothing.code).toBe(2)
  expect(nothing.stderr).toMatch(/tells of no GET that was answered on a named route, saw none at all/)

  for (let request = 0; request < 50; request++) await (await fetch(`http://127.0.0.1:${port}/item/7`)).text()
  const { code, stdout, stderr } = await shaketable(['init', metrics, '--path', '/item/7'], cwd)
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/from what it shows of GET \/item\/:id/) })
  const files = stdout.trim().split('\n')
  expect(files).toEqual([
    'system.yaml',
    'objectives/item-store-availability.yaml',
    'objectives/item-store-latency.yaml',
    'experiments/slow-item-store.yaml',
  ])
  const { code: valid, stdout: summary } = await shaketable(['validate', ...files], cwd)
  expect({ valid, lines: summary.trim().split('\n').length }).toEqual({ valid: 0, lines: 4 })
  const plan = await shaketable(['run', 'experiments', '--dry-run'], cwd)
  expect(plan.stdout).toMatch(/hits item-store-1/)
  expect(await readFile(join(cwd, 'system.yaml'), 'utf8')).toContain('path: /item/7')

  const again = await shaketable(['init', metrics], cwd)
  expect(again).toMatchObject({ code: 2, stderr: expect.stringMatching(/system\.yaml is there already/) })
})

test('where nobody tells metrics it says so', async () => {
  const { code, stderr } = await shaketable(['init', 'http://127.0.0.1:9'], cwd)
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(/no metrics at http:\/\/127\.0\.0\.1:9\/metrics \(/),
  })
})
