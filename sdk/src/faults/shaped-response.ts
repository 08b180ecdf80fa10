import type { ServerResponse } from 'node:http'
import type { Clock } from './clock.ts'
import type { Inbound } from './inbound-exchange.ts'
import { ShapedBody } from './shaped-body.ts'
import type { Strike } from './strike.ts'

type Callback = (error?: Error | null) => void

/** What the app writes to its response goes through the valves; the head goes at once, and the framing stays what it would have been. */
export function shapeResponse(exchange: Inbound, shapes: Strike['shapes'], clock: Clock): void {
  if (exchange.method === 'HEAD') return
  // Of a stream of HTTP/2 only what both have is used; its head is sent by the app itself.
  const response = exchange.response as ServerResponse
  const isStream = !('flushHeaders' in exchange.response)
  const sendHead = () => {
    if (!isStream) response.flushHeaders()
  }
  const write = response.write.bind(response)
  const end = response.end.bind(response)
  let wantsDrain = false
  let ended: Callback | undefined | 'not yet' = 'not yet'

  const body = new ShapedBody(shapes, clock, {
    pass: piece => void write(piece),
    end: () => void (typeof ended === 'function' ? end(ended) : end()),
    cut: () => exchange.breakOff(),
    drained() {
      if (!wantsDrain) return
      wantsDrain = false
      response.emit('drain')
    },
  })
  exchange.onGone(() => body.stop())

  const shaped = {
    write(chunk: string | Uint8Array, encoding?: BufferEncoding | Callback, written?: Callback): boolean {
      const done = typeof encoding === 'function' ? encoding : written
      if (ended !== 'not yet') return write(chunk, encoding as BufferEncoding, done)
      sendHead()
      body.add(bytesOf(chunk, encoding))
      if (done) process.nextTick(done)
      wantsDrain = body.waiting > 0
      return !wantsDrain
    },
    end(chunk?: string | Uint8Array | Callback | null, encoding?: BufferEncoding | Callback, done?: Callback) {
      if (ended !== 'not yet') return response
      const last = typeof chunk === 'function' || chunk == null ? undefined : bytesOf(chunk, encoding)
      if (last && !isStream && !response.headersSent && !hasFraming(response))
        response.setHeader('content-length', last.length)
      ended = [chunk, encoding, done].find(one => typeof one === 'function') as Callback | undefined
      if (last && last.length > 0) {
        sendHead()
        body.add(last)
      }
      body.end()
      return response
    },
  }
  Object.assign(response, shaped)
}

function hasFraming(response: ServerResponse): boolean {
  return response.hasHeader('content-length') || response.hasHeader('transfer-encoding')
}

function bytesOf(chunk: string | Uint8Array, encoding: BufferEncoding | Callback | undefined): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8') : chunk
}
