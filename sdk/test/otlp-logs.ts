import { anyValue, fields, type Json, plain } from './otlp-receiver.ts'

/** A log record as it arrived, whichever encoding carried it. */
export interface ReceivedLog {
  scope: string
  nano: bigint
  observedNano: bigint
  severityNumber: number
  severityText: string
  body: unknown
  attributes: Record<string, unknown>
  traceId: string
  spanId: string
  flags: number
  eventName: string
  resource: Record<string, unknown>
}

const attributesOf = (pairs: Json[] = []) => Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]))

export function logsFromJson(message: Json): ReceivedLog[] {
  return message.resourceLogs.flatMap((ofResource: Json) =>
    ofResource.scopeLogs.flatMap((ofScope: Json) =>
      ofScope.logRecords.map((record: Json) => ({
        scope: ofScope.scope.name,
        nano: BigInt(record.timeUnixNano),
        observedNano: BigInt(record.observedTimeUnixNano),
        severityNumber: record.severityNumber,
        severityText: record.severityText ?? '',
        body: record.body && plain(record.body),
        attributes: attributesOf(record.attributes),
        traceId: record.traceId ?? '',
        spanId: record.spanId ?? '',
        flags: record.flags,
        eventName: record.eventName ?? '',
        resource: attributesOf(ofResource.resource.attributes),
      })),
    ),
  )
}

/** The records of an ExportLogsServiceRequest. */
export function logsFromProtobuf(bytes: Buffer): ReceivedLog[] {
  const all = (message: Buffer, number: number) => fields(message).filter(field => field.number === number)
  const one = (message: Buffer, number: number) => all(message, number)[0]
  const text = (message: Buffer, number: number) => one(message, number)?.bytes.toString() ?? ''
  const hex = (message: Buffer, number: number) => one(message, number)?.bytes.toString('hex') ?? ''
  const values = (message: Buffer, number: number) =>
    Object.fromEntries(all(message, number).map(pair => [text(pair.bytes, 1), anyValue(one(pair.bytes, 2)!.bytes)]))
  return all(bytes, 1).flatMap(({ bytes: ofResource }) =>
    all(ofResource, 2).flatMap(({ bytes: ofScope }) =>
      all(ofScope, 2).map(({ bytes: record }) => ({
        scope: text(one(ofScope, 1)!.bytes, 1),
        nano: one(record, 1)!.integer,
        observedNano: one(record, 11)!.integer,
        severityNumber: Number(one(record, 2)?.integer ?? 0n),
        severityText: text(record, 3),
        body: one(record, 5) && anyValue(one(record, 5)!.bytes),
        attributes: values(record, 6),
        traceId: hex(record, 9),
        spanId: hex(record, 10),
        flags: Number(one(record, 8)!.integer),
        eventName: text(record, 12),
        resource: values(one(ofResource, 1)!.bytes, 1),
      })),
    ),
  )
}
