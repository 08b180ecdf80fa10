import type { SpanContext } from '@opentelemetry/api'
import { ProtobufWriter, type Written } from './protobuf.ts'
import type { ServiceResource } from './resource.ts'
import type { RecordedSpan, Scope } from './span.ts'
import { toMs } from './span.ts'

/** Spans as they go over the wire, but for the frame that they have in common with others. */
export interface WrittenSpans extends Written {
  resource: ServiceResource
  scope: Scope
}

const chunkBytes = 65_536
const roomOfHandful = 8_192

/**
 * Writes spans as they end. What waits to be sent is bytes then, outside of the heap: objects that wait outlive garbage
 * collections, which copy them, and for which the young generation grows by tens of megabytes.
 */
export class SpanWriter {
  #chunk = new ProtobufWriter(0)

  readonly write = (spans: readonly RecordedSpan[]): WrittenSpans[] => {
    if (this.#chunk.room < roomOfHandful) this.#chunk = new ProtobufWriter(chunkBytes)
    const byScope = Map.groupBy(spans, span => span.instrumentationScope)
    return Array.from(byScope, ([scope, ofScope]) => {
      const from = this.#chunk.length
      for (const span of ofScope) writeSpan(this.#chunk, span)
      return { ...this.#chunk.since(from), scope, resource: ofScope[0]!.resource }
    })
  }
}

/** `ExportTraceServiceRequest` of opentelemetry-proto, binary. All spans of a process have one resource. */
export function encodeProtobuf(spans: readonly WrittenSpans[]): Buffer {
  const size = spans.reduce((sum, { from, to }) => sum + to - from, 0)
  const attributesOfResource = spans[0]?.resource.attributes ?? {}
  return encodeOfResource(attributesOfResource, spans, (to, some) => to.copy(some), size + roomOfHandful)
}

function writeSpan(to: ProtobufWriter, span: RecordedSpan): void {
  const message = to.open(2)
  const context = span.spanContext()
  identity(to, context)
  if (span.parentSpanContext) to.hex(4, span.parentSpanContext.spanId)
  to.string(5, span.name)
  to.unsigned(6, span.kind + 1)
  to.nanos(7, span.startMs)
  to.nanos(8, span.endMs)
  attributes(to, 9, span.attributes)
  if (span.droppedAttributesCount) to.unsigned(10, span.droppedAttributesCount)
  if (!span.isPlain) eventsAndLinks(to, span)
  if (span.droppedEventsCount) to.unsigned(12, span.droppedEventsCount)
  if (span.droppedLinksCount) to.unsigned(14, span.droppedLinksCount)
  const status = to.openSmall(15)
  if (span.status.message) to.string(2, span.status.message)
  if (span.status.code) to.unsigned(3, span.status.code)
  to.closeSmall(status)
  to.fixed32(16, flagsOf(context, span.parentSpanContext))
  to.close(message)
}

function eventsAndLinks(to: ProtobufWriter, span: RecordedSpan): void {
  for (const event of span.events) {
    const at = to.open(11)
    to.nanos(1, toMs(event.time) ?? span.startMs)
    to.string(2, event.name)
    attributes(to, 3, event.attributes)
    if (event.droppedAttributesCount) to.unsigned(4, event.droppedAttributesCount)
    to.close(at)
  }
  for (const link of span.links) {
    const at = to.open(13)
    identity(to, link.context)
    if (link.attributes) attributes(to, 4, link.attributes)
    if (link.droppedAttributesCount) to.unsigned(5, link.droppedAttributesCount)
    to.fixed32(6, flagsOf(link.context, link.context))
    to.close(at)
  }
}

function identity(to: ProtobufWriter, context: SpanContext): void {
  to.hex(1, context.traceId)
  to.hex(2, context.spanId)
  const state = context.traceState?.serialize()
  if (state) to.string(3, state)
}

/** The W3C flags, and whether the other span is remote (bit 9; bit 8 says that this is known). */
export function flagsOf(context: SpanContext, other: SpanContext | undefined): number {
  return (context.traceFlags & 0xff) | 0x100 | (other?.isRemote ? 0x200 : 0)
}

export function attributes(
  to: ProtobufWriter,
  field: number,
  values: Readonly<Record<string, unknown>>,
  depth = 8,
): void {
  for (const key of Object.keys(values)) {
    const value = values[key]
    if (value === undefined) continue
    const pair = to.openSmall(field)
    to.string(1, key)
    const message = to.openSmall(2)
    anyValue(to, value, depth)
    to.closeSmall(message)
    to.closeSmall(pair)
  }
}

/** An `AnyValue`; what is nested too deep is left out. */
export function anyValue(to: ProtobufWriter, value: unknown, depth = 8): void {
  if (typeof value === 'string') to.string(1, value)
  else if (typeof value === 'boolean') to.unsigned(2, value ? 1 : 0)
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) to.signed(3, value)
    else to.double(4, value)
  } else if (Array.isArray(value)) {
    const array = to.open(5)
    for (const item of depth === 0 ? [] : value) {
      const element = to.open(1)
      anyValue(to, item, depth - 1)
      to.close(element)
    }
    to.close(array)
  } else if (typeof value === 'object' && value !== null && depth > 0) {
    const list = to.open(6)
    attributes(to, 1, value as Record<string, unknown>, depth - 1)
    to.close(list)
  }
}

/** The request of any signal: its one resource, and the items by their scopes. */
export function encodeOfResource<Item extends { scope: Scope }>(
  resource: Readonly<Record<string, unknown>>,
  items: readonly Item[],
  write: (to: ProtobufWriter, item: Item) => void,
  capacity?: number,
): Buffer {
  const to = new ProtobufWriter(capacity)
  const ofResource = to.open(1)
  const resourceMessage = to.open(1)
  attributes(to, 1, resource)
  to.close(resourceMessage)
  for (const [scope, ofScope] of Map.groupBy(items, item => item.scope)) {
    const message = to.open(2)
    const scopeMessage = to.open(1)
    to.string(1, scope.name)
    if (scope.version) to.string(2, scope.version)
    to.close(scopeMessage)
    for (const item of ofScope) write(to, item)
    if (scope.schemaUrl) to.string(3, scope.schemaUrl)
    to.close(message)
  }
  to.close(ofResource)
  return to.finish()
}
