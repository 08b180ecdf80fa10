import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { instantOf, periodStart } from '../src/calendar.ts'
import type { Counters } from '../src/count-good.ts'
import { createBurnRateEvaluator } from '../src/index.ts'
import { eventRates } from '../src/promql.ts'
import { checkout, objectiveOf } from './objective-of.ts'

const folder = mkdtempSync(join(tmpdir(), 'shaketable-agree-'))
const scrapeMs = 15_000
const scrapes = 160
/** In blocks that lie two hours back, so that none is in Prometheus' head. */
const beganAt = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 4 * 3_600_000
const windows = [300_000, 1_800_000]

/** One interval of one replica: what it answered, and what became of it before the next scrape. */
const interval = fc.record({
  good: fc.nat(40),
  slow: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
  failed: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
  fate: fc.oneof(
    { weight: 30, arbitrary: fc.constant('scraped' as const) },
    { weight: 3, arbitrary: fc.constant('missed' as const) },
    { weight: 1, arbitrary: fc.constant('restarted' as const) },
  ),
})
const replica = fc.record({
  bornAt: fc.oneof(fc.constant(0), fc.nat(scrapes - 20)),
  intervals: fc.array(interval, { minLength: scrapes, maxLength: scrapes }),
})
const histories = fc.sample(fc.array(replica, { minLength: 1, maxLength: 3 }), { seed: 20_261_125, numRuns: 60 })

interface Scrape {
  good: number
  slow: number
  failed: number
}

/** What a replica shows at each scrape; `undefined` where it is not seen. A series that has counted nothing is not there yet. */
function scrapesOf({ bornAt, intervals }: (typeof histories)[number][number]): (Scrape | undefined)[] {
  let counts: Scrape = { good: 0, slow: 0, failed: 0 }
  return intervals.map(({ good, slow, failed, fate }, index) => {
    if (index < bornAt) return undefined
    if (fate === 'restarted') counts = { good: 0, slow: 0, failed: 0 }
    counts = { good: counts.good + good, slow: counts.slow + slow, failed: counts.failed + failed }
    return fate === 'missed' ? undefined : counts
  })
}

const cases = histories.map((replicas, index) => {
  const service = `service-${index}`
  const indicator = checkout({ status: { below: 500 }, underSeconds: 0.5 })
  if (indicator.type === 'shaketable') indicator.selector.service = service
  const objective = objectiveOf({ name: service, service, indicator, target: 0.9 })
  return { objective, replicas: replicas.map(scrapesOf) }
})

let prometheus: ChildProcess
let address: string
beforeAll(async () => {
  installDebianPackages('prometheus')
  writeFileSync(join(folder, 'series.om'), `${cases.flatMap(expositionOf).join('\n')}\n# EOF\n`)
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', 'series.om', 'data'], {
    cwd: folder,
    stdio: 'pipe',
  })
  writeFileSync(join(folder, 'prometheus.yml'), '{}\n')
  const flags = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', '--web.listen-address=127.0.0.1:0']
  prometheus = spawn('prometheus', flags, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  address = await new Promise<string>((resolve, reject) => {
    let said = ''
    prometheus.stderr!.on('data', chunk => {
      said += chunk
      if (!said.includes('Server is ready to receive web requests')) return
      resolve(/"Listening on" address=(\S+)/.exec(said)![1]!)
    })
    prometheus.once('exit', () => reject(new Error(`prometheus ended early:\n${said}`)))
  })
})
afterAll(async () => {
  if (prometheus?.exitCode === null && prometheus.kill('SIGKILL')) await once(prometheus, 'close')
  rmSync(folder, { recursive: true, force: true })
})

function expositionOf({ objective, replicas }: (typeof cases)[number]): string[] {
  return replicas.flatMap((scrapes, instance) => {
    const labels = `job="${objective.service}",instance="${instance}",http_request_method="POST",http_route="/checkout"`
    const series = (name: string, more: string, value: (scrape: Scrape) => number, born: (scrape: Scrape) => number) =>
      scrapes.flatMap((scrape, index) => {
        if (!scrape || born(scrape) === 0) return []
        const at = (beganAt + index * scrapeMs) / 1000
        return [`http_server_request_duration_seconds_${name}{${labels},${more}} ${value(scrape)} ${at}`]
      })
    const answered = ({ good, slow }: Scrape) => good + slow
    return [
      ...series('count', 'http_response_status_code="201"', answered, answered),
      ...series('bucket', 'http_response_status_code="201",le="0.5"', ({ good }) => good, answered),
      ...series(
        'count',
        'http_response_status_code="503"',
        ({ failed }) => failed,
        ({ failed }) => failed,
      ),
      ...series(
        'bucket',
        'http_response_status_code="503",le="0.5"',
        ({ failed }) => failed,
        ({ failed }) => failed,
      ),
    ]
  })
}

/** What a query gives at each scrape, by its number. */
async function over(query: string, from: number, to: number, stepMs: number): Promise<Map<number, number>> {
  const range = { query, start: String(from / 1000), end: String(to / 1000), step: String(stepMs / 1000) }
  const url = `http://${address}/api/v1/query_range`
  const answer = (await (await fetch(url, { method: 'POST', body: new URLSearchParams(range) })).json()) as {
    status: string
    data: { result: { values: [number, string][] }[] }
  }
  expect(answer).toMatchObject({ status: 'success' })
  const values = answer.data.result[0]?.values ?? []
  return new Map(values.map(([at, value]) => [Math.round((at * 1000 - from) / stepMs), Number(value)]))
}

test('the evaluator and the rules count the same, to within one scrape interval’s increments at each end of the window', async () => {
  let compared = 0
  const apart: object[] = []
  for (const { objective, replicas } of cases) {
    for (const windowMs of windows) {
      const rates = eventRates(objective, windowMs)
      const to = beganAt + (scrapes - 1) * scrapeMs
      const [bad, total] = await Promise.all([rates.bad, rates.total].map(expr => over(expr, beganAt, to, scrapeMs)))
      const evaluator = createBurnRateEvaluator(objective, { windowScale: 1 })
      for (let index = 0; index < scrapes; index++) {
        const seen = replicas.flatMap((scrapes, instance) => {
          const scrape = scrapes[index]
          return scrape ? [[String(instance), countersOf(scrape)] as const] : []
        })
        evaluator.observe(beganAt + index * scrapeMs, Object.fromEntries(seen))
        const by = { bad: bad!.get(index), total: total!.get(index) }
        if (by.bad === undefined || by.total === undefined) continue
        const events = evaluator.events(windowMs)
        const step = largestSteps(replicas, index, windowMs)
        for (const kind of ['bad', 'total'] as const) {
          const difference = Math.abs(events[kind] - (by[kind]! * windowMs) / 1000)
          if (difference > 2 * step) apart.push({ kind, windowMs, of: objective.name, index, difference, step })
          compared++
        }
      }
    }
  }
  expect(apart).toEqual([])
  expect(compared).toBeGreaterThan(10_000)
})

function countersOf({ good, slow, failed }: Scrape): Counters {
  return { good, total: good + slow + failed }
}

/** The most that each replica counted between two scrapes that saw it, as far as the window reaches; in sum. */
function largestSteps(replicas: (Scrape | undefined)[][], until: number, windowMs: number): number {
  const from = until - windowMs / scrapeMs - 1
  let sum = 0
  for (const scrapes of replicas) {
    let last = 0
    let largest = 0
    for (const [index, scrape] of scrapes.slice(0, until + 1).entries()) {
      if (!scrape) continue
      const { total } = countersOf(scrape)
      if (index >= from) largest = Math.max(largest, total >= last ? total - last : total)
      last = total
    }
    sum += largest
  }
  return sum
}

test.each([
  ['2022-01-01 12:00:00', 'America/New_York', undefined, 7],
  ['2022-03-31 00:00:00', 'UTC', undefined, 1],
  ['2022-01-01 00:00:00', 'Europe/Berlin', 1, 30],
  ['2022-02-15 22:30:00', 'America/New_York', 3, 90],
  ['2020-04-01 00:00:00', 'Asia/Tokyo', 12, 365],
] as const)(
  'a period that begins at %s in %s begins there in Prometheus too (months: %s)',
  async (startTime, timeZone, months, days) => {
    const calendar = { startTime, timeZone, months }
    const windowMs = days * 86_400_000
    const anchor = instantOf(startTime, timeZone)!
    const [from, stepMs] = [Date.UTC(2023, 10, 25), 7 * 3_600_000]
    const starts = await over(periodStart(calendar, windowMs), from, Date.UTC(2028, 5, 1), stepMs)
    expect(starts.size).toBeGreaterThan(5000)
    const [year, month] = startTime.split('-').map(Number) as [number, number]
    const shift = anchor - Date.UTC(year, month - 1) / 1000
    const wrong: object[] = []
    for (const [index, start] of starts) {
      const at = (from + index * stepMs) / 1000
      let expected = anchor + Math.floor((at - anchor) / (windowMs / 1000)) * (windowMs / 1000)
      for (let period = 0; months !== undefined; period++) {
        const next = Date.UTC(year, month - 1 + period * months) / 1000 + shift
        if (next > at) break
        expected = next
      }
      if (start !== expected) wrong.push({ at, start, expected })
    }
    expect(wrong).toEqual([])
  },
)
