import { STATUS_CODES } from 'node:http'
import type { EffectOf, Ending } from './effect.ts'

/** Answers with a status of its own; the request reaches nobody. */
export const error: Ending<'error'> = {
  kind: 'error',
  parse(fields) {
    if (fields.has('grpcStatus')) {
      const grpcStatus = fields.number('grpcStatus', { min: 1, max: 16, integer: true })
      return fields.has('grpcMessage')
        ? { kind: 'error', grpcStatus, grpcMessage: fields.string('grpcMessage') }
        : { kind: 'error', grpcStatus }
    }
    const status = fields.number('status', { min: 400, max: 599, integer: true })
    return fields.has('body') ? { kind: 'error', status, body: fields.string('body') } : { kind: 'error', status }
  },
  inbound(effect, exchange) {
    const { status, headers, body } = answerOf(effect)
    exchange.answer(status, headers, body)
  },
  outbound(effect, socket) {
    const { status, headers, body } = answerOf(effect)
    const bytes = Buffer.from(body)
    const lines = Object.entries({ ...headers, 'content-length': bytes.length, connection: 'close' })
    socket.answer(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Injected'}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      bytes,
    )
  },
}

function answerOf(effect: EffectOf<'error'>): { status: number; headers: Record<string, string>; body: string } {
  if ('grpcStatus' in effect) {
    // "Trailers-Only" of gRPC over HTTP/2: one head that ends the stream, the status in it.
    const { grpcStatus, grpcMessage = 'injected fault' } = effect
    const headers = {
      'content-type': 'application/grpc',
      'grpc-status': String(grpcStatus),
      'grpc-message': encodeURIComponent(grpcMessage),
    }
    return { status: 200, headers, body: '' }
  }
  const { status } = effect
  const body =
    effect.body ?? JSON.stringify({ error: `injected fault: ${status} ${STATUS_CODES[status] ?? ''}`.trim() })
  return { status, headers: { 'content-type': isJson(body) ? 'application/json' : 'text/plain; charset=utf-8' }, body }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
