import type { Attributes, RawSpan } from './spans.ts'

/** The spans of an `ExportTraceServiceRequest` in JSON, each with the attributes of its resource. Throws on anything else. */
export function spansFromJson(text: string): { resource: Attributes; span: RawSpan }[] {
  const message = JSON.parse(text) as Message
  return (message.resourceSpans ?? []).flatMap(({ resource, scopeSpans = [] }) => {
    const ofResource = attributesOf(resource?.attributes)
    return scopeSpans.flatMap(({ spans = [] }) =>
      spans.map(span => ({
        resource: ofResource,
        span: {
          traceId: span.traceId,
          spanId: span.spanId,
          parentId: span.parentSpanId ?? '',
          name: span.name ?? '',
          kind: span.kind ?? 0,
          startMs: Number(span.startTimeUnixNano ?? 0) / 1e6,
          endMs: Number(span.endTimeUnixNano ?? 0) / 1e6,
          statusCode: span.status?.code ?? 0,
          attributes: attributesOf(span.attributes),
        },
      })),
    )
  })
}

interface Message {
  resourceSpans?: {
    resource?: { attributes?: KeyValue[] }
    scopeSpans?: { spans?: JsonSpan[] }[]
  }[]
}

interface JsonSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name?: string
  kind?: number
  startTimeUnixNano?: string | number
  endTimeUnixNano?: string | number
  status?: { code?: number }
  attributes?: KeyValue[]
}

interface KeyValue {
  key: string
  value?: { stringValue?: string; intValue?: string | number; doubleValue?: number; boolValue?: boolean }
}

function attributesOf(pairs: KeyValue[] = []): Attributes {
  const attributes: Attributes = {}
  for (const { key, value } of pairs) {
    const { stringValue, intValue, doubleValue, boolValue } = value ?? {}
    attributes[key] = stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue) : Number(intValue))
  }
  return attributes
}
