import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type ClientHttp2Session, connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { trace } from '@opentelemetry/api'

let session: ClientHttp2Session | undefined
/** Opened by the first call, while others come. */
let orders: Awaited<ReturnType<typeof openOrders>> | undefined
async function openOrders(to: string) {
  const grpc = await import('@grpc/grpc-js')
  const same = (value: Buffer) => value
  const both = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same }
  const service = { Get: { path: '/shop.Orders/Get', requestStream: false, responseStream: false, ...both } }
  const client = new (grpc.makeClientConstructor(service, 'Orders'))(to, grpc.credentials.createInsecure())
  return client as unknown as { Get(order: Buffer, done: (error: { code: number } | null) => void): void }
}

/** A service that receives (`/echo`, `/hello`) and makes requests (`/fetch`, `/node`, `/http2`, `/grpc`, whose `to` says where). */
async function serve(incoming: IncomingMessage, response: ServerResponse, url: URL) {
  const limitMs = Number(url.searchParams.get('limit') ?? 0)
  const to = url.searchParams.get('to') ?? ''
  const answer = (value: unknown) => response.end(JSON.stringify(value))
  const failed = (error: { code?: string | number; name: string; cause?: { code?: string } }) =>
    answer({ error: error.cause?.code ?? (typeof error.code === 'string' ? error.code : error.name) })

  if (url.pathname === '/fetch') {
    const signal = limitMs > 0 ? AbortSignal.timeout(limitMs) : null
    const body = url.searchParams.has('body') ? 'x'.repeat(300_000) : null
    await fetch(to, { signal, body, method: body === null ? 'GET' : 'POST' })
      .then(async reply => answer({ status: reply.status, body: await reply.text() }))
      .catch(failed)
  } else if (url.pathname === '/node') {
    const outgoing = request(to, { method: url.searchParams.has('body') ? 'POST' : 'GET' }, reply => {
      let body = ''
      reply.setEncoding('utf8').on('data', chunk => {
        body += chunk
      })
      reply.on('error', failed)
      reply.on('end', () => answer({ status: reply.statusCode, body }))
    })
    if (limitMs > 0) outgoing.setTimeout(limitMs, () => outgoing.destroy(new TypeError('timeout')))
    outgoing.on('error', failed)
    outgoing.end(url.searchParams.has('body') ? 'x'.repeat(300_000) : undefined)
  } else if (url.pathname === '/http2') {
    session ??= connect(to)
    const stream = session.request({ ':path': '/second' })
    stream.resume().on('response', headers => answer({ status: headers[':status'] }))
  } else if (url.pathname === '/grpc') {
    orders ??= await openOrders(to)
    orders.Get(Buffer.alloc(0), error => answer({ status: error ? error.code : 0 }))
  } else {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of incoming) {
      hash.update(chunk)
      bytes += chunk.length
    }
    answer({ bytes, sha256: hash.digest('hex') })
  }
}
const server = createServer((incoming, response) => {
  const url = new URL(incoming.url ?? '/', 'http://app')
  if (!url.searchParams.has('own')) return serve(incoming, response, url)
  // As an app that makes spans of its own.
  return trace.getTracer('app').startActiveSpan('own', span => serve(incoming, response, url).finally(() => span.end()))
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
