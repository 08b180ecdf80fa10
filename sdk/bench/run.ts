import { createRequire } from 'node:module'
import type { Contender } from './contenders.ts'
import { onCore } from './cores.ts'
import { Subject } from './process.ts'

/** What one run of one contender on one route cost. */
export interface RouteCost {
  /** CPU time of the server process, user and system, a request. */
  cpuMicros: number
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
}

export interface Run {
  contender: string
  /** From spawn to the first answer. */
  startMs: number
  rssMegabytes: number
  routes: Record<Route, RouteCost>
}

export const routes = ['/hello', '/orders'] as const
export type Route = (typeof routes)[number]

interface Usage {
  cpu: { user: number; system: number }
  rssBytes: number
}
interface LoadResult {
  non2xx: number
  errors: number
  latency: { p50: number; p99: number }
  requests: { total: number; average: number }
}
type Load = (options: { url: string; connections: number; duration: number }) => Promise<LoadResult>
const autocannon = createRequire(import.meta.url)('autocannon') as Load

const connections = 20

/** Starts a contender on core 0, warms it up and measures it under a closed loop of 20 connections. */
export async function run(contender: Contender, outsideUrl: string, seconds: number): Promise<Run> {
  const startedAt = performance.now()
  const server = new Subject(onCore(0, [process.execPath, ...contender.command]), {
    STUB_URL: `${outsideUrl}/stock`,
    OTEL_SERVICE_NAME: 'bench',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${outsideUrl}/${contender.name}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    OTEL_LOG_LEVEL: 'error',
    ...contender.env,
  })
  try {
    const { port } = await server.next<{ port: number }>()
    const url = `http://127.0.0.1:${port}`
    await (await fetch(`${url}/hello`)).text()
    const startMs = performance.now() - startedAt
    const costs: Partial<Record<Route, RouteCost>> = {}
    for (const route of routes) {
      await autocannon({ url: url + route, connections, duration: Math.max(1, Math.round(seconds / 2)) })
      costs[route] = await measure(server, url + route, seconds)
    }
    const { rssBytes } = await server.ask<Usage>()
    return {
      contender: contender.name,
      startMs,
      rssMegabytes: rssBytes / 1e6,
      routes: costs as Record<Route, RouteCost>,
    }
  } finally {
    await server.stop()
  }
}

async function measure(server: Subject, url: string, seconds: number): Promise<RouteCost> {
  const before = await server.ask<Usage>()
  const result = await autocannon({ url, connections, duration: seconds })
  const after = await server.ask<Usage>()
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} answers other than 2xx and ${result.errors} errors; expected none`)
  const micros = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
  return {
    cpuMicros: micros / result.requests.total,
    requestsPerSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  }
}
