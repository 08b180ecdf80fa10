import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { goProgram } from '../../.ci/tools/go.ts'
import { type Service, startService, stopServices } from '../../sdk/test/service.ts'
import { startEngine, stopEngines, until } from './processes.ts'

const house = fileURLToPath(new URL('../..', import.meta.url))
const folders: string[] = []
let service: Service

const programs: Record<string, () => string> = {
  'Prometheus 2': () => {
    installDebianPackages('prometheus')
    return 'prometheus'
  },
  // Without the clouds' ways to find targets: ours stand in files.
  'Prometheus 3': () => goProgram('prometheus'),
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

beforeAll(async () => {
  service = await startService('edge.mjs', { env: { OTEL_SERVICE_NAME: 'shop-door' } })
  await fetch(`${service.url}/hello`, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } })
})
afterAll(async () => {
  await stopEngines()
  await stopServices()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

// Both at once: most of their time they wait to find the service.
test.concurrent.each(Object.keys(programs))(
  '%s, with our file, keeps a request’s trace id as an exemplar',
  async name => {
    const program = programs[name]!()
    const folder = mkdtempSync(join(tmpdir(), 'shaketable-scrape-'))
    folders.push(folder)

    // The folders as they are in a checkout and in the container; only the targets and the haste are this test's.
    const config = join(folder, 'collector-config/prometheus')
    cpSync(join(house, 'collector-config/prometheus'), config, { recursive: true })
    const file = join(config, 'prometheus.yml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('scrape_interval: 15s', 'scrape_interval: 1s'))
    mkdirSync(join(folder, 'dashboards'))
    symlinkSync(join(house, 'dashboards/generated'), join(folder, 'dashboards/generated'))
    const target = new URL(service.adminUrl).host
    writeFileSync(join(config, 'targets/services.yaml'), `- { labels: { job: shop-door }, targets: ['${target}'] }\n`)

    const listening = /"Listening on".* address=(\S+)/
    const prometheus = await startEngine(
      program,
      [
        `--config.file=${join(config, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        '--web.listen-address=127.0.0.1:0',
        '--enable-feature=exemplar-storage',
      ],
      { ready: said => listening.test(said) && said.includes('Server is ready to receive web requests') },
    )
    const api = async (path: string, query: Record<string, string> = {}) => {
      const url = `http://${listening.exec(prometheus.said())![1]}/api/v1/${path}?${new URLSearchParams(query)}`
      const answer = (await (await fetch(url)).json()) as { status: string; data: unknown }
      expect(answer).toMatchObject({ status: 'success' })
      return answer.data
    }

    type Exemplars = { seriesLabels: Record<string, string>; exemplars: { labels: Record<string, string> }[] }[]
    const kept = await until(async () => {
      const now = Date.now() / 1000
      const data = (await api('query_exemplars', {
        query: 'http_server_request_duration_seconds_bucket{job="shop-door"}',
        start: String(now - 300),
        end: String(now + 60),
      })) as Exemplars
      return data.length > 0 && data
    })
    expect(kept.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id))).toEqual([traceId])
    expect(kept[0]!.seriesLabels).toMatchObject({ job: 'shop-door', http_response_status_code: '200' })

    const { groups } = (await api('rules')) as { groups: { rules: { name: string }[] }[] }
    expect(groups.flatMap(({ rules }) => rules.map(({ name }) => name))).toContain('ServiceDown')
  },
)
