import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface SpanCounts {
  made: number
  sent: number
  dropped: number
  waiting: number
  packed: { spans: number; bytes: number }
}

/** The service under the SDK, started as a user starts it. */
export class Service {
  readonly child: ChildProcess
  port = 0
  adminUrl = ''
  stderr = ''

  private constructor(env: Record<string, string>) {
    this.child = spawn(
      process.execPath,
      [
        '--conditions=@shaketable/source',
        '--import',
        '@shaketable/sdk/register',
        fileURLToPath(new URL('app.mjs', import.meta.url)),
      ],
      {
        cwd: fileURLToPath(new URL('..', import.meta.url)),
        env: { PATH: process.env.PATH, OTEL_SERVICE_NAME: 'soaked', OTEL_EXPORTER_PROMETHEUS_PORT: '0', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.child.stderr!.setEncoding('utf8').on('data', text => (this.stderr += text))
  }

  /** `onLine` sees every line of stdout but the first. */
  static async start(env: Record<string, string>, onLine: (line: string) => void): Promise<Service> {
    const service = new Service(env)
    const lines = createInterface({ input: service.child.stdout! })
    const listening = new Promise<number>((resolve, reject) => {
      lines.on('line', line => {
        const port = /^listening (\d+)$/.exec(line)?.[1]
        if (port && service.port === 0) resolve(Number(port))
        else onLine(line)
      })
      service.child.once('exit', code => reject(new Error(`the service ended with ${code}: ${service.stderr}`)))
    })
    service.port = await listening
    service.adminUrl = /health and metrics are on (\S+)/.exec(service.stderr)![1]!
    return service
  }

  get rssMb(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))![1]) / 1024
  }

  async spans(): Promise<SpanCounts> {
    return ((await (await fetch(`${this.adminUrl}/telemetry`)).json()) as { spans: SpanCounts }).spans
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.adminUrl}/metrics`)).text()
  }

  /** By SIGTERM; SIGKILL after 30 s. Returns the signal or the exit code. */
  async stop(): Promise<NodeJS.Signals | number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'close')
      this.child.kill('SIGTERM')
      const late = setTimeout(() => this.child.kill('SIGKILL'), 30_000)
      await gone
      clearTimeout(late)
    }
    return this.child.signalCode ?? this.child.exitCode
  }
}
