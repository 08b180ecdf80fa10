import { createHash } from 'node:crypto'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A service that receives (`/echo`, `/hello`) and makes requests (`/fetch`, `/node`, whose `to` names the URL). */
const server = createServer(async (incoming, response) => {
  const url = new URL(incoming.url ?? '/', 'http://app')
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
  } else {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of incoming) {
      hash.update(chunk)
      bytes += chunk.length
    }
    answer({ bytes, sha256: hash.digest('hex') })
  }
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
