/**
 * `npm run bench -w shaketable [-- --seconds 20 --rates 100,500,2000]`: does the load tell the truth? A server stands still for
 * 200 ms every 2 s. At any constant rate a tenth of the requests come in that time and wait for 100 ms on average, so that the
 * true 99th percentile is 180 ms. Prints what we measured, and autocannon's `overallRate` beside it; exits 1 where ours is not
 * within 170 and 200 ms. Arrivals that were late count into our latencies, as they do in a run, and are told.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createHistogram } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import type { LoadHealths } from '../src/load/load.ts'
import { startLoad } from '../src/load/open-loop.ts'
import { processWorld } from '../src/world.ts'

const bounds = { lowest: 170, highest: 200 }
/** For autocannon: what it takes by default, and as many as can be in flight (200 ms at 2,000/s). */
const connections = [10, 400]

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, rates: { type: 'string', default: '100,500,2000' } },
})
const seconds = Number(values.seconds)
const rates = values.rates.split(',').map(Number)

interface Row {
  tool: string
  rate: number
  p50Ms: number
  p90Ms: number
  p99Ms: number
  maxMs: number
  more: string
}

const columns = ['tool', 'rate/s', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms', '']
console.log(`| ${columns.join(' | ')} |\n|${columns.map(() => '---').join('|')}|`)
const rows: Row[] = []
say({ tool: 'truth', rate: 0, p50Ms: 0, p90Ms: 0, p99Ms: 180, maxMs: 200, more: '' })
for (const rate of rates) {
  say(await withServer(url => ours(url, rate)))
  for (const count of connections) say(await withServer(url => theirs(url, rate, count)))
}

const wrong = rows.filter(
  row => row.tool === 'shaketable' && !(row.p99Ms >= bounds.lowest && row.p99Ms <= bounds.highest),
)
for (const { rate, p99Ms } of wrong) {
  console.error(`at ${rate}/s the p99 is ${p99Ms.toFixed(1)} ms: not within ${bounds.lowest} and ${bounds.highest} ms`)
}
process.exitCode = wrong.length > 0 ? 1 : 0

function say(row: Row): void {
  rows.push(row)
  const { tool, rate, p50Ms, p90Ms, p99Ms, maxMs, more } = row
  const numbers = [p50Ms, p90Ms, p99Ms, maxMs].map(ms => ms.toFixed(1))
  console.log(`| ${[tool, rate === 0 ? 'any' : String(rate), ...numbers, more].join(' | ')} |`)
}

async function ours(url: string, rate: number): Promise<Row> {
  const micros = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 })
  let failed = 0
  const load = await startLoad(
    [
      {
        journey: {
          name: 'get',
          setup: [],
          steps: [
            {
              request: { method: 'GET', to: 'server', path: '/', headers: {}, json: undefined },
              expect: { status: [200] },
              capture: {},
            },
          ],
          place: { file: '', line: 1, column: 1 },
        },
        ratePerSecond: rate,
        timeoutMs: 5000,
        urls: { server: [url] },
      },
    ],
    processWorld(new AbortController().signal),
  )
  load.onSamples(batch => {
    for (const { latencyMs, ok } of batch) {
      micros.record(Math.max(1, Math.round(latencyMs * 1000)))
      if (!ok) failed++
    }
  })
  await new Promise(resolve => setTimeout(resolve, seconds * 1000))
  const health = await load.stop()
  return { tool: 'shaketable', rate, ...percentiles(micros), more: words(health, failed) }
}

async function theirs(url: string, rate: number, connections: number): Promise<Row> {
  const { latency, requests } = await autocannon({ url, connections, duration: seconds, overallRate: rate })
  return {
    tool: 'autocannon overallRate',
    rate,
    p50Ms: latency.p50,
    p90Ms: latency.p90,
    p99Ms: latency.p99,
    maxMs: latency.max,
    more: `${requests.total} requests over ${connections} connections`,
  }
}

function percentiles(micros: ReturnType<typeof createHistogram>) {
  const ms = (q: number) => micros.percentile(q) / 1000
  return { p50Ms: ms(50), p90Ms: ms(90), p99Ms: ms(99), maxMs: micros.max / 1000 }
}

function words({ started, dropped, latenessP99Ms, latenessMaxMs, cpuShare }: LoadHealths, failed: number): string {
  const late = `late by ${latenessP99Ms.toFixed(1)} ms at p99, ${latenessMaxMs.toFixed(1)} at most`
  return `${started} requests, ${failed} failed, ${dropped} dropped; ${late}; ${Math.round(cpuShare * 100)} % of a core`
}

/** A server for each, so that none inherits the connections of another. */
async function withServer<T>(body: (url: string) => Promise<T>): Promise<T> {
  const server = fork(fileURLToPath(new URL('./freezing-server.ts', import.meta.url)))
  const [{ port }] = await once(server, 'message')
  try {
    return await body(`http://127.0.0.1:${port}`)
  } finally {
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
}
