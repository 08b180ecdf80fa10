import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { Report } from '../src/doctor/report.ts'
import { startReceiver } from './otlp-receiver.ts'

const room = fileURLToPath(new URL('..', import.meta.url))
const register = ['--import', '@shaketable/sdk/register']
const running = new Set<ChildProcess>()
const folders = new Set<string>()

afterEach(async () => {
  for (const child of running) {
    child.kill('SIGTERM')
    await once(child, 'close')
  }
  for (const folder of folders) rmSync(folder, { recursive: true })
  folders.clear()
})

const temporary = () => {
  const folder = mkdtempSync(join(tmpdir(), 'shaketable-doctored-'))
  folders.add(folder)
  return folder
}

/** Runs the command as a user does; its own temporary files are to be gone afterwards. */
async function doctor(args: string[], env: Record<string, string> = {}, interruptAt?: RegExp) {
  const scratch = temporary()
  const child = spawn(process.execPath, ['bin/shaketable-sdk.mjs', ...args], {
    cwd: room,
    env: {
      PATH: process.env.PATH,
      TMPDIR: scratch,
      OTEL_SERVICE_NAME: 'doctored',
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', chunk => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', chunk => {
    stderr += chunk
    if (interruptAt?.test(stderr)) child.kill('SIGINT')
  })
  const [code] = await once(child, 'close')
  running.delete(child)
  expect(readdirSync(scratch)).toEqual([])
  const report = () => JSON.parse(stdout) as Report
  const codes = () => report().findings.map(one => one.code)
  return { code, stdout, stderr, report, codes }
}

/** Runs the doctor before a command that starts Node. */
const examineNode = (args: string[], env?: Record<string, string>, options: string[] = []) =>
  doctor(['doctor', '--json', ...options, '--', process.execPath, ...args], env)

const lives = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a healthy service: what is instrumented, a canary that arrived, samples, a traced log line, and no finding', async () => {
  const receiver = await startReceiver()
  const env = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
  const { code, stderr, report } = await examineNode([...register, 'test/fixtures/express5.mjs'], env)
  await receiver.close()
  expect(report().findings).toEqual([])
  expect([code, stderr]).toEqual([0, ''])
  const [app] = report().apps
  expect(app).toMatchObject({ service: 'doctored', nodeVersion: process.versions.node, logs: { traced: true } })
  expect(app!.ports).toHaveLength(1)
  expect(app!.instrumented.map(one => one.library)).toEqual(expect.arrayContaining(['router', 'pino']))
  expect(app!.apiCopies).toHaveLength(1)
  expect(app!.traces).toMatchObject({ destination: `OTLP http/protobuf to ${receiver.url}/v1/traces`, delivered: true })
  expect(app!.metrics.samples).toBeGreaterThan(20)
  expect(receiver.spans.map(span => [span.name, span.resource['service.name']])).toEqual([
    ['shaketable doctor', 'doctored'],
  ])
  expect(lives(app!.pid)).toBe(false)
})

test('Fastify, which is met on its own channel, is listed', async () => {
  const { report } = await examineNode([...register, 'test/fixtures/frameworks/entry.mjs'], { FRAMEWORK: 'fastify' })
  expect(report().apps[0]!.instrumented).toContainEqual({ library: 'fastify', version: expect.stringMatching(/^5\./) })
})

test('without the flag the report for people says which one to add', async () => {
  const { code, stdout } = await doctor(['doctor', '--', 'node', 'test/fixtures/express4.mjs'])
  expect(code).toBe(1)
  expect(stdout).toBe(`shaketable doctor: node test/fixtures/express4.mjs

problem SHAKETABLE_FLAG_MISSING
  the SDK is not loaded by this command
  -> start it so: node --import @shaketable/sdk/register test/fixtures/express4.mjs

1 problem
`)
})

test('an early import, a dead collector, a taken port and three variables are each found', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { code, codes, report } = await examineNode(
    ['--import', 'express', ...register, 'test/fixtures/express5.mjs'],
    {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String((taken.address() as AddressInfo).port),
      OTEL_METRICS_EXPORTER: 'prometheus,otlp',
      OTEL_SERVICENAME: 'orders',
      SHAKETABLE_FAULTS_PORT: '9000',
      OTEL_TRACES_SAMPLER: 'sometimes',
    },
  )
  taken.close()
  expect(codes().sort()).toEqual([
    'SHAKETABLE_LOADED_TOO_EARLY',
    'SHAKETABLE_METRICS_NOT_DELIVERED',
    'SHAKETABLE_PORT_TAKEN',
    'SHAKETABLE_TRACES_NOT_DELIVERED',
    'SHAKETABLE_VARIABLE_IGNORED',
    'SHAKETABLE_VARIABLE_REFUSED',
    'SHAKETABLE_VARIABLE_UNKNOWN',
  ])
  const told = report().findings.map(one => `${one.message} ${one.advice}`)
  expect(told.find(line => line.startsWith('router 2'))).toContain('was loaded before the SDK')
  expect(told.find(line => line.startsWith('a test span'))).toContain('ECONNREFUSED')
  expect(told.find(line => line.startsWith('OTEL_SERVICENAME'))).toContain('did you mean OTEL_SERVICE_NAME?')
  expect(code).toBe(1)
})

test('a copy of the API that does not reach the SDK is found, and so is what its spans become', async () => {
  const project = temporary()
  const copy = join(project, 'node_modules/@opentelemetry/api')
  cpSync(join(room, '../node_modules/@opentelemetry/api'), copy, { recursive: true })
  for (const file of ['package.json', 'dist/version.mjs']) {
    const text = readFileSync(join(copy, file), 'utf8')
    writeFileSync(join(copy, file), text.replace('"1.10.0"', '"1.99.0"'))
  }
  writeFileSync(
    join(project, 'app.mjs'),
    `import { createServer } from 'node:http'
import { trace } from '@opentelemetry/api'
console.log(trace.getTracer('mine').startSpan('lost').spanContext().traceId)
createServer().listen(0, '127.0.0.1')
`,
  )
  const { code, stderr, report } = await examineNode([...register, join(project, 'app.mjs')], {}, ['--show-output'])
  expect(stderr).toContain('00000000000000000000000000000000')
  expect(
    report()
      .apps[0]!.apiCopies.map(one => one.version)
      .sort(),
  ).toEqual(['1.10.0', '1.99.0'])
  const problems = report().findings.filter(one => one.level === 'problem')
  expect(problems.map(one => one.code)).toEqual(['SHAKETABLE_API_COPIES'])
  expect(problems[0]!.message).toContain(`1.99.0 in ${copy} does not reach the SDK`)
  expect(code).toBe(1)
})

test('what a wrapper leaves behind and what ignores SIGTERM is ended all the same', async () => {
  const stubborn = `process.on('SIGTERM', () => {}); require('http').createServer().listen(0, function () { console.log('port', this.address().port) })`
  const wrapped = `"${process.execPath}" -e "${stubborn}"; true`
  const options = ['doctor', '--json', '--show-output', '--grace-ms', '200', '--', 'sh', '-c', wrapped]
  const { code, codes, stderr } = await doctor(options)
  expect(codes()).toEqual(['SHAKETABLE_FLAG_MISSING', 'SHAKETABLE_APP_KILLED'])
  await expect(fetch(`http://127.0.0.1:${/port (\d+)/.exec(stderr)![1]}`)).rejects.toThrow()
  expect(code).toBe(1)
})

test('an interrupted doctor leaves nothing running', async () => {
  const worker = `console.log('pid', process.pid, '.'); setInterval(() => {}, 1000)`
  const options = ['doctor', '--show-output', '--', process.execPath, '-e', worker]
  const { code, stdout, stderr } = await doctor(options, {}, /pid \d+ \./)
  expect(lives(Number(/pid (\d+)/.exec(stderr)![1]))).toBe(false)
  expect([code, stdout]).toEqual([130, ''])
})

test('start() from code sees all that is loaded after it, pino included', async () => {
  const main = `import { start } from '@shaketable/sdk'
await start()
await import('./test/fixtures/express5.mjs')`
  const { codes, report } = await examineNode(['--input-type=module', '-e', main])
  expect(codes()).toEqual(['SHAKETABLE_TRACES_OFF'])
  expect(report().apps[0]!.logs.traced).toBe(true)
})

test('a service that fails is told with its last words', async () => {
  const { code, codes, report } = await examineNode([...register, '-e', 'throw new Error("no database")'])
  expect(codes()).toEqual(['SHAKETABLE_TRACES_OFF', 'SHAKETABLE_APP_FAILED'])
  expect(report().findings[1]!.message).toBe('the app ended by itself with exit code 1: Error: no database')
  expect(code).toBe(1)
})

test.each([
  [['doctor', 'node', 'server.js'], 'expected -- before'],
  [['doctor', '--', 'no-such-command'], 'no-such-command cannot be started: there is no such command'],
])('called wrongly, as %j, it says what it expects and exits with 2', async (args, said) => {
  const { code, stdout, stderr } = await doctor(args)
  expect(stderr).toContain(said)
  expect([code, stdout]).toEqual([2, ''])
})
