import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { untraced } from '../context.ts'
import { contentType, type Family, negotiate, render } from '../metrics/exposition.ts'
import { adminPath } from '../names.ts'
import type { Notice } from '../notice.ts'
import { type LogLevelControl, withoutKey } from './log-level.ts'

export interface AdminSources {
  /** What stands in the way of traffic; empty when nothing does. */
  obstacles: () => Promise<string[]>
  /** Absent when metrics are switched off: then `/metrics` is 404. */
  metrics: (() => Promise<Family[]>) | undefined
  telemetry: () => Promise<object>
  /** Absent without a key: then nobody changes log levels. */
  logLevel: LogLevelControl | undefined
  notice: Notice
}

export interface AdminListener {
  /** Undefined when the port was taken. */
  address: AddressInfo | undefined
  close(): void
}

/** The health and metrics listener. It never keeps the process alive; a port that is taken is one warning. */
export function listen(host: string, port: number, sources: AdminSources): Promise<AdminListener> {
  const server = http.createServer((request, response) => {
    answer(request, response, sources).catch(error => {
      sources.notice(`${request.url} failed: ${String(error)}`)
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  server.unref()
  // A scraper keeps its connection open between scrapes.
  server.on('connection', socket => socket.unref())
  return new Promise(resolve => {
    server.on('error', error => {
      const next = 'OTEL_EXPORTER_PROMETHEUS_PORT sets another port, and 0 takes a free one'
      sources.notice(`the health and metrics listener cannot listen on ${host}:${port}: ${error.message}; ${next}`)
      resolve({ address: undefined, close: () => {} })
    })
    server.once('listening', () => resolve({ address: server.address() as AddressInfo, close: () => close(server) }))
    // A worker of a cluster that nobody speaks for must not share its siblings' port.
    untraced(() => server.listen({ port, host, exclusive: true }))
  })
}

function close(server: Server): void {
  server.close()
  server.closeAllConnections()
}

async function answer(request: IncomingMessage, response: ServerResponse, sources: AdminSources): Promise<void> {
  const [path] = (request.url ?? '/').split('?')
  if (path === adminPath.logLevel) {
    const { status, body } = sources.logLevel?.answer(request) ?? withoutKey
    return send(response, status, body)
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'only GET\n')
  if (path === adminPath.live) return send(response, 200, 'ok\n')
  if (path === adminPath.ready) {
    const obstacles = await sources.obstacles()
    return obstacles.length === 0 ? send(response, 200, 'ok\n') : send(response, 503, `${obstacles.join('\n')}\n`)
  }
  if (path === adminPath.telemetry) {
    return send(response, 200, `${JSON.stringify(await sources.telemetry(), null, 2)}\n`, 'application/json')
  }
  if (path === adminPath.metrics && sources.metrics) {
    const format = negotiate(request.headers.accept)
    return send(response, 200, render(await sources.metrics(), format), contentType[format])
  }
  send(response, 404, `try ${Object.values(adminPath).join(' ')}\n`)
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
