import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A child process that runs a fixture as a user would: `node --import @shaketable/sdk/register <fixture>`. */
export interface Service {
  url: string
  /** Of the health and metrics listener; empty when the SDK is off. */
  adminUrl: string
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** The JSON lines of stdout. */
  lines(): Record<string, unknown>[]
  /** Resolves with `[exit code, signal]`. */
  ended: Promise<[number | null, NodeJS.Signals | null]>
}

const alive = new Set<ChildProcess>()

export interface ServiceOptions {
  env?: Record<string, string>
  /** Without the SDK: the bare application, for comparison. */
  bare?: boolean
  /** Another Node than the one that runs the tests. */
  node?: string
  /** More of Node's flags, after the SDK's. */
  flags?: string[]
}

export async function startService(fixture: string, options: ServiceOptions = {}): Promise<Service> {
  const file = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url))
  const sdk = options.bare ? [] : ['--import', '@shaketable/sdk/register']
  const flags = ['--conditions=@shaketable/source', ...sdk, ...(options.flags ?? [])]
  const child = spawn(options.node ?? process.execPath, [...flags, file], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: {
      PATH: process.env.PATH,
      OTEL_SERVICE_NAME: 'tested',
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  alive.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', chunk => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', chunk => (stderr += chunk))
  const ended = once(child, 'close').then(([code, signal]): [number | null, NodeJS.Signals | null] => {
    alive.delete(child)
    return [code, signal]
  })
  const port = await Promise.race([
    until(() => /listening (\d+)/.exec(stdout)?.[1]),
    ended.then(end => Promise.reject(new Error(`${fixture} ended early: ${end}\n${stderr}`))),
  ])
  const adminUrl = /health and metrics are on (\S+)/.exec(stderr)?.[1] ?? ''
  const lines = () =>
    stdout
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as Record<string, unknown>)
  return { url: `http://127.0.0.1:${port}`, adminUrl, child, stdout: () => stdout, stderr: () => stderr, lines, ended }
}

/** Kills what a failed test left running. */
export async function stopServices(): Promise<void> {
  for (const child of alive) {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

/** Polls until `look` gives something. */
export async function until<Result>(
  look: () => Result | undefined | false | Promise<Result | undefined | false>,
  limitMs = 30_000,
) {
  const end = performance.now() + limitMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() > end) throw new Error(`not seen within ${limitMs} ms: ${look}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
