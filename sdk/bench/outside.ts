import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A process with what lies outside the server: the stub that `/orders` calls, and a sink for OTLP, which counts what each
 * contender sends (`/<contender>/v1/traces`).
 */
const posts: Record<string, { requests: number; bytes: number }> = {}
const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.setHeader('content-type', 'application/json')
    response.end('{"sku":"A1","left":3}')
    return
  }
  posts[request.url ?? ''] ??= { requests: 0, bytes: 0 }
  const post = posts[request.url ?? '']!
  post.requests++
  request.on('data', (chunk: Buffer) => {
    post.bytes += chunk.length
  })
  request.on('end', () => response.setHeader('content-type', 'application/x-protobuf').end())
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', () => process.send?.(posts))
process.on('disconnect', () => process.exit())
