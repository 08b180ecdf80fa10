import { AsyncResource } from 'node:async_hooks'
import http, { type IncomingMessage } from 'node:http'
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import https from 'node:https'
import { handOver, withhold } from '../http/route.ts'
import { callerBaggageKey } from '../names.ts'
import { memberOf } from './baggage.ts'
import { type Inbound, InboundRequest, InboundStream } from './inbound-exchange.ts'
import { pathOf, type Subject } from './matching.ts'
import { ownServer } from './own-server.ts'
import { shapeResponse } from './shaped-response.ts'
import { afterDelays, decide, isOwnTraffic, type Strike, type Striking } from './strike.ts'
import type { RequestEffect } from './wire.ts'

type Emit = (this: object, event: string | symbol, ...args: unknown[]) => boolean

/**
 * Puts the faults before every `request` listener of every HTTP server of the process, and before every `stream` listener that
 * gets a gRPC call; the answer takes them away again. A delayed request is emitted later in the same async context, so that its
 * span stays active.
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
  /** A gRPC server may be one of `request` listeners, to which its stream comes a second time. */
  const decided = new WeakSet<object>()

  const wrapped: Emit = function (event, ...args) {
    const go = () => original.call(this, event, ...args)
    if (striking.armed.inbound.length === 0 || (event !== 'request' && event !== 'stream')) return go()
    if (ownServer in this || isOwnTraffic()) return go()
    if (event === 'stream') {
      const [stream, headers] = args as [ServerHttp2Stream, IncomingHttpHeaders]
      if (!String(headers['content-type']).startsWith('application/grpc')) return go()
      decided.add(stream)
      const exchange = new InboundStream(stream, headers)
      const strike = decide(striking, 'inbound', subjectOf(exchange, headers[':path'] ?? '/'))
      if (strike === undefined) return go()
      strikeInbound(strike, exchange, striking, go)
      return true
    }
    const exchange = new InboundRequest(args[0] as InboundRequest['request'], args[1] as InboundRequest['response'])
    if ('stream' in exchange.request && decided.has(exchange.request.stream)) return go()
    const strike = decide(striking, 'inbound', subjectOf(exchange, exchange.request.url ?? '/'))
    if (strike === undefined) return go()
    const message = exchange.request as IncomingMessage
    withhold(message)
    strikeInbound(strike, exchange, striking, () => {
      handOver(message)
      go()
    })
    return true
  }
  prototype.emit = wrapped
  return () => {
    if (prototype.emit !== wrapped) return
    if (hadOwn) prototype.emit = original
    else delete (prototype as { emit?: unknown }).emit
  }
}

/** `go` hands the request to the app, unless its fate is another. */
export function strikeInbound(strike: Strike, exchange: Inbound, striking: Striking, go: () => void): void {
  const proceed = AsyncResource.bind(() => {
    if (exchange.gone) return
    const { ending, shapes } = strike
    if (ending && !ending.fault.ended) {
      ending.effect.inbound(ending.fault.request.effect as RequestEffect, exchange, ending.fault)
      return
    }
    if (shapes.length > 0) shapeResponse(exchange, shapes, striking.clock)
    go()
  })
  const cancel = afterDelays(strike, striking.clock, proceed)
  if (strike.delays.length > 0) exchange.onGone(cancel)
}

function subjectOf(exchange: Inbound, target: string): Subject {
  return {
    method: exchange.method,
    path: pathOf(target),
    from: memberOf(exchange.header('baggage'), callerBaggageKey),
    header: name => exchange.header(name),
  }
}
