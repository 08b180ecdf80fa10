import { AsyncResource } from 'node:async_hooks'
import http, { type IncomingMessage } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { handOver, withhold } from '../http/route.ts'
import { callerBaggageKey } from '../names.ts'
import { Inbound } from './inbound-exchange.ts'
import { pathOf, type Subject } from './matching.ts'
import { ownServer } from './own-server.ts'
import { afterDelays, decide, isOwnTraffic, type Striking } from './strike.ts'

type Emit = (this: object, event: string | symbol, ...args: unknown[]) => boolean

/**
 * Puts the faults before every `request` listener of every HTTP server of the process; the answer takes them away again. A delayed
 * request is emitted later in the same async context, so that its span stays active.
 */
export function interceptInbound(striking: Striking): () => void {
  // https.Server and the HTTP/2 servers do not inherit from http.Server; HTTP/2 exports no classes.
  const prototypes = [http.Server.prototype, https.Server.prototype, Object.getPrototypeOf(http2.createServer())]
  const undo = prototypes.map(prototype => wrapEmit(prototype, striking))
  return () => {
    for (const one of undo) one()
  }
}

function wrapEmit(prototype: { emit: unknown }, striking: Striking): () => void {
  const hadOwn = Object.hasOwn(prototype, 'emit')
  const original = prototype.emit as Emit
  const wrapped: Emit = function (event, ...args) {
    if (event !== 'request' || striking.armed.inbound.length === 0 || ownServer in this || isOwnTraffic())
      return original.call(this, event, ...args)
    const exchange = new Inbound(args[0] as Inbound['request'], args[1] as Inbound['response'])
    const strike = decide(striking, 'inbound', subjectOf(exchange.request))
    if (strike === undefined) return original.call(this, event, ...args)

    const message = exchange.request as IncomingMessage
    withhold(message)
    const proceed = AsyncResource.bind(() => {
      if (exchange.gone) return
      const ending = strike.ending
      if (ending === undefined || ending.fault.ended) {
        handOver(message)
        original.call(this, event, ...args)
      } else ending.effect.inbound(ending.fault.request.effect, exchange, ending.fault)
    })
    const cancel = afterDelays(strike, striking.clock, proceed)
    if (strike.delays.length > 0) exchange.onGone(cancel)
    return true
  }
  prototype.emit = wrapped
  return () => {
    if (prototype.emit !== wrapped) return
    if (hadOwn) prototype.emit = original
    else delete (prototype as { emit?: unknown }).emit
  }
}

function subjectOf(request: Inbound['request']): Subject {
  return {
    method: request.method ?? 'GET',
    path: pathOf(request.url ?? '/'),
    from: callerOf(request.headers.baggage),
  }
}

/** The calling service as the W3C baggage header names it. */
export function callerOf(baggage: string | string[] | undefined): string | undefined {
  for (const member of String(baggage ?? '').split(',')) {
    const [pair = ''] = member.split(';')
    const at = pair.indexOf('=')
    if (pair.slice(0, at).trim() !== callerBaggageKey) continue
    const value = pair.slice(at + 1).trim()
    try {
      return decodeURIComponent(value)
    } catch {
      return value
    }
  }
  return undefined
}
