import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { instantOf, periodStart } from '../src/calendar.ts'
import {
  type BurnRateEvaluator,
  createBurnRateEvaluator,
  type Objective,
  prometheusRules,
  type RecordingRule,
} from '../src/index.ts'
import { eventRates } from '../src/promql.ts'
import { checkout, objectiveOf } from './objective-of.ts'
import {
  beganAt,
  expositionOf,
  type History,
  isPlain,
  largestSteps,
  randomHistories,
  scrapeMs,
  scrapes,
  totalOf,
} from './random-histories.ts'

const folder = mkdtempSync(join(tmpdir(), 'shaketable-agree-'))
const windows = [300_000, 1_800_000]

interface Case {
  objective: Objective
  history: History
}

function caseOf(index: number, given: Partial<Objective> = {}): Case {
  const service = `service-${index}`
  const indicator = checkout({ status: { below: 500 }, underSeconds: 0.5 })
  if (indicator.type === 'shaketable') indicator.selector.service = service
  const objective = objectiveOf({ name: service, service, indicator, target: 0.9, ...given })
  return { objective, history: randomHistories[index]! }
}

const cases = randomHistories.map((_, index) => caseOf(index))
const sliceMs = 60_000
const sliced = [0.85, undefined].flatMap(target =>
  cases.slice(0, 20).map(({ objective }, index) => {
    const name = `${objective.name}-${target === undefined ? 'averaged' : 'judged'}`
    return caseOf(index, { name, slices: { windowMs: sliceMs, target } })
  }),
)
const hourMs = 3_600_000
/** Periods of an hour, the second of which begins ten minutes after the series do. */
const calendar = { startTime: '2022-01-01 12:10:00', timeZone: 'America/New_York', months: undefined }
const ofCalendar = cases
  .slice(0, 40)
  .map(({ objective }, index) => caseOf(index, { name: `${objective.name}-hours`, windowMs: hourMs, calendar }))

let prometheus: ChildProcess | undefined
let address: string
beforeAll(async () => {
  installDebianPackages('prometheus')
  writeFileSync(join(folder, 'prometheus.yml'), '{}\n')
  await store(cases.flatMap(({ objective, history }) => expositionOf(objective.service, history)))
  const rulesOf = (chosen: readonly Case[], names: RegExp) =>
    chosen.flatMap(({ objective }) => recordingRules(objective).filter(({ record }) => names.test(record)))
  // One upon the other, as the rules read one another.
  await record(rulesOf(sliced, /^slo:slice_bad/), sliceMs)
  await record(rulesOf(sliced, /^slo:slice_total/), sliceMs)
  await record(rulesOf(ofCalendar, /rate5m$|start_seconds$/), 300_000)
})
afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

function recordingRules(objective: Objective): RecordingRule[] {
  const rules = prometheusRules([objective]).groups.flatMap(group => group.rules)
  return rules.filter(rule => 'record' in rule)
}

/** Writes samples into the blocks of Prometheus, which reads them at its start. */
async function store(samples: string[]): Promise<void> {
  await stop()
  writeFileSync(join(folder, 'series.om'), `${samples.join('\n')}\n# EOF\n`)
  const from = ['tsdb', 'create-blocks-from', 'openmetrics', 'series.om', 'data']
  execFileSync('promtool', from, { cwd: folder, stdio: 'pipe' })
  const flags = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', '--web.listen-address=127.0.0.1:0']
  const started = spawn('prometheus', flags, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  prometheus = started
  address = await new Promise<string>((resolve, reject) => {
    let said = ''
    started.stderr.on('data', chunk => {
      said += chunk
      const listening = /"Listening on" address=(\S+)/.exec(said)
      if (listening && said.includes('Server is ready to receive web requests')) resolve(listening[1]!)
    })
    started.once('exit', () => reject(new Error(`prometheus ended early:\n${said}`)))
  })
}

async function stop(): Promise<void> {
  if (prometheus?.exitCode === null && prometheus.kill('SIGKILL')) await once(prometheus, 'close')
  prometheus = undefined
}

const endedAt = beganAt + (scrapes - 1) * scrapeMs

/** Evaluates recording rules at every interval, as Prometheus would have done at the time. */
async function record(rules: RecordingRule[], everyMs: number): Promise<void> {
  const samples: string[] = []
  for (const { record, expr, labels } of rules) {
    const set = Object.entries(labels).map(([name, value]) => `${name}="${value}"`)
    for (const [index, value] of await over(expr, beganAt, endedAt, everyMs))
      samples.push(`${record}{${set}} ${value} ${(beganAt + index * everyMs) / 1000}`)
  }
  expect(samples.length).toBeGreaterThan(500)
  await store(samples)
}

/** What a query gives at each step, by its number. */
async function over(query: string, from: number, to: number, stepMs: number): Promise<Map<number, number>> {
  const range = { query, start: String(from / 1000), end: String(to / 1000), step: String(stepMs / 1000) }
  const { result } = await ask<{ values: [number, string][] }>('query_range', range)
  const values = result[0]?.values ?? []
  return new Map(values.map(([at, value]) => [Math.round((at * 1000 - from) / stepMs), Number(value)]))
}

async function ask<Series>(path: string, parameters: Record<string, string>): Promise<{ result: Series[] }> {
  const url = `http://${address}/api/v1/${path}`
  const answer = (await (await fetch(url, { method: 'POST', body: new URLSearchParams(parameters) })).json()) as {
    status: string
    data: { result: Series[] }
  }
  expect(answer).toMatchObject({ status: 'success' })
  return answer.data
}

/** Lets an evaluator see what Prometheus has scraped, and looks at it after each scrape. */
function replay({ objective, history }: Case, look: (evaluator: BurnRateEvaluator, index: number) => void): void {
  const evaluator = createBurnRateEvaluator(objective, { windowScale: 1 })
  for (let index = 0; index < scrapes; index++) {
    const seen = history.flatMap((scrapes, instance) => {
      const scrape = scrapes[index]
      return scrape ? [[String(instance), { good: scrape.good, total: totalOf(scrape) }] as const] : []
    })
    evaluator.observe(beganAt + index * scrapeMs, Object.fromEntries(seen))
    look(evaluator, index)
  }
}

test('the evaluator and the rules count the same, to within one scrape interval’s increments at each end of the window', async () => {
  let compared = 0
  const apart: object[] = []
  for (const one of cases) {
    for (const windowMs of windows) {
      const rates = eventRates(one.objective, windowMs)
      const [bad, total] = await Promise.all(
        [rates.bad, rates.total].map(expr => over(expr, beganAt, endedAt, scrapeMs)),
      )
      replay(one, (evaluator, index) => {
        const by = { bad: bad!.get(index), total: total!.get(index) }
        if (by.bad === undefined || by.total === undefined) return
        const events = evaluator.events(windowMs)
        const step = largestSteps(one.history, index, windowMs)
        for (const kind of ['bad', 'total'] as const) {
          const difference = Math.abs(events[kind] - (by[kind]! * windowMs) / 1000)
          if (difference > 2 * step) apart.push({ kind, windowMs, of: one.objective.name, index, difference, step })
          compared++
        }
      })
    }
  }
  expect(apart).toEqual([])
  expect(compared).toBeGreaterThan(10_000)
})

const scrapesIn = (ms: number) => ms / scrapeMs

test('slices that both have seen whole are judged the same, whether good or bad at once or by their average', async () => {
  let plain = 0
  let bad = 0
  const apart: object[] = []
  for (const one of sliced) {
    const [rule] = recordingRules(one.objective).filter(({ record }) => record === 'slo:slice_bad:ratio')
    const judged = await over(rule!.expr, beganAt, endedAt, sliceMs)
    replay(one, (evaluator, index) => {
      if (index < scrapesIn(sliceMs) || index % scrapesIn(sliceMs) > 0) return
      if (!isPlain(one.history, index - scrapesIn(sliceMs), index)) return
      const slice = evaluator.events(sliceMs)
      const byRule = judged.get(index / scrapesIn(sliceMs))
      plain++
      if (slice.bad > 0) bad++
      if (slice.total === 0 ? byRule !== undefined : Math.abs(slice.bad - byRule!) > 1e-9)
        apart.push({ of: one.objective.name, index, slice, byRule })
    })
  }
  expect(apart).toEqual([])
  expect(plain).toBeGreaterThan(500)
  expect(bad).toBeGreaterThan(100)
  expect(plain - bad).toBeGreaterThan(100)
})

test('over a window the evaluator and the rules count the same slices, but for those that one of them saw in part', async () => {
  let compared = 0
  const apart: object[] = []
  for (const one of sliced) {
    for (const windowMs of windows) {
      const window = windowMs === 300_000 ? '5m' : '30m'
      const exprOf = (record: string) => recordingRules(one.objective).find(rule => rule.record === record)!.expr
      // A moment after the slices' ends, as the groups of rules follow one another.
      const [bad, total] = await Promise.all(
        [`slo:sli_bad:rate${window}`, `slo:sli_total:rate${window}`].map(record =>
          over(exprOf(record), beganAt + 1000, endedAt, sliceMs),
        ),
      )
      replay(one, (evaluator, index) => {
        if (index < scrapesIn(windowMs) || index % scrapesIn(sliceMs) > 0) return
        const slice = index / scrapesIn(sliceMs)
        if (bad!.get(slice) === undefined) return
        const events = evaluator.events(windowMs)
        let inPart = 0
        for (let to = index; to > index - scrapesIn(windowMs); to -= scrapesIn(sliceMs))
          if (!isPlain(one.history, to - scrapesIn(sliceMs), to)) inPart++
        for (const kind of ['bad', 'total'] as const) {
          const byRule = ((kind === 'bad' ? bad : total)!.get(slice)! * windowMs) / 1000
          const difference = Math.abs(events[kind] - byRule)
          if (difference > inPart + 1e-9)
            apart.push({ kind, windowMs, of: one.objective.name, slice, difference, inPart })
          compared++
        }
      })
    }
  }
  expect(apart).toEqual([])
  expect(compared).toBeGreaterThan(1000)
})

test('since the beginning of a calendar’s period both have the same ratio, to within what was seen in part', async () => {
  const stepMs = 300_000
  let exact = 0
  let began = 0
  const apart: object[] = []
  for (const one of ofCalendar) {
    const { expr } = recordingRules(one.objective).find(({ record }) => record === 'slo:sli_error:ratio_rate1h')!
    const byRule = new Map<number, number | undefined>()
    for (let at = beganAt + stepMs; at <= endedAt; at += stepMs) {
      const { result } = await ask<{ value: [number, string] }>('query', { query: expr, time: String(at / 1000) })
      byRule.set(scrapesIn(at - beganAt), result[0] && Number(result[0].value[1]))
    }
    replay(one, (evaluator, index) => {
      if (!byRule.has(index)) return
      const at = beganAt + index * scrapeMs
      const anchor = instantOf(calendar.startTime, calendar.timeZone)! * 1000
      const sinceMs = (at - anchor) % hourMs
      if (sinceMs === 0) began++
      const { bad, total } = evaluator.events(sinceMs)
      const ratio = byRule.get(index)
      let unsure = 0
      for (let to = index; to > 0 && to > index - scrapesIn(sinceMs); to -= scrapesIn(stepMs))
        if (!isPlain(one.history, to - scrapesIn(stepMs), to)) unsure += 2 * largestSteps(one.history, to, stepMs)
      if (sinceMs === 0 || (total === 0 && unsure === 0)) {
        if (ratio !== undefined) apart.push({ of: one.objective.name, index, ratio, expected: 'none' })
        return
      }
      if (ratio === undefined) {
        if (total > unsure) apart.push({ of: one.objective.name, index, ratio, bad, total })
        return
      }
      if (unsure === 0) exact++
      const least = (bad - unsure) / (total + unsure) - 1e-9
      const most = total > unsure ? (bad + unsure) / (total - unsure) + 1e-9 : 1
      if (ratio < least || ratio > most) apart.push({ of: one.objective.name, index, ratio, bad, total, unsure })
    })
  }
  expect(apart).toEqual([])
  expect(exact).toBeGreaterThan(10)
  expect(began).toBe(ofCalendar.length)
})

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
    const [from, stepMs] = [Date.UTC(2023, 10, 25), 13 * 3_600_000]
    const starts = await over(periodStart(calendar, windowMs), from, Date.UTC(2028, 5, 1), stepMs)
    expect(starts.size).toBeGreaterThan(3000)
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
