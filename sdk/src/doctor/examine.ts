import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { adminPath, variable } from '../names.ts'
import { type AppEnd, appsOf, type Examination, type Scrape } from './examination.ts'
import { allOf, firstOf, readSeen, type SeenProcess } from './seen.ts'

export interface ExamineOptions {
  command: readonly string[]
  /** How long the app may take until it listens. */
  waitMs: number
  /** Between SIGTERM and SIGKILL. */
  graceMs: number
  /** Where the app's own output goes, if anywhere. */
  output: Writable | undefined
  signal: AbortSignal
}

/** What is loaded or said right after the app listens still counts. */
const settleMs = 250

const preload = fileURLToPath(new URL('../../bin/doctor-preload.cjs', import.meta.url))

/**
 * Starts the command as it is, looks until it listens and the canary has come back, and ends it. Nothing that it started is
 * left when this resolves. Rejects with the error of the system when the command cannot be started.
 */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const { command, waitMs, graceMs, signal } = options
  const folder = mkdtempSync(join(tmpdir(), 'shaketable-doctor-'))
  try {
    const app = await startApp(folder, options)
    const scrapes = new Map<number, Scrape>()
    try {
      await look(app, folder, waitMs, signal)
      for (const seen of app.end ? [] : readSeen(folder)) {
        const scrape = await scrapeMetrics(seen)
        if (scrape) scrapes.set(seen.pid, scrape)
      }
    } finally {
      await endApp(app, graceMs)
    }
    return { command, processes: readSeen(folder), scrapes, waitMs, graceMs, end: app.end! }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface App {
  child: ChildProcess
  /** Set when it has ended. */
  end: AppEnd | undefined
  /** Whether nothing holds its output any more, what it has started included. A zombie holds nothing. */
  closed: boolean
  asked: boolean
}

async function startApp(folder: string, { command, output }: ExamineOptions): Promise<App> {
  const [program = '', ...rest] = command
  const nodeOptions = [`--require ${JSON.stringify(preload)}`, process.env.NODE_OPTIONS].filter(Boolean).join(' ')
  const child = spawn(program, rest, {
    env: { ...process.env, NODE_OPTIONS: nodeOptions, [variable.doctor]: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that nothing which it starts can be left.
    detached: process.platform !== 'win32',
  })
  const app: App = { child, end: undefined, closed: false, asked: false }
  let lastWords = ''
  child.stdout.on('data', chunk => output?.write(chunk))
  child.stderr.on('data', chunk => {
    output?.write(chunk)
    lastWords = (lastWords + chunk).slice(-4_096)
  })
  child.on('exit', (code, signal) => {
    app.end = {
      byItself: !app.asked,
      code,
      signal,
      killed: false,
      get lastWords() {
        return lastWords
      },
    }
  })
  child.on('close', () => {
    app.closed = true
  })
  await once(child, 'spawn')
  return app
}

async function look(app: App, folder: string, waitMs: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + waitMs
  let events = 0
  let quietSince = performance.now()
  while (!app.end && !signal.aborted && performance.now() < end) {
    await sleep(20)
    const seen = readSeen(folder)
    const count = seen.reduce((sum, one) => sum + one.observations.length, 0)
    if (count !== events) quietSince = performance.now()
    events = count
    if (isUp(appsOf(seen)) && performance.now() - quietSince >= settleMs) return
  }
}

/** It listens, and whoever has the SDK has its canary's answer. */
function isUp(apps: readonly SeenProcess[]): boolean {
  const withSdk = apps.filter(app => firstOf(app, 'hooks'))
  if (withSdk.length === 0) return apps.some(app => firstOf(app, 'listens'))
  const answered = (app: SeenProcess) => {
    const sdk = firstOf(app, 'sdk')
    const awaited = [sdk?.spans.destination, sdk?.pushedTo, sdk?.logsTo].filter(Boolean).length
    return sdk && allOf(app, 'canary').length === awaited
  }
  return withSdk.every(answered) && withSdk.some(app => firstOf(app, 'serves'))
}

async function scrapeMetrics(seen: SeenProcess): Promise<Scrape | undefined> {
  const sdk = firstOf(seen, 'sdk')
  if (!sdk?.scraped || sdk.admin.listeningOn === undefined) return undefined
  const everywhere: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }
  const host = everywhere[sdk.admin.host] ?? (sdk.admin.host.includes(':') ? `[${sdk.admin.host}]` : sdk.admin.host)
  const url = `http://${host}:${sdk.admin.listeningOn}${adminPath.metrics}`
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) })
    const text = await answer.text()
    if (!answer.ok) return { url, samples: 0, failure: `it answered ${answer.status}` }
    return { url, samples: text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length }
  } catch (error) {
    const { message, cause } = error as Error
    return { url, samples: 0, failure: cause instanceof Error ? cause.message : message }
  }
}

/** SIGTERM to what was started, as a scheduler would; then to what it has left behind; SIGKILL to what still lives. */
async function endApp(app: App, graceMs: number): Promise<void> {
  const { child } = app
  const end = performance.now() + graceMs
  const beforeTheEnd = async (over: () => boolean) => {
    while (!over() && performance.now() < end) await sleep(20)
    return over()
  }
  if (!app.end) {
    app.asked = true
    child.kill('SIGTERM')
    await beforeTheEnd(() => app.end !== undefined)
  }
  if (app.end && !app.closed) signalGroup(child, 'SIGTERM')
  const gone = await beforeTheEnd(() => app.closed)
  // Also to what has let go of its output, and would otherwise be left.
  signalGroup(child, 'SIGKILL')
  while (!app.closed) await sleep(20)
  app.end!.killed = !gone
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid!, signal)
  } catch {
    // Gone meanwhile.
  }
}
