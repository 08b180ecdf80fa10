import type { Attributes } from '@opentelemetry/api'
import { toNanos } from '../clock.ts'
import { anyValue, keyValues } from '../otlp/json-values.ts'
import type { LogRecord } from './record.ts'

/** `ExportLogsServiceRequest` in OTLP's JSON. */
export function encodeJson(resource: Attributes, records: readonly LogRecord[]): Buffer {
  const scopeLogs = [...Map.groupBy(records, record => record.scope)].map(([scope, ofScope]) => ({
    scope: { name: scope.name, version: scope.version },
    logRecords: ofScope.map(recordMessage),
    schemaUrl: scope.schemaUrl,
  }))
  const resourceLogs = [{ resource: { attributes: keyValues(resource) }, scopeLogs }]
  return Buffer.from(JSON.stringify({ resourceLogs }))
}

function recordMessage(record: LogRecord) {
  const { severityNumber, severityText, droppedAttributesCount, eventName, traceId, spanId } = record
  return {
    timeUnixNano: String(toNanos(record.timeMs)),
    observedTimeUnixNano: String(toNanos(record.observedMs)),
    severityNumber,
    severityText,
    body: record.body === undefined ? undefined : anyValue(record.body),
    attributes: keyValues(record.attributes),
    droppedAttributesCount,
    flags: record.traceFlags & 0xff,
    traceId,
    spanId,
    eventName,
  }
}
