import type { Contender } from './contenders.ts'
import { onCore } from './cores.ts'
import { type Load, load, thinkMs } from './load.ts'
import { Subject } from './process.ts'

/** What one run of one contender on one route cost. */
export interface RouteCost extends Load {
  /** CPU time of the server process, user and system, a request. */
  cpuMicros: number
  /** Half of the requests took no longer, where each connection thinks before it asks. */
  unhurriedP50Ms: number
}

export interface Run {
  contender: string
  /** From spawn to the first answer. */
  startMs: number
  /** After all load. */
  rssMegabytes: number
  routes: Record<Route, RouteCost>
}

export const routes = ['/hello', '/orders'] as const
export type Route = (typeof routes)[number]

interface Usage {
  cpu: { user: number; system: number }
  rssBytes: number
}

export interface Pace {
  /** Loaded time before the measured one, a route. */
  warmSeconds: number
  /** Measured time, a route. */
  seconds: number
}

/** Starts a contender on core 0, warms it up and measures it under load. */
export async function run(contender: Contender, outsideUrl: string, { warmSeconds, seconds }: Pace): Promise<Run> {
  const { server, url, startMs } = await start(contender, outsideUrl)
  try {
    const costs: Partial<Record<Route, RouteCost>> = {}
    for (const route of routes) {
      await load(url + route, warmSeconds)
      costs[route] = await measure(server, url + route, seconds)
    }
    const { rssBytes } = await server.ask<Usage>()
    const rssMegabytes = rssBytes / 1e6
    return { contender: contender.name, startMs, rssMegabytes, routes: costs as Record<Route, RouteCost> }
  } finally {
    await server.stop()
  }
}

async function start(contender: Contender, outsideUrl: string) {
  const startedAt = performance.now()
  const server = new Subject(onCore(0, [process.execPath, ...contender.command()]), {
    STUB_URL: `${outsideUrl}/stock`,
    OTEL_SERVICE_NAME: 'bench',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${outsideUrl}/${contender.name}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    OTEL_LOG_LEVEL: 'error',
    DD_TRACE_AGENT_URL: outsideUrl,
    DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
    DD_REMOTE_CONFIGURATION_ENABLED: 'false',
    DD_TRACE_STARTUP_LOGS: 'false',
    ...contender.env,
  })
  try {
    const { port } = await server.next<{ port: number }>()
    const url = `http://127.0.0.1:${port}`
    await (await fetch(`${url}/hello`)).text()
    return { server, url, startMs: performance.now() - startedAt }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function measure(server: Subject, url: string, seconds: number): Promise<RouteCost> {
  const before = await server.ask<Usage>()
  const seen = await load(url, seconds)
  const after = await server.ask<Usage>()
  const micros = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
  const { p50Ms: unhurriedP50Ms } = await load(url, Math.ceil(seconds / 2), thinkMs)
  return { ...seen, cpuMicros: micros / seen.requests, unhurriedP50Ms }
}
