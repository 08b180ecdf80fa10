/** A span as the verdict needs it; times are in ms on the runner's monotonic clock. */
export interface TraceSpan {
  traceId: string
  spanId: string
  /** '' where it has none. */
  parentId: string
  service: string
  /** `service.instance.id`; '' where the service does not tell. */
  instance: string
  name: string
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  start: number
  end: number
  /** HTTP's; 0 where there was none. */
  status: number
  /** The span's own status is an error. */
  error: boolean
  /** e.g. `TimeoutError`, `503`; undefined without an error. */
  errorType: string | undefined
  /** `host:port` of whom a client called. */
  peer: string | undefined
  /** e.g. `postgresql`. */
  database: string | undefined
  /** The injected fault that struck it. */
  faultId: string | undefined
}

const kinds = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const
const errorStatus = 2

/** One span of either encoding, its 64-bit times as ms since the epoch. */
export interface RawSpan {
  traceId: string
  spanId: string
  parentId: string
  name: string
  kind: number
  startMs: number
  endMs: number
  statusCode: number
  attributes: Attributes
}

export type Attributes = Record<string, string | number | boolean | undefined>

/** What is kept of a span; `epochToClock` is added to its times. */
export function spanOf(raw: RawSpan, resource: Attributes, epochToClock: number): TraceSpan {
  const { attributes } = raw
  const text = (...names: string[]) => {
    for (const name of names) if (attributes[name] !== undefined) return String(attributes[name])
    return undefined
  }
  const host = text('server.address', 'net.peer.name')
  const port = text('server.port', 'net.peer.port')
  const status = Number(attributes['http.response.status_code'] ?? attributes['http.status_code'] ?? 0)
  const error = raw.statusCode === errorStatus
  return {
    traceId: raw.traceId,
    spanId: raw.spanId,
    parentId: raw.parentId,
    service: String(resource['service.name'] ?? ''),
    instance: String(resource['service.instance.id'] ?? ''),
    name: raw.name,
    kind: kinds[raw.kind] ?? 'internal',
    start: raw.startMs + epochToClock,
    end: raw.endMs + epochToClock,
    status,
    error,
    errorType: error ? (text('error.type', 'exception.type') ?? 'error') : undefined,
    peer: host === undefined ? undefined : port === undefined ? host : `${host}:${port}`,
    database: text('db.system.name', 'db.system'),
    faultId: text('shaketable.fault.id'),
  }
}
