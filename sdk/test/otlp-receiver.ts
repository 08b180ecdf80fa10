import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { logsFromJson, logsFromProtobuf, type ReceivedLog } from './otlp-logs.ts'
import { metricsFromJson, metricsFromProtobuf, type ReceivedMetric } from './otlp-metrics.ts'

/** A span as it arrived, whichever encoding carried it. */
export interface Received {
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  /** OTLP's: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number
  startNano: bigint
  endNano: bigint
  attributes: Record<string, unknown>
  events: { name: string; attributes: Record<string, unknown> }[]
  links: { traceId: string; spanId: string }[]
  status: { code: number; message: string }
  scope: string
  resource: Record<string, unknown>
}

export interface Receiver {
  url: string
  spans: Received[]
  logs: ReceivedLog[]
  /** What the last request with metrics held. */
  metrics: ReceivedMetric[]
  requests: { path: string; headers: Record<string, unknown> }[]
  /** The status of the answers, a whole answer, or `hang` for none at all. Only 2xx takes what was sent. */
  answer: number | 'hang' | { status: number; headers?: Record<string, string>; body?: string | Buffer }
  close(): Promise<void>
}

export interface ReceiverOptions {
  port?: number
  /** Over TLS, and only for those who show a certificate of this authority. */
  tls?: { key: string; cert: string; ca: string }
}

/** A small OTLP/HTTP receiver, JSON and protobuf. */
export async function startReceiver({ port = 0, tls }: ReceiverOptions = {}): Promise<Receiver> {
  const spans: Received[] = []
  const logs: ReceivedLog[] = []
  const requests: Receiver['requests'] = []
  const take: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers })
      if (receiver.answer === 'hang') return
      const told: Exclude<Receiver['answer'], number | 'hang'> =
        typeof receiver.answer === 'number' ? { status: receiver.answer } : receiver.answer
      const { status } = told
      if (status < 300) {
        const raw = Buffer.concat(chunks)
        const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
        const json = request.headers['content-type'] === 'application/json'
        const message = json ? JSON.parse(body.toString()) : undefined
        if (request.url?.endsWith('/v1/logs')) {
          logs.push(...(message ? logsFromJson(message) : logsFromProtobuf(body)))
        } else if (request.url?.endsWith('/v1/metrics')) {
          receiver.metrics = message ? metricsFromJson(message) : metricsFromProtobuf(body)
        } else spans.push(...(message ? fromJson(message) : fromProtobuf(body)))
      }
      response.writeHead(status, told.headers).end(told.body)
    })
  }
  const server = tls
    ? createSecureServer({ ...tls, requestCert: true, rejectUnauthorized: true }, take)
    : createServer(take)
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const receiver: Receiver = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    logs,
    metrics: [],
    requests,
    answer: 200,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return receiver
}

// biome-ignore lint/suspicious/noExplicitAny: a JSON message of OTLP
export type Json = any

function fromJson(message: Json): Received[] {
  const values = (pairs: Json[] = []) => Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]))
  return message.resourceSpans.flatMap((ofResource: Json) =>
    ofResource.scopeSpans.flatMap((ofScope: Json) =>
      ofScope.spans.map((span: Json) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: span.kind,
        startNano: BigInt(span.startTimeUnixNano),
        endNano: BigInt(span.endTimeUnixNano),
        attributes: values(span.attributes),
        events: span.events.map((event: Json) => ({ name: event.name, attributes: values(event.attributes) })),
        links: span.links.map(({ traceId, spanId }: Json) => ({ traceId, spanId })),
        status: { code: span.status.code, message: span.status.message ?? '' },
        scope: ofScope.scope.name,
        resource: values(ofResource.resource.attributes),
      })),
    ),
  )
}

export function plain(value: Json): unknown {
  if ('intValue' in value) return Number(value.intValue)
  if ('arrayValue' in value) return value.arrayValue.values.map(plain)
  if ('kvlistValue' in value)
    return Object.fromEntries(value.kvlistValue.values.map(({ key, value }: Json) => [key, plain(value)]))
  return value.stringValue ?? value.boolValue ?? value.doubleValue
}

export type Field = { number: number; bytes: Buffer; integer: bigint }

/** The fields of one protobuf message, in order. */
export function fields(bytes: Buffer): Field[] {
  const result: Field[] = []
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const wire = tag & 7
    if (wire === 0) result.push({ number: tag >> 3, bytes: Buffer.alloc(0), integer: varint() })
    else {
      const length = wire === 2 ? Number(varint()) : wire === 1 ? 8 : 4
      const part = bytes.subarray(at, at + length)
      if (part.length < length) throw new Error('a protobuf field runs over the end of its message')
      const integer = wire === 1 ? part.readBigUInt64LE() : wire === 5 ? BigInt(part.readUInt32LE()) : 0n
      result.push({ number: tag >> 3, bytes: part, integer })
      at += length
    }
  }
  return result
}

/** An `AnyValue`. */
export function anyValue(message: Buffer): unknown {
  const [field] = fields(message)
  if (field?.number === 1) return field.bytes.toString()
  if (field?.number === 2) return field.integer === 1n
  if (field?.number === 3) return Number(BigInt.asIntN(64, field.integer))
  if (field?.number === 4) return field.bytes.readDoubleLE()
  if (field?.number === 6)
    return Object.fromEntries(
      fields(field.bytes).map(({ bytes }) => {
        const [key, value] = fields(bytes)
        return [key!.bytes.toString(), anyValue(value!.bytes)]
      }),
    )
  if (field?.number !== 5) return undefined
  return fields(field.bytes).map(item => anyValue(item.bytes))
}

/** The spans of an ExportTraceServiceRequest. */
export function fromProtobuf(bytes: Buffer): Received[] {
  const all = (message: Buffer, number: number) => fields(message).filter(field => field.number === number)
  const one = (message: Buffer, number: number) => all(message, number)[0]
  const text = (message: Buffer, number: number) => one(message, number)?.bytes.toString() ?? ''
  const hex = (message: Buffer, number: number) => one(message, number)?.bytes.toString('hex') ?? ''
  const values = (message: Buffer, number: number) =>
    Object.fromEntries(all(message, number).map(pair => [text(pair.bytes, 1), anyValue(one(pair.bytes, 2)!.bytes)]))
  return all(bytes, 1).flatMap(({ bytes: ofResource }) =>
    all(ofResource, 2).flatMap(({ bytes: ofScope }) =>
      all(ofScope, 2).map(({ bytes: span }) => {
        const status = one(span, 15)!.bytes
        return {
          traceId: hex(span, 1),
          spanId: hex(span, 2),
          parentSpanId: hex(span, 4),
          name: text(span, 5),
          kind: Number(one(span, 6)!.integer),
          startNano: one(span, 7)!.integer,
          endNano: one(span, 8)!.integer,
          attributes: values(span, 9),
          events: all(span, 11).map(event => ({ name: text(event.bytes, 2), attributes: values(event.bytes, 3) })),
          links: all(span, 13).map(link => ({ traceId: hex(link.bytes, 1), spanId: hex(link.bytes, 2) })),
          status: { code: Number(one(status, 3)?.integer ?? 0n), message: text(status, 2) },
          scope: text(one(ofScope, 1)!.bytes, 1),
          resource: values(one(ofResource, 1)!.bytes, 1),
        }
      }),
    ),
  )
}
