import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Context } from '@opentelemetry/api'
import { activeContext, withContext } from '../context.ts'
import type { Notice } from '../notice.ts'
import { http } from './node-http.ts'

/** What the observer hangs on a message: the context of its listeners, and a look at its events. */
export interface Observed {
  context: Context
  event?(name: string | symbol, argument: unknown): void
}

const observed = Symbol('shaketable.observed')

type Emitter = { emit(event: string | symbol, ...args: unknown[]): boolean; [observed]?: Observed }

type Message = IncomingMessage | ServerResponse | ClientRequest | ServerHttp2Stream

export function observe(message: Message, how: Observed): void {
  ;(message as unknown as Emitter)[observed] = how
}

/**
 * Node emits a message's events in the context of its connection, not of its request. One override on each prototype
 * runs listeners in the request's context, without wrapping a single listener.
 */
export function keepContextInEvents(notice: Notice): void {
  for (const { prototype } of [http.IncomingMessage, http.ServerResponse, http.ClientRequest])
    keepContext(prototype, notice)
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
  emitter.emit = function (this: Emitter, event, ...args) {
    const how = this[observed]
    if (how === undefined) return emit.call(this, event, ...args)
    try {
      how.event?.(event, args[0])
    } catch (error) {
      notice(`a request is not observed to its end: ${String(error)}`)
    }
    if (activeContext() === how.context) return emit.call(this, event, ...args)
    return withContext(how.context, () => emit.call(this, event, ...args))
  }
}
