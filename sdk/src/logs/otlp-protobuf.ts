import type { Attributes } from '@opentelemetry/api'
import { toNanos } from '../clock.ts'
import type { ProtobufWriter } from '../otlp/protobuf.ts'
import { anyValue, attributes, encodeOfResource } from '../otlp/protobuf-message.ts'
import type { LogRecord } from './record.ts'

/** `ExportLogsServiceRequest` of opentelemetry-proto, binary. */
export function encodeProtobuf(resource: Attributes, records: readonly LogRecord[]): Buffer {
  return encodeOfResource(resource, records, writeRecord)
}

function writeRecord(to: ProtobufWriter, record: LogRecord): void {
  const message = to.open(2)
  to.fixed64(1, toNanos(record.timeMs))
  if (record.severityNumber) to.unsigned(2, record.severityNumber)
  if (record.severityText) to.string(3, record.severityText)
  if (record.body !== undefined) {
    const body = to.open(5)
    anyValue(to, record.body)
    to.close(body)
  }
  attributes(to, 6, record.attributes)
  if (record.droppedAttributesCount) to.unsigned(7, record.droppedAttributesCount)
  to.fixed32(8, record.traceFlags & 0xff)
  if (record.traceId) to.hex(9, record.traceId)
  if (record.spanId) to.hex(10, record.spanId)
  to.fixed64(11, toNanos(record.observedMs))
  if (record.eventName) to.string(12, record.eventName)
  to.close(message)
}
