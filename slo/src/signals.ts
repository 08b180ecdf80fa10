/** One kind of operation that the SDK times: its histogram, and by which labels its operations are selected and judged. */
export interface SignalShape {
  /** The histogram's name in Prometheus, without `_count` and `_bucket`. */
  duration: string
  /** The histogram's bucket boundaries, in seconds: between two of them no latency can be judged. */
  boundaries: readonly number[]
  /** What an objective may select by, and the label that holds it. */
  selects: Readonly<Partial<Record<SelectorField, string>>>
  /** By what an operation is good: its HTTP status, or that it has no `error.type`. */
  judgedBy: 'status' | 'error'
}

/** What an objective may select by, as its file names it. */
export const selectorFields = ['method', 'route', 'server', 'system', 'namespace', 'operation', 'destination'] as const
export type SelectorField = (typeof selectorFields)[number]

const common = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const
const database = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] as const

const messaging = {
  boundaries: common,
  selects: {
    system: 'messaging_system',
    destination: 'messaging_destination_name',
    operation: 'messaging_operation_name',
    server: 'server_address',
  },
  judgedBy: 'error',
} as const

/**
 * Every signal that a semantic indicator may have: names and boundaries of OpenTelemetry's semantic conventions, as the SDK
 * writes them. A test in the dashboards' room compares both.
 */
export const signals = {
  'http-server': {
    duration: 'http_server_request_duration_seconds',
    boundaries: common,
    selects: { method: 'http_request_method', route: 'http_route' },
    judgedBy: 'status',
  },
  'http-client': {
    duration: 'http_client_request_duration_seconds',
    boundaries: common,
    selects: { method: 'http_request_method', server: 'server_address' },
    judgedBy: 'status',
  },
  database: {
    duration: 'db_client_operation_duration_seconds',
    boundaries: database,
    selects: {
      system: 'db_system_name',
      namespace: 'db_namespace',
      operation: 'db_operation_name',
      server: 'server_address',
    },
    judgedBy: 'error',
  },
  'messaging-client': { duration: 'messaging_client_operation_duration_seconds', ...messaging },
  'messaging-process': { duration: 'messaging_process_duration_seconds', ...messaging },
  'rpc-server': {
    duration: 'rpc_server_call_duration_seconds',
    boundaries: common,
    selects: { system: 'rpc_system_name', method: 'rpc_method' },
    judgedBy: 'error',
  },
  'rpc-client': {
    duration: 'rpc_client_call_duration_seconds',
    boundaries: common,
    selects: { system: 'rpc_system_name', method: 'rpc_method', server: 'server_address' },
    judgedBy: 'error',
  },
} as const satisfies Record<string, SignalShape>

export type Signal = keyof typeof signals
export const signalNames = Object.keys(signals) as [Signal, ...Signal[]]

/** Labels that every signal has: the service (set by the scrape configuration), and how an operation ended. */
export const signalLabels = {
  service: 'job',
  status: 'http_response_status_code',
  error: 'error_type',
} as const

/** The label by which a signal's operations are selected, and the value that they must have. */
export function selections(
  selector: { signal: Signal } & Partial<Record<SelectorField, string | undefined>>,
): [label: string, value: string][] {
  return Object.entries(signals[selector.signal].selects).flatMap(([field, label]): [string, string][] => {
    const value = selector[field as SelectorField]
    return value === undefined ? [] : [[label, value]]
  })
}
