import type { SpanContext } from '@opentelemetry/api'
import { ProtobufWriter } from './protobuf.ts'
import type { RecordedSpan, Scope } from './span.ts'
import { toMs } from './span.ts'

/** `ExportTraceServiceRequest` of opentelemetry-proto, binary. */
export function encodeProtobuf(spans: readonly RecordedSpan[]): Buffer {
  const to = new ProtobufWriter()
  for (const [resource, ofResource] of Map.groupBy(spans, span => span.resource)) {
    const resourceSpans = to.open(1)
    const resourceMessage = to.open(1)
    attributes(to, 1, resource.attributes)
    to.close(resourceMessage)
    for (const [scope, ofScope] of Map.groupBy(ofResource, span => span.instrumentationScope)) {
      writeScope(to, scope, ofScope)
    }
    to.close(resourceSpans)
  }
  return to.finish()
}

function writeScope(to: ProtobufWriter, scope: Scope, spans: readonly RecordedSpan[]): void {
  const scopeSpans = to.open(2)
  const message = to.open(1)
  to.string(1, scope.name)
  if (scope.version) to.string(2, scope.version)
  to.close(message)
  for (const span of spans) writeSpan(to, span)
  if (scope.schemaUrl) to.string(3, scope.schemaUrl)
  to.close(scopeSpans)
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

/** The request of metrics or logs, which have one resource: that, and the items by their scopes. */
export function encodeOfResource<Item extends { scope: Scope }>(
  resource: Readonly<Record<string, unknown>>,
  items: readonly Item[],
  write: (to: ProtobufWriter, item: Item) => void,
): Buffer {
  const to = new ProtobufWriter()
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
