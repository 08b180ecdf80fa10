import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../.ci/tools/free-port.ts'
import { goProgram } from '../../.ci/tools/go.ts'
import { classPath } from '../../.ci/tools/maven.ts'
import { type Engine, startEngine } from './processes.ts'

const house = fileURLToPath(new URL('../..', import.meta.url))
export const otelcolFile = (name: string): string => join(house, 'collector-config/otelcol', name)

export interface Collector extends Engine {
  /** Takes OTLP over HTTP here. */
  url: string
  /** `host:port` of its own metrics. */
  metrics: string
}

/** A collector with our files, the later ones over the earlier. */
export async function startCollector(
  files: string[],
  options: { folder: string; env: Record<string, string>; port?: number },
): Promise<Collector> {
  const port = options.port ?? (await freePort())
  const metrics = await freePort()
  const engine = await startEngine(
    goProgram('otelcol'),
    files.map(file => `--config=${otelcolFile(file)}`),
    {
      env: {
        OTLP_HTTP_LISTEN: `127.0.0.1:${port}`,
        OTLP_GRPC_LISTEN: '127.0.0.1:0',
        HEALTH_LISTEN: '127.0.0.1:0',
        OTELCOL_METRICS_HOST: '127.0.0.1',
        OTELCOL_METRICS_PORT: String(metrics),
        OTELCOL_STORAGE: join(options.folder, `queue-${port}`),
        SERVICE_LOGS: join(options.folder, '*.log'),
        ...options.env,
      },
      ready: said => said.includes('Everything is ready'),
    },
  )
  return { ...engine, url: `http://127.0.0.1:${port}`, metrics: `127.0.0.1:${metrics}` }
}

/** A real Zipkin, in memory. */
export async function startZipkin(): Promise<{ url: string }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const small = ['-Xmx192m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
  await startEngine('java', [...small, '-jar', await classPath('zipkin')], {
    env: { QUERY_PORT: String(port), ARMERIA_BIND_ADDRESS: '127.0.0.1', STORAGE_TYPE: 'mem' },
    ready: () => answers(`${url}/health`),
  })
  return { url }
}

/** A real VictoriaLogs, a store of logs that takes OTLP. */
export async function startVictoriaLogs(folder: string): Promise<{ url: string }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const flags = [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${join(folder, 'logs')}`]
  await startEngine(goProgram('victorialogs'), flags, {
    ready: () => answers(`${url}/health`),
  })
  return { url }
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined)
  await answer?.text()
  return answer?.ok ?? false
}

/** A real Prometheus 3 with our file, but for the interval and the addresses of what it scrapes. */
export async function startPrometheus(folder: string): Promise<Prometheus> {
  const port = await freePort()
  const config = join(folder, 'collector-config/prometheus')
  cpSync(join(house, 'collector-config/prometheus'), config, { recursive: true })
  mkdirSync(join(folder, 'dashboards'))
  symlinkSync(join(house, 'dashboards/generated'), join(folder, 'dashboards/generated'))
  const file = join(config, 'prometheus.yml')
  const text = readFileSync(file, 'utf8').replaceAll('interval: 15s', 'interval: 1s')
  const prometheus = new Prometheus(config, `http://127.0.0.1:${port}`)
  prometheus.configure(text.replace('localhost:9090', `127.0.0.1:${port}`))
  await startEngine(
    goProgram('prometheus'),
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      '--web.enable-otlp-receiver',
      '--web.enable-lifecycle',
    ],
    { ready: said => said.includes('Server is ready to receive web requests') },
  )
  return prometheus
}

export interface Sample {
  metric: Record<string, string>
  value: [number, string]
}

/** What we ask of a Prometheus. */
export class Prometheus {
  readonly url: string
  readonly #config: string
  #text = ''

  constructor(config: string, url: string) {
    this.#config = config
    this.url = url
  }

  /** Changes its file, which is read at the start and by `reload`. */
  configure(text: string): void {
    this.#text = text
    writeFileSync(join(this.#config, 'prometheus.yml'), text)
  }

  /** Puts what runs in the place of what our file names; a collector that does not run is not asked for. */
  async scrape(running: {
    services: string
    rules: string
    agent?: string
    gateway?: string
    alertmanager?: string
  }): Promise<void> {
    const { services, rules, agent, gateway, alertmanager = 'alertmanager:9093' } = running
    writeFileSync(join(this.#config, 'targets/services.yaml'), services)
    writeFileSync(join(this.#config, 'rules/objectives.yaml'), rules)
    const collectors = [agent, gateway].filter(each => each !== undefined)
    const text = this.#text
      .replace("'otelcol-agent:8888', 'otelcol-gateway:8888'", collectors.map(each => `'${each}'`).join(', '))
      .replace('alertmanager:9093', alertmanager)
    this.configure(text)
    const answer = await fetch(`${this.url}/-/reload`, { method: 'POST' })
    if (!answer.ok) throw new Error(`Prometheus does not take its configuration: ${await answer.text()}`)
  }

  /** The answer to an API call; throws with what Prometheus said where it refuses. */
  async ask(path: string, query: Record<string, string>): Promise<unknown> {
    const answer = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(query)}`)
    const { status, data, error } = (await answer.json()) as { status: string; data: unknown; error?: string }
    if (status !== 'success') throw new Error(`${query.query ?? path}: ${error}`)
    return data
  }

  async query(query: string): Promise<Sample[]> {
    return ((await this.ask('query', { query })) as { result: Sample[] }).result
  }

  /** The samples of one series over a time that is gone, oldest first: `up{job="shop"}[5m]`; none where it is not known. */
  async samples(range: string): Promise<{ at: number; value: number }[]> {
    const { result } = (await this.ask('query', { query: range })) as { result: { values: [number, string][] }[] }
    if (result.length > 1) throw new Error(`${range}: expected one series, saw ${result.length}`)
    return (result[0]?.values ?? []).map(([at, value]) => ({ at, value: Number(value) }))
  }

  /** The labels of the newest exemplars of a histogram. */
  async exemplars(query: string): Promise<Record<string, string>[]> {
    const now = Date.now() / 1000
    const range = { start: String(now - 600), end: String(now + 60) }
    const series = (await this.ask('query_exemplars', { query, ...range })) as {
      exemplars: { labels: Record<string, string> }[]
    }[]
    return series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels))
  }
}

/** Reads JSON; nothing where the answer is not one of success. */
export async function json<Answer>(url: string): Promise<Answer | undefined> {
  const answer = await fetch(url)
  const text = await answer.text()
  return answer.ok ? (JSON.parse(text) as Answer) : undefined
}
