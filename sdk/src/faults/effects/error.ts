import { STATUS_CODES } from 'node:http'
import type { EffectOf, Ending } from './effect.ts'

/** Answers with a status of its own; the request reaches nobody. */
export const error: Ending<'error'> = {
  kind: 'error',
  parse(fields) {
    const status = fields.number('status', { min: 400, max: 599, integer: true })
    return fields.has('body') ? { kind: 'error', status, body: fields.string('body') } : { kind: 'error', status }
  },
  inbound(effect, exchange) {
    exchange.answer(effect.status, contentType(effect), bodyOf(effect))
  },
  outbound(effect, socket) {
    const body = Buffer.from(bodyOf(effect))
    socket.answer(
      `HTTP/1.1 ${effect.status} ${STATUS_CODES[effect.status] ?? 'Injected'}\r\ncontent-type: ${contentType(effect)}\r\n` +
        `content-length: ${body.length}\r\nconnection: close\r\n\r\n`,
      body,
    )
  },
}

function bodyOf(effect: EffectOf<'error'>): string {
  return (
    effect.body ??
    JSON.stringify({ error: `injected fault: ${effect.status} ${STATUS_CODES[effect.status] ?? ''}`.trim() })
  )
}

function contentType(effect: EffectOf<'error'>): string {
  if (effect.body === undefined) return 'application/json'
  try {
    JSON.parse(effect.body)
    return 'application/json'
  } catch {
    return 'text/plain; charset=utf-8'
  }
}
