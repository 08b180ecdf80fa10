import { context, createContextKey, isSpanContextValid, propagation, type Span, trace } from '@opentelemetry/api'
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
}

/** What `decide` needs besides the request. */
export interface Striking {
  armed: ArmedFaults
  clock: Clock
  count(faultId: string, kind: string): void
  readTag: TagReader
}

/**
 * Lets each fault of a direction choose, in the order in which they were armed. After the first that ends the request the others
 * do not see it. `undefined` where none strikes. `spans` are those that bear the mark.
 */
export function decide(
  striking: Striking,
  direction: Exclude<FaultMatch['direction'], 'process'>,
  subject: Subject,
  spans = activeSpans(),
): Strike | undefined {
  striking.armed.expire()
  const tagged = { ...subject, tag: () => striking.readTag(tagOf(subject)) }
  const now = striking.clock.now()
  const matching = striking.armed[direction].flatMap(fault => {
    const measure = fault.intensity(now)
    return measure !== undefined && fault.matches(tagged) ? [{ fault, measure }] : []
  })
  if (matching.length === 0) return undefined

  const [span] = spans
  // Without a tracer every request has the same invalid id: then each is an attempt of its own.
  const traceId = span !== undefined && isSpanContextValid(span.spanContext()) ? span.spanContext().traceId : undefined
  const struck: ArmedFault[] = []
  const strike: Strike = { delays: [], shapes: [], ending: undefined }
  for (const { fault, measure } of matching) {
    const { scope, percent } = fault.request
    const effect = fault.request.effect as RequestEffect
    fault.seen++
    fault.expected += (percent / 100) * measure.percent
    const draw = fault.draw(scope === 'request' ? traceId : undefined, measure.percent)
    if (!draw.struck) continue
    fault.hit++
    struck.push(fault)
    striking.count(fault.id, effect.kind)
    const way = effectOf(effect.kind)
    if ('delayMs' in way) strike.delays.push({ fault, delayMs: way.delayMs(effect, draw, measure.delay) })
    else if ('valve' in way) strike.shapes.push({ fault, effect: way })
    else {
      strike.ending = { fault, effect: way }
      break
    }
  }
  if (struck.length === 0) return undefined
  const mark = {
    [attribute.faultId]: struck.map(fault => fault.id).join(','),
    [attribute.faultKind]: struck.map(fault => fault.request.effect.kind).join(','),
  }
  for (const span of spans) span.setAttributes(mark)
  return strike
}

/** Of the request in whose course it is made, or its own. */
function tagOf({ header }: Subject): string | undefined {
  const active = propagation.getActiveBaggage()?.getEntry(tagBaggageKey)?.value
  return active ?? memberOf(header?.('baggage'), tagBaggageKey)
}

function activeSpans(): readonly Span[] {
  const span = trace.getActiveSpan()
  return span ? [span] : []
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

const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/**
 * What happens while tracing is suppressed is the SDK's own: telemetry on its way out, and what a listener receives that began to
 * listen so (health, metrics, fault control). It is never faulted.
 */
export function isOwnTraffic(): boolean {
  return context.active().getValue(suppressed) === true
}
