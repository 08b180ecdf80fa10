import { type Attributes, type Context, context, isSpanContextValid, propagation, type Span } from '@opentelemetry/api'
import { activeContext, isUntraced, requestSpanOf, spanOf } from '../context.ts'
import { attribute, tagBaggageKey } from '../names.ts'
import type { ArmedFault, ArmedFaults } from './armed.ts'
import { memberOf } from './baggage.ts'
import type { Clock } from './clock.ts'
import type { Ending, Shaping } from './effects/effect.ts'
import { effectOf } from './effects/index.ts'
import type { Subject } from './matching.ts'
import type { TagReader } from './tag.ts'
import type { FaultMatch, RequestEffect } from './wire.ts'

/**
 * What is to happen to one request: a wait for each delay, one after the other, and then perhaps its end, or an answer whose body
 * comes through valves.
 */
export interface Strike {
  delays: { fault: ArmedFault; delayMs: number }[]
  shapes: { fault: ArmedFault; effect: Shaping }[]
  ending: { fault: ArmedFault; effect: Ending } | undefined
  /** Those that strike, for the spans of the request. */
  struck: ArmedFault[]
}

/** What `decide` needs besides the request. */
export interface Striking {
  armed: ArmedFaults
  clock: Clock
  count(faultId: string, kind: string): void
  readTag: TagReader
}

/** A request that goes out, and the context in which it is made. */
export interface MadeCall {
  /** `undefined` where it is not made yet, or never will be. */
  span: Span | undefined
  context: Context
}

/**
 * Lets each fault of a direction choose, in the order in which they were armed. After the first that ends the request the others
 * do not see it. `undefined` where none strikes. The request's span is marked, and the one of the request in whose course it is
 * made; `call` is known for one that goes out, where its span is not the active one.
 */
export function decide(
  striking: Striking,
  direction: Exclude<FaultMatch['direction'], 'process'>,
  subject: Subject,
  call?: MadeCall,
): Strike | undefined {
  striking.armed.expire()
  const tagged = { ...subject, tag: () => striking.readTag(tagOf(subject)) }
  const now = striking.clock.now()
  const matching = striking.armed[direction].flatMap(fault => {
    const measure = fault.intensity(now)
    return measure !== undefined && fault.matches(tagged) ? [{ fault, measure }] : []
  })
  if (matching.length === 0) return undefined

  const context = call?.context ?? activeContext()
  const made = { span: call ? call.span : spanOf(context), context }
  const known = (made.span ?? requestOf(context))?.spanContext()
  // Without a tracer every request has the same invalid id: then each is an attempt of its own.
  const traceId = known && isSpanContextValid(known) ? known.traceId : undefined
  const strike: Strike = { delays: [], shapes: [], ending: undefined, struck: [] }
  for (const { fault, measure } of matching) {
    const { scope, percent } = fault.request
    const effect = fault.request.effect as RequestEffect
    fault.seen++
    fault.expected += (percent / 100) * measure.percent
    const draw = fault.draw(scope === 'request' ? traceId : undefined, measure.percent)
    if (!draw.struck) continue
    fault.hit++
    strike.struck.push(fault)
    striking.count(fault.id, effect.kind)
    const way = effectOf(effect.kind)
    if ('delayMs' in way) strike.delays.push({ fault, delayMs: way.delayMs(effect, draw, measure.delay) })
    else if ('valve' in way) strike.shapes.push({ fault, effect: way })
    else {
      strike.ending = { fault, effect: way }
      break
    }
  }
  if (strike.struck.length === 0) return undefined
  markCall(made, strike.struck)
  return strike
}

const requestOf = (context: Context) => requestSpanOf(context) ?? spanOf(context)

/** Adds the faults to the span of a call, and to that of the request in whose course it is made. */
export function markCall({ span, context }: MadeCall, struck: readonly ArmedFault[]): void {
  for (const marked of new Set([span, requestOf(context)])) mark(marked, struck)
}

/** Adds the faults to those that a span bears already: each of several calls may meet its own. */
export function mark(span: Span | undefined, struck: readonly ArmedFault[]): void {
  if (span === undefined || struck.length === 0) return
  const { attributes = {} } = span as Span & { attributes?: Attributes }
  const ids = listOf(attributes[attribute.faultId])
  const kinds = listOf(attributes[attribute.faultKind])
  for (const { id, request } of struck) {
    if (ids.includes(id)) continue
    ids.push(id)
    kinds.push(request.effect.kind)
  }
  span.setAttributes({ [attribute.faultId]: ids.join(','), [attribute.faultKind]: kinds.join(',') })
}

const listOf = (value: unknown) => (typeof value === 'string' ? value.split(',') : [])

/** Of the request in whose course it is made, or its own. */
function tagOf({ header }: Subject): string | undefined {
  const active = propagation.getActiveBaggage()?.getEntry(tagBaggageKey)?.value
  return active ?? memberOf(header?.('baggage'), tagBaggageKey)
}

/**
 * Runs `then` after the delays of a strike, each of which ends early with its fault; at once where there are none. The answer
 * cancels it. Timers keep the async context of the caller.
 */
export function afterDelays(strike: Strike, clock: Clock, then: () => void): () => void {
  let stop = () => {}
  const step = (i: number) => {
    const delay = strike.delays[i]
    if (delay === undefined) return then()
    let forget = () => {}
    let over = false
    const next = () => {
      if (over) return
      over = true
      cancel()
      forget()
      step(i + 1)
    }
    const cancel = clock.after(delay.delayMs, next)
    stop = () => {
      over = true
      cancel()
      forget()
    }
    forget = delay.fault.onEnd(next)
  }
  step(0)
  return () => stop()
}

/**
 * What happens while tracing is suppressed is the SDK's own: telemetry on its way out, and what a listener receives that began to
 * listen so (health, metrics, fault control). It is never faulted.
 */
export function isOwnTraffic(): boolean {
  return isUntraced(activeContext()) || isUntraced(context.active())
}
