import type { SpanContext } from '@opentelemetry/api'
import { ProtobufWriter, type Written } from '../otlp/protobuf.ts'
import { attributes, encodeOfResource } from '../otlp/protobuf-message.ts'
import type { Scope, ServiceResource } from '../resource.ts'
import { writeAttributes } from './description.ts'
import { type RecordedSpan, toMs } from './span.ts'

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
    const written: WrittenSpans[] = []
    let from = this.#chunk.length
    for (let at = 0; at < spans.length; at++) {
      const { instrumentationScope: scope, resource } = spans[at]!
      writeSpan(this.#chunk, spans[at]!)
      if (spans[at + 1]?.instrumentationScope === scope) continue
      written.push({ ...this.#chunk.since(from), scope, resource })
      from = this.#chunk.length
    }
    return written
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
  const { description } = span
  if (description) description.write(to)
  else writeAttributes(to, span.attributes)
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
