import { EventEmitter } from 'node:events'
import http, { type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Context, Span } from '@opentelemetry/api'
import { activeContext, withContext } from '../context.ts'
import type { Notice } from '../notice.ts'

export type Message = IncomingMessage | ServerResponse | ClientRequest | ServerHttp2Stream

/** What the observer hangs on a message: the context of its listeners, and a look at its events. */
export interface Observed {
  readonly context: Context
  /** Its own. */
  readonly span?: Span
  /** Of the events that `isTold` names, and those that have listeners. */
  event?(message: Message, name: string | symbol, argument: unknown): void
}

// A property, not a WeakMap: that would keep each request alive until the next major garbage collection.
const observed = Symbol('shaketable.observed')

interface Emitter {
  emit(event: string | symbol, ...args: unknown[]): boolean
  _events?: Record<string | symbol, unknown>
  [observed]?: Observed
}

export function observe(message: Message, how: Observed): void {
  ;(message as unknown as Emitter)[observed] = how
}

export function observedOf(message: Message): Observed | undefined {
  return (message as unknown as Emitter)[observed]
}

/**
 * Node emits a message's events in the context of its connection, not of its request. One override on each prototype
 * runs listeners in the request's context, without wrapping a single listener.
 */
export function keepContextInEvents(notice: Notice): void {
  for (const { prototype } of [http.IncomingMessage, http.ServerResponse, http.ClientRequest])
    keepContext(prototype, notice)
}

/** Node's own listener of a request's end, once one was seen: to ask a function for its name is dear. */
let clearIncoming: unknown

/** The end of a request is heard by Node itself, which wants no context. */
function onlyNodeHears(emitter: Emitter, event: string | symbol): boolean {
  if (event !== 'end') return false
  const heard = emitter._events?.end
  if (typeof heard !== 'function') return false
  if (clearIncoming === undefined && heard.name === 'clearIncoming') clearIncoming = heard
  return heard === clearIncoming
}

/** Whether an observer may want to know it; that Node throws an error which nobody hears is another reason to go on. */
function isTold(event: string | symbol): boolean {
  return event === 'close' || event === 'end' || event === 'error' || event === 'upgrade' || event === 'connect'
}

const keeping = new WeakSet<object>()

/** The same for the class of HTTP/2 streams, which Node does not export: the first of them shows it. */
export function keepContextInStreams(stream: ServerHttp2Stream, notice: Notice): void {
  keepContext(Object.getPrototypeOf(stream), notice)
}

function keepContext(prototype: object, notice: Notice): void {
  if (keeping.has(prototype)) return
  keeping.add(prototype)
  const emitter = prototype as unknown as Emitter
  const emit = emitter.emit
  // Otherwise somebody else wants to see even those that nobody listens to.
  const isNodes = emit === (EventEmitter.prototype.emit as unknown)
  emitter.emit = function (this: Emitter, event, ...args) {
    // Most events have no listener, and nobody to see a context.
    if (isNodes && this._events?.[event] === undefined && !isTold(event)) return false
    const how = this[observed]
    if (how === undefined) return emit.call(this, event, ...args)
    if (how.event !== undefined) look(how, this, event, args[0])
    if (isNodes && event !== 'error' && this._events?.[event] === undefined) return false
    if (onlyNodeHears(this, event) || activeContext() === how.context) return emit.call(this, event, ...args)
    return emitIn.call(this, how.context, event, ...args)
  }

  // The closure is not made in the function above: it would keep the arguments of every event in an array.
  function emitIn(this: Emitter, context: Context, event: string | symbol, ...args: unknown[]): boolean {
    return withContext(context, () => emit.call(this, event, ...args))
  }

  function look(how: Observed, emitter: Emitter, event: string | symbol, argument: unknown): void {
    try {
      how.event!(emitter as unknown as Message, event, argument)
    } catch (error) {
      notice(`a request is not observed to its end: ${String(error)}`)
    }
  }
}
