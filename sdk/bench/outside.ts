import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A process with what lies outside the server: the stub that `/orders` calls, and a sink for OTLP and for dd-trace's agent,
 * which counts the bytes that are sent to each path.
 */
const bytes: Record<string, number> = {}
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  if (request.method === 'GET') {
    response.end('{"sku":"A1","left":3}')
    return
  }
  const path = request.url ?? ''
  request.on('data', (chunk: Buffer) => {
    bytes[path] = (bytes[path] ?? 0) + chunk.length
  })
  request.on('end', () => response.end('{}'))
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', () => process.send?.(bytes))
process.on('disconnect', () => process.exit())
