import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type ArmRequest, authorizationOf, type FaultList, type FaultStatus } from '../../src/faults/wire.ts'

export const controlKey = 'a-key-of-32-characters-for-tests'

export interface App {
  url: string
  /** Of the fault control; `undefined` where nothing listens. */
  control: string | undefined
  warnings: string[]
  counted: string[]
  child: ChildProcess
  /** What `--import @shaketable/sdk/register` wrote, line by line. */
  lines: string[]
  /** Health and metrics; empty without the SDK's core. */
  admin: string
  stop(): Promise<void>
}

const fixture = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Starts the service with faults enabled and nothing else of the SDK, as a process of its own. */
export async function startApp(env: Record<string, string> = {}): Promise<App> {
  const app = launch(fixture('enable.ts'), { CONTROL_KEY: controlKey, ...env })
  let enabled = false
  await new Promise<void>((resolve, reject) => {
    app.child.once('exit', code => reject(new Error(`the app ended with ${code}`)))
    app.child.on('message', (message: { control?: number | null; warn?: string; count?: string }) => {
      if (message.warn) app.warnings.push(message.warn)
      if (message.count) app.counted.push(message.count)
      if (message.control) app.control = `http://127.0.0.1:${message.control}`
      if (message.control !== undefined) enabled = true
      if (enabled && app.url) resolve()
    })
  })
  return app
}

/** Starts the service with the whole SDK, as a user does; `SHAKETABLE_FAULTS: 'off'` without fault control. */
export async function startRegistered(env: Record<string, string> = {}): Promise<App> {
  const app = launch(fixture('../../src/register.ts'), {
    SHAKETABLE_FAULTS: 'on',
    SHAKETABLE_FAULTS_KEY: controlKey,
    SHAKETABLE_FAULTS_PORT: '0',
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_SERVICE_NAME: 'app',
    ...env,
  })
  await new Promise<void>((resolve, reject) => {
    app.child.once('exit', code => reject(new Error(`the app ended with ${code}: ${app.lines.join(' ')}`)))
    const look = () => {
      const said = app.lines.join(' ')
      app.control = /fault control is on (http:\/\/[\d.]+:\d+)/.exec(said)?.[1]
      app.admin = /health and metrics are on (http:\/\/[\d.]+:\d+)/.exec(said)?.[1] ?? ''
      if ((app.control || env.SHAKETABLE_FAULTS === 'off') && app.admin && app.url) resolve()
    }
    for (const stream of [app.child.stdout!, app.child.stderr!])
      createInterface({ input: stream }).on('line', line => {
        app.lines.push(line)
        look()
      })
    app.child.on('message', look)
  })
  return app
}

function launch(preload: string, env: Record<string, string>): App {
  const piped = preload.endsWith('register.ts') ? 'pipe' : 'inherit'
  const child = spawn(process.execPath, ['--import', preload, fixture('server.ts')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', piped, piped, 'ipc'],
  })
  const stop = async () => {
    const gone = new Promise(resolve => child.once('exit', resolve))
    if (child.kill('SIGKILL')) await gone
  }
  const app: App = { url: '', admin: '', control: undefined, warnings: [], counted: [], lines: [], child, stop }
  child.on('message', (message: { port?: number }) => {
    if (message.port) app.url = `http://127.0.0.1:${message.port}`
  })
  return app
}

/** A runner's side of the wire. */
export function runner(control: string, key = controlKey) {
  const call = async (method: string, path: string, body?: unknown) => {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    const reply = await fetch(control + path, {
      method,
      headers: { authorization: authorizationOf({ method, path, body: text }, key) },
      body: text || null,
    })
    return { status: reply.status, body: (await reply.json()) as FaultStatus & FaultList & { error: string } }
  }
  return {
    call,
    arm: (id: string, request: ArmRequest) => call('PUT', `/faults/${id}`, request),
    renew: (ids: string[], leaseMs: number) => call('POST', '/lease', { ids, leaseMs }),
    disarm: (id: string) => call('DELETE', `/faults/${id}`),
    list: async () => (await call('GET', '/faults')).body.faults,
  }
}
