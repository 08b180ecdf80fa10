import { AsyncResource } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import http, { type Agent, type ClientRequest, type RequestOptions } from 'node:http'
import { activeContext } from '../context.ts'
import { observedOf } from '../http/observed.ts'
import type { ArmedFault } from './armed.ts'
import { holdRequest, type TimedRequest } from './held-request.ts'
import { pathOf } from './matching.ts'
import { ScriptedSocket } from './scripted-socket.ts'
import { shapeIncoming } from './shaped-incoming.ts'
import { afterDelays, decide, isOwnTraffic, mark, type Striking } from './strike.ts'
import type { RequestEffect } from './wire.ts'

type AddRequest = (this: Agent, request: TimedRequest, options: RequestOptions) => void

const requestMade = 'http.client.request.created'

/**
 * Puts the faults between a request of node:http or node:https and its connection: where the agent would find it one. The request
 * object is the caller's own from the start, so its span, body, abort and timeouts are as without a fault; every way to make a
 * request passes here, except one that brings its own connection and no agent.
 */
export function interceptNodeHttp(striking: Striking): () => void {
  const unmarked = new WeakMap<ClientRequest, readonly ArmedFault[]>()
  const prototype = http.Agent.prototype as unknown as { addRequest: AddRequest }
  const original = prototype.addRequest
  const wrapped: AddRequest = function (request, options) {
    if (striking.armed.outbound.length === 0 || isOwnTraffic()) return original.call(this, request, options)
    const subject = {
      method: request.method,
      path: pathOf(request.path),
      header: (name: string) => headerOf(request, name),
      peer: `${request.host.includes(':') ? `[${request.host}]` : request.host}:${options.port}`,
    }
    const strike = decide(striking, 'outbound', subject, { span: undefined, context: activeContext() })
    if (strike === undefined) return original.call(this, request, options)
    unmarked.set(request, strike.struck)

    let endHold = () => {}
    const proceed = AsyncResource.bind(() => {
      endHold()
      const ending = strike.ending
      if (ending === undefined || ending.fault.ended) {
        if (strike.shapes.length > 0) shapeIncoming(request, strike.shapes, striking.clock)
        return original.call(this, request, options)
      }
      const { fault, effect } = ending
      const socket = new ScriptedSocket(scripted =>
        effect.outbound(fault.request.effect as RequestEffect, scripted, fault),
      )
      if (request.timeout !== undefined) socket.setTimeout(request.timeout)
      request.onSocket(socket as unknown as Parameters<ClientRequest['onSocket']>[0])
    })
    if (strike.delays.length === 0) return proceed()
    const cancel = afterDelays(strike, striking.clock, proceed)
    endHold = holdRequest(request, striking.clock, () => {
      cancel()
      endHold()
    })
  }
  prototype.addRequest = wrapped
  // Node tells of a request, and so the observer makes its span, once it has been added.
  const markCall = (message: unknown) => {
    const { request } = message as { request: ClientRequest }
    mark(observedOf(request)?.span, unmarked.get(request) ?? [])
  }
  subscribe(requestMade, markCall)
  return () => {
    unsubscribe(requestMade, markCall)
    if (prototype.addRequest === wrapped) prototype.addRequest = original
  }
}

function headerOf(request: ClientRequest, name: string): string | undefined {
  const value = request.getHeader(name)
  return value === undefined ? undefined : String(value)
}
