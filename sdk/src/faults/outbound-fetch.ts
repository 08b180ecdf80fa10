import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createContextKey } from '@opentelemetry/api'
import { activeContext, withContext } from '../context.ts'
import { callOf } from '../http/client.ts'
import type { ArmedFault } from './armed.ts'
import { type Handler, heldAnswer } from './held-answer.ts'
import { pathOf } from './matching.ts'
import { ScriptedSocket } from './scripted-socket.ts'
import { shapedAnswer } from './shaped-answer.ts'
import { afterDelays, decide, isOwnTraffic, mark, type Strike, type Striking } from './strike.ts'
import type { RequestEffect } from './wire.ts'

/** A dispatcher of ours may be wrapped into one of the app's, and that one again: a request is decided once. */
const decided: unique symbol = Symbol('shaketable.decided')

/** As much of undici's dispatcher as is used here; Node's own copy cannot be imported. */
interface Dispatcher {
  dispatch: Dispatch
  compose?(interceptor: (dispatch: Dispatch) => Dispatch): Dispatcher
}
type Dispatch = (options: DispatchOptions, handler: Handler) => boolean
interface DispatchOptions {
  origin?: string | URL
  path: string
  method: string
  headers?: unknown
  headersTimeout?: number
  [decided]?: true
}
type Connect = (options: unknown, connected: (error: Error | null, socket: unknown) => void) => void
/** Makes a dispatcher of its own for one request, to be used with handlers of the kind that the request has. */
type AgentFor = (handler: Handler, connect: Connect) => Dispatcher

/** Where every copy of undici, Node's own too, keeps the dispatcher of calls that bring none. */
const globalSlots = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')]

/**
 * Puts the faults into the global dispatcher and into the one that a call of `fetch` brings along. `refresh` finds a global
 * dispatcher that the app has set since; it is to be called whenever a fault is armed.
 */
export function interceptFetch(striking: Striking): { refresh(): void; undo(): void } {
  // Node loads its undici, and with it the global dispatcher, at the first use of one of its classes.
  new Headers()
  const slots = globalThis as unknown as Record<symbol, Dispatcher | undefined>
  const agentFor = agentsOf(slots)
  const composed = new WeakMap<Dispatcher, Dispatcher>()
  const originals = new WeakMap<Dispatcher, Dispatcher>()

  const compose = (dispatcher: Dispatcher): Dispatcher => {
    if (originals.has(dispatcher) || typeof dispatcher.compose !== 'function') return dispatcher
    const known = composed.get(dispatcher)
    if (known !== undefined) return known
    const made = dispatcher.compose(dispatch => intercepted(dispatch, agentFor, striking))
    composed.set(dispatcher, made)
    originals.set(made, dispatcher)
    return made
  }
  const replaceGlobals = (replacement: (dispatcher: Dispatcher) => Dispatcher) => {
    for (const slot of globalSlots) {
      const current = slots[slot]
      if (current !== undefined) slots[slot] = replacement(current)
    }
  }

  const original = globalThis.fetch
  const wrapped = function fetch(input: Parameters<typeof original>[0], init?: RequestInit & { dispatcher?: unknown }) {
    const brought = init?.dispatcher as Dispatcher | undefined
    if (brought == null || striking.armed.outbound.length === 0) return original(input, init)
    return original(input, { ...init, dispatcher: compose(brought) } as unknown as RequestInit)
  } as typeof original
  globalThis.fetch = wrapped
  replaceGlobals(compose)
  // After the observer's own look, which has made the call's span.
  subscribe(requestMade, markCall)

  return {
    refresh: () => replaceGlobals(compose),
    undo() {
      unsubscribe(requestMade, markCall)
      if (globalThis.fetch === wrapped) globalThis.fetch = original
      replaceGlobals(dispatcher => originals.get(dispatcher) ?? dispatcher)
    },
  }
}

/** From Node 26 on the first slot is a wrapper around the second, for the handlers that undici took before version 8. */
function agentsOf(slots: Record<symbol, Dispatcher | undefined>): AgentFor {
  const [first, second] = globalSlots.map(slot => slots[slot]?.constructor)
  const Agent = (second ?? first) as new (options: { connect: Connect }) => Dispatcher
  const Wrapper = first as new (dispatcher: Dispatcher) => Dispatcher
  return (handler, connect) => {
    const agent = new Agent({ connect })
    return second === undefined || handler.onRequestStart ? agent : new Wrapper(agent)
  }
}

function intercepted(dispatch: Dispatch, agentFor: AgentFor, striking: Striking): Dispatch {
  return (options, handler) => {
    if (striking.armed.outbound.length === 0 || options[decided] || isOwnTraffic()) return dispatch(options, handler)
    const { method, path, origin } = options
    const header = (name: string) => headerOf(options.headers, name)
    const subject = { method, path: pathOf(path), peer: peerOf(origin), header }
    const strike = decide(striking, 'outbound', subject, { span: undefined, context: activeContext() })
    const once = { ...options, [decided]: true as const }
    if (strike === undefined) return dispatch(once, handler)
    const go = (by: Dispatch, handler: Handler) => marking(strike, () => by(once, handler))
    if (strike.ending !== undefined) {
      const agent = agentFor(handler, scripted(strike, striking))
      return go((...request) => agent.dispatch(...request), handler)
    }
    const shaped = strike.shapes.length > 0 ? shapedAnswer(handler, strike.shapes, striking.clock) : handler
    if (strike.delays.length === 0) return go(dispatch, shaped)
    return go(
      dispatch,
      heldAnswer(shaped, {
        wait: release => afterDelays(strike, striking.clock, release),
        headersTimeoutMs: options.headersTimeout,
        after: striking.clock.after,
      }),
    )
  }
}

const requestMade = 'undici:request:create'
const toMark = createContextKey('shaketable.faults to mark')

/** A strike is decided before undici makes the request, and with it its span: the first one made in this context is it. */
function marking(strike: Strike, dispatch: () => boolean): boolean {
  return withContext(activeContext().setValue(toMark, [...strike.struck]), dispatch)
}

function markCall(message: unknown): void {
  const struck = activeContext().getValue(toMark) as ArmedFault[] | undefined
  if (struck) mark(callOf((message as { request: object }).request)?.span, struck.splice(0))
}

/** Connects the one request of an agent of its own to the ending of its strike, and nothing after it. */
function scripted(strike: Strike, striking: Striking): Connect {
  let used = false
  return (_options, connected) => {
    if (used) return process.nextTick(connected, new Error('an injected fault has ended this connection'), null)
    used = true
    const socket = new ScriptedSocket(() => {
      const { fault, effect } = strike.ending!
      const cancel = afterDelays(strike, striking.clock, () =>
        effect.outbound(fault.request.effect as RequestEffect, socket, fault),
      )
      socket.once('close', cancel)
    })
    process.nextTick(connected, null, socket)
  }
}

function peerOf(origin: string | URL | undefined): string {
  const url = new URL(origin ?? 'http://unknown')
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`
}

/** undici takes headers as a flat list of names and values, as pairs, or as an object. */
function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  const list: unknown[] =
    Symbol.iterator in headers ? [...(headers as Iterable<unknown>)] : Object.entries(headers as object)
  const pairs = Array.isArray(list[0]) ? (list as unknown[][]) : pairsOf(list)
  const value = pairs.find(([key]) => String(key).toLowerCase() === name)?.[1]
  return value == null ? undefined : String(value)
}

const pairsOf = (list: unknown[]) => list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]]] : []))
