import {
  type Attributes,
  type AttributeValue,
  type Context,
  type Exception,
  type HrTime,
  isSpanContextValid,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
} from '@opentelemetry/api'
import { nowMs, toHrTime } from '../clock.ts'
import { spanOf } from '../context.ts'
import type { Redaction } from '../redaction.ts'
import type { Scope, ServiceResource } from '../resource.ts'
import type { Description } from './description.ts'
import type { LocalTrace } from './undecided.ts'

export interface SpanLimits {
  attributeCount: number
  /** Characters; longer strings are cut. */
  attributeLength: number
  eventCount: number
  eventAttributeCount: number
  linkCount: number
  linkAttributeCount: number
}

export interface SpanEvent {
  name: string
  time: HrTime
  attributes: Attributes
  droppedAttributesCount: number
}

/** Where spans go as they start and end. */
export interface SpanSink {
  readonly resource: ServiceResource
  readonly limits: SpanLimits
  readonly redaction: Redaction
  started(span: RecordedSpan): void
  ended(span: RecordedSpan): void
}

export interface SpanStart {
  name: string
  kind: SpanKind
  context: SpanContext
  parent: SpanContext | undefined
  scope: Scope
  /** ms since the epoch; now when absent. */
  startMs?: number | undefined
  description?: Description | undefined
  /** Head sampling left the span out, but its local root may yet bring it in. */
  local?: LocalTrace | undefined
}

/** Of the span in the context, as long as it has one that may have children. */
export function validSpanContextOf(context: Context): SpanContext | undefined {
  const span = spanOf(context)
  const own = span?.spanContext()
  // Our own ids need no second look.
  return own && (span instanceof RecordedSpan || isSpanContextValid(own)) ? own : undefined
}

/** Attributes that a description has. */
const mostDescribed = 16

const unset: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET })

/**
 * The only span class: OpenTelemetry's `Span` to the app and its `ReadableSpan` to processors and exporters. A span that
 * is not sampled keeps its ids and attributes (the access log reads them) but never reaches the sink.
 */
export class RecordedSpan implements Span {
  name: string
  readonly kind: SpanKind
  readonly parentSpanContext: SpanContext | undefined
  readonly instrumentationScope: Scope
  readonly startMs: number
  status: SpanStatus = unset
  endMs = 0
  ended = false
  droppedAttributesCount = 0
  droppedEventsCount = 0
  droppedLinksCount = 0
  readonly #context: SpanContext
  readonly #sink: SpanSink
  /** Of a span that head sampling left out, where its local root may yet bring it in. */
  readonly local: LocalTrace | undefined
  /** `performance.now()` at the start: a clock that is set meanwhile changes no duration. */
  readonly startedAt: number | undefined
  #description: Description | undefined
  #attributes: Attributes | undefined
  #attributeCount = 0
  // Most spans have none: they are made when there is one.
  #links: Link[] | undefined
  #events: SpanEvent[] | undefined

  constructor(sink: SpanSink, start: SpanStart) {
    this.name = String(start.name)
    this.kind = start.kind
    this.parentSpanContext = start.parent
    this.instrumentationScope = start.scope
    this.startedAt = start.startMs === undefined ? performance.now() : undefined
    this.startMs = start.startMs ?? nowMs(this.startedAt)
    this.#context = start.context
    this.#sink = sink
    this.#description = start.description
    if (this.#description && isNarrow(sink.limits)) this.#adopt(this.#description.attributes())
    this.local = start.local
    this.local?.started(this)
    if (this.isSampled()) sink.started(this)
  }

  get attributes(): Attributes {
    if (this.#description) this.#adopt(this.#description.attributes())
    this.#attributes ??= {}
    return this.#attributes
  }

  /** All that its attributes are, as long as nobody has asked for them or set one. */
  get description(): Description | undefined {
    return this.#description
  }

  get links(): Link[] {
    this.#links ??= []
    return this.#links
  }

  get events(): SpanEvent[] {
    this.#events ??= []
    return this.#events
  }

  /** Whether `events` or `links` has anything, without making them. */
  get isPlain(): boolean {
    return this.#events === undefined && this.#links === undefined
  }

  get resource(): ServiceResource {
    return this.#sink.resource
  }

  get startTime(): HrTime {
    return toHrTime(this.startMs)
  }

  get endTime(): HrTime {
    return toHrTime(this.endMs)
  }

  get duration(): HrTime {
    return toHrTime(Math.max(0, this.endMs - this.startMs))
  }

  spanContext(): SpanContext {
    return this.#context
  }

  /** Whether it is sent; while that is undecided, whether it may be. */
  isSampled(): boolean {
    if ((this.#context.traceFlags & TraceFlags.SAMPLED) !== 0) return true
    return this.local !== undefined && this.local.verdict === undefined
  }

  /** Its local root has brought it in: from now on it is a sampled span like any other. */
  keep(): void {
    this.#context.traceFlags |= TraceFlags.SAMPLED
  }

  isRecording(): boolean {
    return !this.ended && this.isSampled()
  }

  setAttribute(key: string, value: AttributeValue | undefined): this {
    if (this.ended || typeof key !== 'string' || key === '' || !isAttributeValue(value)) return this
    return this.describe(key, this.#sink.redaction.attribute(key, value))
  }

  /** What the SDK itself says of the request: known to be an attribute, and to hold nothing that must be withheld. */
  describe(key: string, value: AttributeValue | undefined): this {
    if (this.ended || value === undefined) return this
    const { attributes } = this
    if (!Object.hasOwn(attributes, key)) {
      if (this.#attributeCount >= this.#sink.limits.attributeCount) {
        this.droppedAttributesCount++
        return this
      }
      this.#attributeCount++
    }
    attributes[key] = shorten(value, this.#sink.limits.attributeLength)
    return this
  }

  describeAll(attributes: Attributes): void {
    for (const name of Object.keys(attributes)) this.describe(name, attributes[name])
  }

  #adopt(attributes: Attributes): void {
    this.#description = undefined
    if (isNarrow(this.#sink.limits)) this.describeAll(attributes)
    else {
      this.#attributes = attributes
      this.#attributeCount = Object.keys(attributes).length
    }
  }

  setAttributes(attributes: Attributes): this {
    for (const key of Object.keys(attributes)) this.setAttribute(key, attributes[key])
    return this
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (!this.isRecording()) return this
    if (this.events.length >= this.#sink.limits.eventCount) {
      this.droppedEventsCount++
      if (this.events.shift() === undefined) return this
    }
    const timed = isTime(attributesOrTime)
    const at = toMs(timed ? attributesOrTime : time) ?? nowMs()
    const { eventAttributeCount } = this.#sink.limits
    const own = kept(timed ? undefined : attributesOrTime, this.#sink, eventAttributeCount)
    this.events.push({ name: String(name), time: toHrTime(at), ...own })
    return this
  }

  addLink(link: Link): this {
    if (!this.isRecording()) return this
    if (this.links.length >= this.#sink.limits.linkCount || !isSpanContextValid(link.context)) {
      this.droppedLinksCount++
      return this
    }
    const { linkAttributeCount } = this.#sink.limits
    this.links.push({ context: link.context, ...kept(link.attributes, this.#sink, linkAttributeCount) })
    return this
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link)
    return this
  }

  setStatus(status: SpanStatus): this {
    if (this.ended || status.code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK) return this
    this.status =
      status.code === SpanStatusCode.ERROR && typeof status.message === 'string'
        ? { code: status.code, message: this.#sink.redaction.text(status.message) }
        : { code: status.code }
    return this
  }

  updateName(name: string): this {
    if (!this.ended) this.name = String(name)
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const attributes: Attributes = {}
    if (typeof exception === 'string') {
      attributes['exception.message'] = exception
    } else if (exception) {
      const type = exception.code ?? exception.name
      if (type !== undefined) attributes['exception.type'] = String(type)
      if (exception.message) attributes['exception.message'] = exception.message
      if (exception.stack) attributes['exception.stacktrace'] = exception.stack
    }
    this.addEvent('exception', attributes, time)
  }

  end(endTime?: TimeInput): void {
    if (!this.ended) this.#finish(toMs(endTime) ?? this.#nowMs())
  }

  /** Ends it now; `monotonic` is a reading of `performance.now()` that the caller has just taken. */
  endAt(monotonic: number): void {
    if (!this.ended) this.#finish(this.startedAt === undefined ? nowMs() : this.startMs + monotonic - this.startedAt)
  }

  #finish(endMs: number): void {
    this.endMs = Math.max(this.startMs, endMs)
    this.ended = true
    if (this.local) this.local.ended(this)
    else if (this.isSampled()) this.#sink.ended(this)
  }

  #nowMs(): number {
    return this.startedAt === undefined ? nowMs() : this.startMs + performance.now() - this.startedAt
  }
}

/** Whether a description may not fit into them. */
function isNarrow({ attributeCount, attributeLength }: SpanLimits): boolean {
  return attributeCount < mostDescribed || attributeLength !== Number.POSITIVE_INFINITY
}

/** What a `fixed64` of nanoseconds can hold. */
const latestMs = 2 ** 64 / 1e6 - 1

/** ms since the epoch of any time that OpenTelemetry's API takes; undefined for what is no time, such as an invalid date. */
export function toMs(time: TimeInput | undefined): number | undefined {
  const ms = given(time)
  return ms !== undefined && ms >= 0 && ms <= latestMs ? ms : undefined
}

function given(time: TimeInput | undefined): number | undefined {
  if (Array.isArray(time)) return time[0] * 1000 + time[1] / 1e6
  if (time instanceof Date) return time.getTime()
  if (typeof time !== 'number') return undefined
  // A number smaller than the process has lived is a reading of performance.now().
  return time <= performance.now() ? performance.timeOrigin + time : time
}

function isTime(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || Array.isArray(value)
}

function isAttributeValue(value: unknown): value is AttributeValue {
  if (Array.isArray(value)) return value.every(item => item === null || item === undefined || isPrimitive(item))
  return isPrimitive(value)
}

function isPrimitive(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function shorten(value: AttributeValue, length: number): AttributeValue {
  if (length === Number.POSITIVE_INFINITY) return value
  if (typeof value === 'string') return value.length > length ? value.slice(0, length) : value
  if (Array.isArray(value)) {
    return value.map(item => (typeof item === 'string' ? item.slice(0, length) : item)) as AttributeValue
  }
  return value
}

/** The attributes of an event or link within the limits, and how many the limits left out. */
function kept(attributes: Attributes | undefined, { limits, redaction }: SpanSink, most: number) {
  const result: Attributes = {}
  let count = 0
  let dropped = 0
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (!isAttributeValue(value)) continue
    if (count++ < most) result[key] = shorten(redaction.attribute(key, value), limits.attributeLength)
    else dropped++
  }
  return { attributes: result, droppedAttributesCount: dropped }
}
