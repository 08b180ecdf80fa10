import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCode } from '@shaketable/slo'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Journal, JournalEntry } from '../src/conduct/journal.ts'
import type { LocalProcess } from '../src/experiment/model.ts'
import { localTarget } from '../src/targets/local/local-target.ts'
import { isAlive, seeProcess, signalGroup, signalProcess } from '../src/targets/local/process-table.ts'
import { RunProcesses } from '../src/targets/local/run-processes.ts'
import type { Instance, Target } from '../src/targets/target.ts'
import { processWorld } from '../src/world.ts'
import { smallSystem } from './fixtures/small-system/system.ts'
import { describeTarget } from './target-contract.ts'

const never = new AbortController().signal
let dir: string
let runs = 0
const targets: Target[] = []

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'local-target-'))
})
afterEach(async () => {
  await Promise.all(targets.splice(0).map(target => target.stop()))
  await rm(dir, { recursive: true })
})

function makeTarget(options: { env?: Record<string, string>; user?: NodeJS.ProcessEnv } = {}) {
  const written: JournalEntry[] = []
  const runId = `test-${process.pid}-${++runs}`
  const journal: Journal = { runId, dir, append: async entry => void written.push(entry), close: async () => {} }
  const world = { ...processWorld(never), env: { PATH: process.env.PATH, ...options.user } }
  const target = localTarget({ world, runId, journal, env: options.env ?? {}, logDir: join(dir, runId) })
  targets.push(target)
  return { target, runId, written, logDir: join(dir, runId) }
}

async function ask(url: string): Promise<{ pid: number; child?: number; env: Record<string, string> }> {
  const response = await fetch(url.replace('tcp:', 'http:'), { signal: AbortSignal.timeout(1000) })
  return (await response.json()) as { pid: number; child?: number; env: Record<string, string> }
}

describeTarget('local', async () => {
  const { target, runId } = makeTarget()
  const system = smallSystem()
  return {
    target,
    start: (signal = never) => target.start(system, signal),
    service: 'front',
    restartWithinMs: 10_000,
    answers: async instance => {
      const url = target.urls('front')[target.instances('front').indexOf(instance)] as string
      return ask(url).then(
        ({ pid }) => pid === instance.pid,
        () => false,
      )
    },
    startsThem: true,
    freezes: true,
    countLeft: () => new RunProcesses(runId, []).look().length,
  }
})

describe('an instance of the local target', () => {
  it('finds its own place, its peers and the listeners of the SDK in its environment', async () => {
    const { target, runId } = makeTarget({
      user: { GREETING: 'user', TONE: 'user', PORT: '1', OTEL_RESOURCE_ATTRIBUTES: 'region=eu' },
      env: { TONE: 'flag' },
    })
    await target.start(smallSystem({ env: { GREETING: 'service', TONE: 'service' } }), never)
    const [url] = target.urls('front') as [string, string]
    const { env } = await ask(url)
    expect(env).toMatchObject({
      HOST: '127.0.0.1',
      PORT: new URL(url).port,
      FRONT_URL: target.urls('front').join(','),
      PRICE_STORE_URL: expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:\d+$/),
      OTEL_SERVICE_NAME: 'front',
      OTEL_RESOURCE_ATTRIBUTES: 'region=eu,service.instance.id=front-1',
      OTEL_TRACES_EXPORTER: 'none',
      SHAKETABLE_FAULTS: 'on',
      SHAKETABLE_RUN: runId,
      GREETING: 'service',
      TONE: 'flag',
    })
    const [front] = target.instances('front') as [Instance]
    expect(front.adminUrl).toBe(`http://127.0.0.1:${env.OTEL_EXPORTER_PROMETHEUS_PORT}`)
    expect(front.faultControl).toEqual({
      url: `http://127.0.0.1:${env.SHAKETABLE_FAULTS_PORT}`,
      key: env.SHAKETABLE_FAULTS_KEY,
    })

    const [store] = target.instances('price-store') as [Instance]
    expect([store.adminUrl, store.faultControl]).toEqual([undefined, undefined])
    expect((await ask(target.urls('price-store')[0] as string)).env.SHAKETABLE_FAULTS).toBeUndefined()
  })

  it('sends its spans where the user has an OTLP endpoint', async () => {
    const { target } = makeTarget({ user: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' } })
    await target.start(smallSystem(), never)
    expect((await ask(target.urls('front')[0] as string)).env.OTEL_TRACES_EXPORTER).toBeUndefined()
  })

  it('is announced in the journal before it is started, and named there without any key', async () => {
    const { target, written } = makeTarget()
    await target.start(smallSystem(), never)
    const ofFront = written.filter(entry => 'instance' in entry && entry.instance === 'front-1')
    expect(ofFront.map(({ type }) => type)).toEqual(['process-starting', 'process-started'])
    const [front] = target.instances('front') as [Instance]
    const startTime = seeProcess(front.pid as number)?.startTime
    expect(ofFront[1]).toMatchObject({ pid: front.pid, pgid: front.pid, startTime })
    expect(JSON.stringify(written)).not.toContain(front.faultControl?.key)
  })

  it('takes its children with it when it crashes', async () => {
    const { target } = makeTarget()
    await target.start(smallSystem({ env: { CHILD: 'yes' } }), never)
    const { child } = await ask(target.urls('front')[0] as string)
    const seen = seeProcess(child as number)
    expect(seen).toBeDefined()
    await target.instances('front')[0]?.crash()
    await expect.poll(() => isAlive(seen as NonNullable<typeof seen>)).toBe(false)
  })

  it('takes its children with it when it ends on SIGTERM without ending them', async () => {
    const { target } = makeTarget()
    await target.start(smallSystem({ env: { CHILD: 'yes' } }), never)
    const { child } = await ask(target.urls('front')[0] as string)
    const seen = seeProcess(child as number)
    await target.instances('front')[0]?.terminate(5000)
    await expect.poll(() => isAlive(seen as NonNullable<typeof seen>)).toBe(false)
  })

  it('is killed when it does not end within its grace', async () => {
    const { target } = makeTarget()
    const exits: (string | undefined)[] = []
    target.events(({ kind, detail }) => kind === 'exited' && exits.push(detail))
    await target.start(smallSystem({ env: { STUBBORN: 'yes' }, graceMs: 100 }), never)
    await target.instances('front')[0]?.terminate(100)
    expect(exits).toEqual(['SIGKILL'])
  })

  it('cannot be frozen while it is down', async () => {
    const { target } = makeTarget()
    await target.start(smallSystem({ restartDelayMs: 60_000 }), never)
    const [front] = target.instances('front') as [Instance]
    await front.crash()
    expect(front.pid).toBeUndefined()
    await expect(front.freeze()).rejects.toMatchObject({ code: 'SHAKETABLE_INSTANCE_DOWN' })
  })
})

describe('starting a system', () => {
  const failing = async (front: Partial<LocalProcess>) => {
    const { target, ...rest } = makeTarget()
    const error = await target.start(smallSystem(front), never).catch(error => error)
    return { error, target, ...rest }
  }

  it('fails with the instance, its exit code and its last words when one ends before it is ready', async () => {
    const { error, target, runId, logDir } = await failing({ replicas: 1, env: { EXIT_WITH: '3' } })
    expect(error).toMatchObject({ code: 'SHAKETABLE_START_FAILED', exitCode: exitCode.void })
    expect(error.message).toBe('front-1 ended before it was ready: exit code 3\n  | no database, so exit 3')
    await target.stop()
    expect(new RunProcesses(runId, []).look()).toEqual([])
    expect(await readFile(join(logDir, 'front-1.log'), 'utf8')).toContain('no database, so exit 3')
  })

  it('fails with the command when it cannot be run at all', async () => {
    const { error } = await failing({ command: ['no-such-command-here'] })
    expect(error).toMatchObject({ code: 'SHAKETABLE_START_FAILED', exitCode: exitCode.void })
    expect(error.message).toMatch(/^front-[12]: no-such-command-here cannot be run: .*(ENOENT|EACCES)/)
  })

  it('refuses a service that has no local process', async () => {
    const { target } = makeTarget()
    const system = smallSystem()
    system.services.push({ name: 'far', local: undefined, ready: '/readyz', place: system.place })
    await expect(target.start(system, never)).rejects.toMatchObject({ code: 'SHAKETABLE_NOT_LOCAL', exitCode: 2 })
  })

  it('is given up on an abort, with its reason', async () => {
    const { target, runId } = makeTarget()
    const abort = new AbortController()
    target.events(({ kind }) => kind === 'started' && abort.abort(new Error('enough')))
    await expect(target.start(smallSystem({ env: { READY_AFTER_MS: '60000' } }), abort.signal)).rejects.toThrow(
      'enough',
    )
    await target.stop()
    expect(new RunProcesses(runId, []).look()).toEqual([])
  })

  it('gives two systems at once ports of their own', async () => {
    const [one, two] = [makeTarget(), makeTarget()]
    await Promise.all([one.target.start(smallSystem(), never), two.target.start(smallSystem(), never)])
    const urls = [one, two].flatMap(({ target }) => [...target.urls('front'), ...target.urls('price-store')])
    expect(new Set(urls).size).toBe(6)
  })
})

describe('a signal', () => {
  it('never reaches another process that got the pid', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
    try {
      const pid = stranger.pid as number
      const startTime = seeProcess(pid)?.startTime as string
      const mistaken = { pid, startTime: `${startTime}0` }
      expect(signalProcess(mistaken, 'SIGKILL')).toBe(false)
      expect(signalGroup(mistaken, 'SIGKILL')).toBe(false)
      expect(new RunProcesses('no-such-run', [mistaken]).look()).toEqual([])
      expect(isAlive({ pid, startTime })).toBe(true)
      expect(signalGroup({ pid, startTime }, 'SIGKILL')).toBe(true)
    } finally {
      stranger.kill('SIGKILL')
    }
  })
})
