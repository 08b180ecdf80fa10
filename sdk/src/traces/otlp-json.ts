import type { SpanContext } from '@opentelemetry/api'
import { toNanos } from '../clock.ts'
import { keyValues } from '../otlp/json-values.ts'
import { flagsOf } from './otlp-protobuf.ts'
import { type RecordedSpan, toMs } from './span.ts'

/** `ExportTraceServiceRequest` in OTLP's JSON: ids in hex, 64-bit numbers as strings. */
export function encodeJson(spans: readonly RecordedSpan[]): Buffer {
  const resourceSpans = [...Map.groupBy(spans, span => span.resource)].map(([resource, ofResource]) => ({
    resource: { attributes: keyValues(resource.attributes) },
    scopeSpans: [...Map.groupBy(ofResource, span => span.instrumentationScope)].map(([scope, ofScope]) => ({
      scope: { name: scope.name, version: scope.version },
      spans: ofScope.map(spanMessage),
      schemaUrl: scope.schemaUrl,
    })),
  }))
  return Buffer.from(JSON.stringify({ resourceSpans }))
}

function spanMessage(span: RecordedSpan) {
  const context = span.spanContext()
  return {
    ...identity(context),
    parentSpanId: span.parentSpanContext?.spanId,
    name: span.name,
    kind: span.kind + 1,
    startTimeUnixNano: String(toNanos(span.startMs)),
    endTimeUnixNano: String(toNanos(span.endMs)),
    attributes: keyValues(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map(event => ({
      timeUnixNano: String(toNanos(toMs(event.time) ?? span.startMs)),
      name: event.name,
      attributes: keyValues(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount,
    })),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map(link => ({
      ...identity(link.context),
      attributes: keyValues(link.attributes ?? {}),
      droppedAttributesCount: link.droppedAttributesCount,
      flags: flagsOf(link.context, link.context),
    })),
    droppedLinksCount: span.droppedLinksCount,
    status: { code: span.status.code, message: span.status.message },
    flags: flagsOf(context, span.parentSpanContext),
  }
}

function identity(context: SpanContext) {
  return { traceId: context.traceId, spanId: context.spanId, traceState: context.traceState?.serialize() || undefined }
}
