import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalShop } from '../../demo-services/test/local-shop.ts'
import { startReceiver } from '../../sdk/test/otlp-receiver.ts'
import { json, startCollector } from '../test/backend.ts'
import { startInstrumentedShop, Visitors } from '../test/instrumented-shop.ts'
import { stopEngines, until } from '../test/processes.ts'

export interface OutageOptions {
  /** How long the collector is away. */
  downMs: number
  /** How long it is there before, and again after. */
  upMs: number
  /** Visitors a second, of each journey. */
  rate: number
  /** For all of the shop's services, such as a small queue. */
  env?: Record<string, string>
}

interface Spans {
  made: number
  sent: number
  dropped: number
  /** By why they were. */
  droppedFor: Record<string, number>
  waiting: number
}

export interface Outage {
  /** How often the shop's visitors got each status, `0` for no answer. */
  answers: Record<string, number>
  /** Of all services together: what their SDKs counted, at the end. */
  counted: Spans
  /** The most that waited in one instance, in spans. */
  mostWaiting: number
  /** Distinct spans that came out behind the collector. */
  arrived: number
}

/** The shop under load behind a real collector, the agent, which is killed with -9 and started again after a while. */
export async function outage({ downMs, upMs, rate, env = {} }: OutageOptions): Promise<Outage> {
  const folder = mkdtempSync(join(tmpdir(), 'shaketable-outage-'))
  const store = await startReceiver()
  const startAgent = (port?: number) =>
    startCollector(['agent.yaml'], {
      folder,
      env: { GATEWAY_ENDPOINT: store.url },
      ...(port === undefined ? {} : { port }),
    })
  let shop: LocalShop | undefined
  let watch: NodeJS.Timeout | undefined
  try {
    const agent = await startAgent()
    const started = await startInstrumentedShop(() => ({
      // No timeouts and no breakers: on a busy machine they would fail visits, whatever the collector does.
      RESILIENCE: 'retry,fallback',
      OTEL_EXPORTER_OTLP_ENDPOINT: agent.url,
      ...env,
    }))
    shop = started.shop
    let mostWaiting = 0
    const spans = async (): Promise<Spans> => {
      const each = await Promise.all([...started.admin.values()].flat().map(spansOf))
      mostWaiting = Math.max(mostWaiting, ...each.map(({ waiting }) => waiting))
      return each.reduce(sumOf)
    }
    watch = setInterval(() => void spans().catch(() => undefined), 500)
    const visitors = await Visitors.come(shop, rate)
    await sleep(upMs)
    await agent.kill()
    await sleep(downMs)
    await startAgent(Number(new URL(agent.url).port))
    await sleep(upMs)
    await visitors.stop()
    // An SDK that has waited asks again every ten seconds.
    const counted = await until(async () => {
      const now = await spans()
      return now.waiting === 0 && now
    })
    const arrived = () => new Set(store.spans.map(({ spanId }) => spanId)).size
    await until(() => arrived() >= counted.sent).catch(() => undefined)
    return { answers: Object.fromEntries(visitors.answers), counted, mostWaiting, arrived: arrived() }
  } finally {
    clearInterval(watch)
    await Promise.all([shop?.stop(), stopEngines(), store.close()])
    rmSync(folder, { recursive: true, force: true })
  }
}

async function spansOf(admin: string): Promise<Spans> {
  const { spans } = (await json<{ spans: Spans }>(`http://${admin}/telemetry`))!
  return spans
}

function sumOf(one: Spans, other: Spans): Spans {
  const { droppedFor } = one
  const reasons = Object.keys({ ...droppedFor, ...other.droppedFor })
  return {
    made: one.made + other.made,
    sent: one.sent + other.sent,
    dropped: one.dropped + other.dropped,
    droppedFor: Object.fromEntries(
      reasons.map(reason => [reason, (droppedFor[reason] ?? 0) + (other.droppedFor[reason] ?? 0)]),
    ),
    waiting: one.waiting + other.waiting,
  }
}

/** What the outage cost beyond the spans that found no room, each of which is counted. */
export function missed({ answers, counted, arrived }: Outage): string[] {
  const { made, sent, dropped, waiting } = counted
  const visits = (which: RegExp) =>
    Object.entries(answers).reduce((sum, [status, count]) => sum + (which.test(status) ? count : 0), 0)
  // A busy machine fails one visit in thousands by itself, of connections that close as they are used.
  const isHarmed = visits(/^[^2]/) > visits(/./) / 100
  return [
    isHarmed && `visits failed: ${JSON.stringify(answers)}`,
    made !== sent + dropped + waiting && `${made} spans were made, and ${sent + dropped + waiting} accounted for`,
    arrived < sent && `${sent} spans count as sent, and ${arrived} arrived`,
    made - arrived > dropped && `${made - arrived} spans are lost, and ${dropped} count as dropped`,
  ].filter(line => line !== false)
}
