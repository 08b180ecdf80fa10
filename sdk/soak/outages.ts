import { setTimeout as sleep } from 'node:timers/promises'
import { Collector, type Mood } from './collector.ts'
import { Load, type Sample } from './load.ts'
import { Service } from './service.ts'

export interface OutageOptions {
  minutes: number
  ratePerSecond: number
  progress(line: string): void
}

/** What a part of the run came to. */
export interface Phase {
  name: string
  from: number
  to: number
  requests: number
  p50Ms: number
  /** The median of its windows' 99th percentiles: one pause of the machine is not a property of the SDK. */
  p99Ms: number
  /** The highest of its windows' medians. */
  rssMb: number
  /** The part of its spans that was not dropped: by the counters, which the end of the run proves. */
  delivered: number
}

type Bound = Pick<Phase, 'name' | 'from' | 'to' | 'delivered'>

export interface Outages {
  phases: Phase[]
  errors: Record<string, number>
  requests: number
  spans: { made: number; sent: number; dropped: number; waiting: number; received: number }
  /** The most that the outage buffer held. */
  packed: { spans: number; bytes: number }
  stderr: string[]
}

/** In tenths of the whole: ten minutes have an outage of 60 s. */
const plan: [name: string, tenths: number, mood: Mood | 'flapping'][] = [
  ['warm-up', 1, 'up'],
  ['before', 2, 'up'],
  ['down', 1, 'down'],
  ['after down', 1, 'up'],
  ['hanging', 1, 'hanging'],
  ['after hanging', 1, 'up'],
  ['flapping', 2, 'flapping'],
  ['after flapping', 1, 'up'],
]
const flapMs = 2_000

export async function outages({ minutes, ratePerSecond, progress }: OutageOptions): Promise<Outages> {
  const collector = new Collector()
  await collector.be('up')
  const service = await Service.start(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      // A short form has no time to wait for the timeout of a long one.
      ...(minutes < 10 ? { OTEL_EXPORTER_OTLP_TIMEOUT: String(Math.round(minutes * 1_000)) } : {}),
    },
    () => {},
  )
  const rss: { at: number; mb: number }[] = []
  const packed = { spans: 0, bytes: 0 }
  const watch = setInterval(async () => {
    rss.push({ at: Date.now(), mb: service.rssMb })
    const now = (await service.spans().catch(() => undefined))?.packed
    if (now && now.bytes > packed.bytes) Object.assign(packed, now)
  }, 500)
  try {
    const load = new Load(service.port, ratePerSecond)
    const bounds: Bound[] = []
    for (const [name, tenths, mood] of plan) {
      progress(`${name}: ${Math.round(tenths * minutes * 6)} s`)
      const before = await service.spans()
      const from = Date.now()
      await pass(collector, mood, tenths * minutes * 6_000)
      const after = await service.spans()
      const made = after.made - before.made
      bounds.push({ name, from, to: Date.now(), delivered: 1 - (after.dropped - before.dropped) / Math.max(1, made) })
    }
    await load.stop()
    const spans = await untilSettled(service)
    const { samples, errors } = load
    const received = collector.spanIds.size
    const phases = bounds.map(bound => describe(bound, samples, rss))
    const lines = service.stderr.split('\n').filter(line => line.includes('OTLP'))
    return { phases, errors, requests: samples.length, spans: { ...spans, received }, packed, stderr: lines }
  } finally {
    clearInterval(watch)
    await service.stop()
    await collector.be('down')
  }
}

async function pass(collector: Collector, mood: Mood | 'flapping', ms: number): Promise<void> {
  const end = Date.now() + ms
  const moods: Mood[] = mood === 'flapping' ? ['unavailable', 'up', 'down', 'up'] : [mood]
  for (let at = 0; Date.now() < end; at++) {
    await collector.be(moods[at % moods.length]!)
    await sleep(Math.min(end - Date.now(), moods.length > 1 ? flapMs : ms))
  }
}

/** Until everything that waits is sent: the collector is up by now. */
async function untilSettled(service: Service) {
  for (const end = Date.now() + 60_000; ; await sleep(200)) {
    const spans = await service.spans()
    if (spans.waiting === 0 || Date.now() > end) return spans
  }
}

function describe({ name, from, to, delivered }: Bound, samples: Sample[], rss: { at: number; mb: number }[]): Phase {
  const within = samples.filter(({ at }) => at >= from && at < to)
  const windowMs = Math.max(1_000, (to - from) / 12)
  const perWindow = <Item extends { at: number }>(items: Item[], measure: (items: Item[]) => number) =>
    [...Map.groupBy(items, ({ at }) => Math.floor((at - from) / windowMs)).values()].map(measure)
  const p99s = perWindow(within, items =>
    quantile(
      items.map(({ ms }) => ms),
      0.99,
    ),
  )
  const memory = perWindow(
    rss.filter(({ at }) => at >= from && at < to),
    items =>
      quantile(
        items.map(({ mb }) => mb),
        0.5,
      ),
  )
  return {
    name,
    from,
    to,
    requests: within.length,
    p50Ms: quantile(
      within.map(({ ms }) => ms),
      0.5,
    ),
    p99Ms: quantile(p99s, 0.5),
    rssMb: Math.max(...memory),
    delivered,
  }
}

export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
