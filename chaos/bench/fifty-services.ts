/**
 * Fifty services in one process, each with a port for requests and one for its metrics, as large as the SDK's. Of every request two
 * spans are exported to `TRACES`. Tells its ports: the benchmark's own cost is not to be among it.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { httpDurationBoundaries, metric } from '@shaketable/sdk/names'

const count = 50
const routes = 12
/** Lines that have nothing to do with requests: the runtime's and the process' own. */
const otherLines = Array.from({ length: 150 }, (_, n) => `nodejs_something_${n}{kind="x"} ${n}\n`).join('')

const listen = async (listener: RequestListener) => {
  const server = createServer(listener).listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  server.keepAliveTimeout = 60_000
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

let spans: object[] = []
const services = await Promise.all(
  Array.from({ length: count }, async (_, index) => {
    const name = `service-${index + 1}`
    let requests = 0
    const port = await listen((_request, response) => {
      requests++
      response.end('ok')
      if (!process.env.TRACES) return
      const traceId = randomBytes(16).toString('hex')
      const root = randomBytes(8).toString('hex')
      const at = `${Date.now()}000000`
      const attributes = [{ key: 'http.response.status_code', value: { intValue: '200' } }]
      const all = { traceId, startTimeUnixNano: at, endTimeUnixNano: at, attributes, status: {} }
      spans.push(
        { ...all, spanId: root, name: 'GET /', kind: 2 },
        { ...all, spanId: randomBytes(8).toString('hex'), parentSpanId: root, name: 'GET', kind: 3 },
      )
    })
    const admin = await listen((_request, response) => response.end(exposition(requests) + otherLines))
    return { name, url: `http://127.0.0.1:${port}`, adminUrl: `http://127.0.0.1:${admin}` }
  }),
)

function exposition(requests: number): string {
  let text = `# TYPE ${metric.httpServerDuration} histogram\n`
  for (let route = 0; route < routes; route++) {
    const value = route === 0 ? requests : 0
    const labels = `http_request_method="GET",http_route="/${route === 0 ? '' : route}",http_response_status_code="200"`
    for (const bound of [...httpDurationBoundaries, '+Inf']) {
      text += `${metric.httpServerDuration}_bucket{${labels},le="${bound}"} ${value}\n`
    }
    text += `${metric.httpServerDuration}_sum{${labels}} ${value / 1000}\n`
    text += `${metric.httpServerDuration}_count{${labels}} ${value}\n`
  }
  return text
}

setInterval(() => {
  if (!process.env.TRACES || spans.length === 0) return
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'service-1' } }] }
  const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })
  spans = []
  fetch(process.env.TRACES, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(() => {})
}, 100)

process.send?.(services)
process.once('disconnect', () => process.exit())
