import { anyValue, fields, type Json, plain } from './otlp-receiver.ts'

/** A metric as it arrived, whichever encoding carried it. */
export interface ReceivedMetric {
  name: string
  unit: string
  description: string
  scope: string
  resource: Record<string, unknown>
  type: string
  /** 2 is cumulative. */
  temporality: number
  monotonic: boolean
  points: ReceivedPoint[]
}

interface ReceivedPoint {
  attributes: Record<string, unknown>
  startNano: bigint
  nano: bigint
  value?: number
  count?: number
  sum?: number
  counts?: number[]
  bounds?: number[]
  quantiles?: { quantile: number; value: number }[]
  exemplars?: { traceId: string; spanId: string; value: number }[]
}

const types = { 5: 'gauge', 7: 'sum', 9: 'histogram', 11: 'summary' } as Record<number, string>

const attributesOf = (pairs: Json[] = []) => Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]))

export function metricsFromJson(message: Json): ReceivedMetric[] {
  return message.resourceMetrics.flatMap((ofResource: Json) =>
    ofResource.scopeMetrics.flatMap((ofScope: Json) =>
      ofScope.metrics.map((metric: Json) => {
        const type = Object.values(types).find(name => name in metric)!
        return {
          name: metric.name,
          unit: metric.unit,
          description: metric.description,
          scope: ofScope.scope.name,
          resource: attributesOf(ofResource.resource.attributes),
          type,
          temporality: metric[type].aggregationTemporality ?? 0,
          monotonic: metric[type].isMonotonic ?? false,
          points: metric[type].dataPoints.map(jsonPoint),
        }
      }),
    ),
  )
}

function jsonPoint(point: Json): ReceivedPoint {
  return {
    attributes: attributesOf(point.attributes),
    startNano: BigInt(point.startTimeUnixNano),
    nano: BigInt(point.timeUnixNano),
    ...(point.asDouble !== undefined && { value: Number(point.asDouble) }),
    ...(point.count !== undefined && { count: Number(point.count), sum: point.sum }),
    ...(point.bucketCounts && { counts: point.bucketCounts.map(Number), bounds: point.explicitBounds }),
    ...(point.quantileValues && { quantiles: point.quantileValues }),
    ...(point.exemplars && {
      exemplars: point.exemplars.map((one: Json) => ({ ...one, value: one.asDouble })),
    }),
  }
}

export function metricsFromProtobuf(bytes: Buffer): ReceivedMetric[] {
  return all(bytes, 1).flatMap(ofResource =>
    all(ofResource, 2).flatMap(ofScope =>
      all(ofScope, 2).map(metric => {
        const data = fields(metric).find(field => field.number in types)!
        const type = types[data.number]!
        return {
          name: text(metric, 1),
          unit: text(metric, 3),
          description: text(metric, 2),
          scope: text(all(ofScope, 1)[0]!, 1),
          resource: values(all(ofResource, 1)[0]!, 1),
          type,
          temporality: integer(data.bytes, 2),
          monotonic: integer(data.bytes, 3) === 1,
          points: all(data.bytes, 1).map(point => protobufPoint(type, point)),
        }
      }),
    ),
  )
}

function protobufPoint(type: string, point: Buffer): ReceivedPoint {
  const head = {
    attributes: values(point, type === 'histogram' ? 9 : 7),
    startNano: all(point, 2)[0]!.readBigUInt64LE(),
    nano: all(point, 3)[0]!.readBigUInt64LE(),
  }
  const double = (message: Buffer, number: number) => all(message, number)[0]!.readDoubleLE()
  if (type === 'gauge' || type === 'sum') {
    const whole = all(point, 6)[0]
    return { ...head, value: whole ? Number(whole.readBigInt64LE()) : double(point, 4) }
  }
  const counted = { ...head, count: Number(all(point, 4)[0]!.readBigUInt64LE()), sum: double(point, 5) }
  if (type === 'summary') {
    const quantiles = all(point, 6).map(one => ({ quantile: double(one, 1), value: double(one, 2) }))
    return { ...counted, quantiles }
  }
  const exemplars = all(point, 8).map(one => ({
    traceId: all(one, 5)[0]!.toString('hex'),
    spanId: all(one, 4)[0]!.toString('hex'),
    value: double(one, 3),
  }))
  const packed = <Value>(bytes: Buffer, read: (at: number) => Value) =>
    Array.from({ length: bytes.length / 8 }, (_, at) => read(at * 8))
  const counts = all(point, 6)[0]!
  const bounds = all(point, 7)[0]!
  return {
    ...counted,
    counts: packed(counts, at => Number(counts.readBigUInt64LE(at))),
    bounds: packed(bounds, at => bounds.readDoubleLE(at)),
    ...(exemplars.length > 0 && { exemplars }),
  }
}

const all = (message: Buffer, number: number) =>
  fields(message)
    .filter(field => field.number === number)
    .map(field => field.bytes)
const text = (message: Buffer, number: number) => all(message, number)[0]?.toString() ?? ''
const integer = (message: Buffer, number: number) =>
  Number(fields(message).find(field => field.number === number)?.integer ?? 0)
const values = (message: Buffer, number: number) =>
  Object.fromEntries(all(message, number).map(pair => [text(pair, 1), anyValue(all(pair, 2)[0]!)]))
