/** Every metric, label and attribute name of the SDK, once. OpenTelemetry semantic conventions where they exist. */

/** Metrics as they stand on `/metrics`. Durations are in seconds. */
export const metric = {
  httpServerDuration: 'http_server_request_duration_seconds',
  httpClientDuration: 'http_client_request_duration_seconds',
  httpServerActive: 'http_server_active_requests',
  httpServerUpgrades: 'http_server_upgrades_total',
  dbClientDuration: 'db_client_operation_duration_seconds',
  messagingClientDuration: 'messaging_client_operation_duration_seconds',
  messagingProcessDuration: 'messaging_process_duration_seconds',
  rpcClientDuration: 'rpc_client_call_duration_seconds',
  rpcServerDuration: 'rpc_server_call_duration_seconds',
  faultsInjected: 'shaketable_faults_injected_total',
  spansMade: 'shaketable_telemetry_spans_made_total',
  spansSent: 'shaketable_telemetry_spans_sent_total',
  spansDropped: 'shaketable_telemetry_spans_dropped_total',
  logsMade: 'shaketable_telemetry_logs_made_total',
  logsSent: 'shaketable_telemetry_logs_sent_total',
  logsDropped: 'shaketable_telemetry_logs_dropped_total',
  metricExports: 'shaketable_telemetry_metric_exports_total',
  metricExportsFailed: 'shaketable_telemetry_metric_exports_failed_total',
  eventLoopUtilization: 'nodejs_eventloop_utilization_ratio',
  heapLimit: 'nodejs_heap_size_limit_bytes',
} as const

/** Labels as they stand on `/metrics`. */
export const label = {
  method: 'http_request_method',
  route: 'http_route',
  status: 'http_response_status_code',
  errorType: 'error_type',
  scheme: 'url_scheme',
  protocol: 'network_protocol_name',
  serverAddress: 'server_address',
  serverPort: 'server_port',
  dbSystem: 'db_system_name',
  dbNamespace: 'db_namespace',
  dbOperation: 'db_operation_name',
  messagingSystem: 'messaging_system',
  messagingOperation: 'messaging_operation_name',
  messagingDestination: 'messaging_destination_name',
  rpcSystem: 'rpc_system_name',
  rpcMethod: 'rpc_method',
  rpcStatus: 'rpc_response_status_code',
  /** Of a gauge that each process of a cluster, or each thread, has for itself. */
  member: 'shaketable_member',
  faultId: 'shaketable_fault_id',
  faultKind: 'shaketable_fault_kind',
  reason: 'reason',
} as const

/** What OTLP calls the same metrics. Their Prometheus names follow from these. */
export const otelMetric: Readonly<Record<string, { name: string; unit: string; upDown?: true }>> = {
  [metric.httpServerDuration]: { name: 'http.server.request.duration', unit: 's' },
  [metric.httpClientDuration]: { name: 'http.client.request.duration', unit: 's' },
  [metric.httpServerActive]: { name: 'http.server.active_requests', unit: '{request}', upDown: true },
  [metric.httpServerUpgrades]: { name: 'http.server.upgrades', unit: '{request}' },
  [metric.dbClientDuration]: { name: 'db.client.operation.duration', unit: 's' },
  [metric.messagingClientDuration]: { name: 'messaging.client.operation.duration', unit: 's' },
  [metric.messagingProcessDuration]: { name: 'messaging.process.duration', unit: 's' },
  [metric.rpcClientDuration]: { name: 'rpc.client.call.duration', unit: 's' },
  [metric.rpcServerDuration]: { name: 'rpc.server.call.duration', unit: 's' },
  [metric.faultsInjected]: { name: 'shaketable.faults.injected', unit: '{request}' },
  [metric.spansMade]: { name: 'shaketable.telemetry.spans.made', unit: '{span}' },
  [metric.spansSent]: { name: 'shaketable.telemetry.spans.sent', unit: '{span}' },
  [metric.spansDropped]: { name: 'shaketable.telemetry.spans.dropped', unit: '{span}' },
  [metric.logsMade]: { name: 'shaketable.telemetry.logs.made', unit: '{record}' },
  [metric.logsSent]: { name: 'shaketable.telemetry.logs.sent', unit: '{record}' },
  [metric.logsDropped]: { name: 'shaketable.telemetry.logs.dropped', unit: '{record}' },
  [metric.metricExports]: { name: 'shaketable.telemetry.metric.exports', unit: '{export}' },
  [metric.metricExportsFailed]: { name: 'shaketable.telemetry.metric.exports.failed', unit: '{export}' },
  [metric.eventLoopUtilization]: { name: 'nodejs.eventloop.utilization', unit: '1' },
  [metric.heapLimit]: { name: 'nodejs.heap.size.limit', unit: 'By' },
}

/** What OTLP calls the labels of these metrics. */
export const otelAttribute: Readonly<Record<string, string>> = {
  [label.method]: 'http.request.method',
  [label.route]: 'http.route',
  [label.status]: 'http.response.status_code',
  [label.errorType]: 'error.type',
  [label.scheme]: 'url.scheme',
  [label.protocol]: 'network.protocol.name',
  [label.serverAddress]: 'server.address',
  [label.serverPort]: 'server.port',
  [label.dbSystem]: 'db.system.name',
  [label.dbNamespace]: 'db.namespace',
  [label.dbOperation]: 'db.operation.name',
  [label.messagingSystem]: 'messaging.system',
  [label.messagingOperation]: 'messaging.operation.name',
  [label.messagingDestination]: 'messaging.destination.name',
  [label.rpcSystem]: 'rpc.system.name',
  [label.rpcMethod]: 'rpc.method',
  [label.rpcStatus]: 'rpc.response.status_code',
  [label.member]: 'shaketable.member',
  [label.faultId]: 'shaketable.fault.id',
  [label.faultKind]: 'shaketable.fault.kind',
  [label.reason]: 'reason',
}

/** Metrics of the chaos runner while it runs (`shaketable run --metrics`), as they stand on its own `/metrics`. */
export const runnerMetric = {
  /** 1 for the phase that an experiment is in, 0 for the others; all 0 once it is over. */
  phase: 'shaketable_experiment_phase',
  /** 1 while a fault is armed, 0 before and after. */
  faultArmed: 'shaketable_fault_armed',
  /** 1 while the embedded evaluator says that the page of an objective fires. */
  pageFiring: 'shaketable_page_firing',
  /** What the load saw: a histogram over every answer, by journey and outcome. */
  loadDuration: 'shaketable_load_request_duration_seconds',
  /** 1 for the verdict that an experiment got. */
  verdict: 'shaketable_experiment_verdict',
} as const

/** Labels of the runner's metrics. */
export const runnerLabel = {
  system: 'system',
  experiment: 'experiment',
  /** `baseline`, `fault` or `recovery`. */
  phase: 'phase',
  /** The id of a fault, and what kind of fault it is. */
  fault: 'fault',
  kind: 'kind',
  /** The service that a fault strikes. */
  service: 'service',
  objective: 'objective',
  journey: 'journey',
  /** `ok`, `bad` (an unexpected status) or `none` (no answer). */
  outcome: 'outcome',
  verdict: 'verdict',
} as const

/** The boundaries of the HTTP duration histograms, in seconds (OpenTelemetry semantic conventions). */
export const httpDurationBoundaries = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const

/** The same of the database histogram, whose operations are shorter. */
export const dbDurationBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] as const

/** Environment variables of our own. Everything else is `OTEL_*`. */
export const variable = {
  /** `on` enables in-process faults; a key is needed too. Anything else: nothing is loaded, nothing listens. */
  faults: 'SHAKETABLE_FAULTS',
  faultsHost: 'SHAKETABLE_FAULTS_HOST',
  faultsPort: 'SHAKETABLE_FAULTS_PORT',
  /** At least 16 characters. */
  faultsKey: 'SHAKETABLE_FAULTS_KEY',
  /** PEM files: with both, fault control speaks TLS. */
  faultsCertificate: 'SHAKETABLE_FAULTS_CERTIFICATE',
  faultsPrivateKey: 'SHAKETABLE_FAULTS_PRIVATE_KEY',
  /** How long SIGTERM waits for requests in flight, in ms. */
  drainTimeout: 'SHAKETABLE_DRAIN_TIMEOUT',
  /** `off` silences the access log; everything else leaves it on. */
  accessLog: 'SHAKETABLE_ACCESS_LOG',
  /** `pino` (the default) or `ecs`: the form of the access log and of what pino and winston write as JSON. */
  logFormat: 'SHAKETABLE_LOG_FORMAT',
  /** At least 16 characters: enables `PUT /loglevel` on the health and metrics listener. */
  adminKey: 'SHAKETABLE_ADMIN_KEY',
  /** `off` leaves the lines of `console` without the ids of their trace. */
  consoleIds: 'SHAKETABLE_CONSOLE_IDS',
  /** Of `credentials`, `cards` (both by default) and `emails`, or `none`: what leaves the process only as `REDACTED`. */
  redact: 'SHAKETABLE_REDACT',
  /** More names whose values are withheld, with commas. */
  redactNames: 'SHAKETABLE_REDACT_NAMES',
  /** ms from which the sampler `errors_and_slow` calls a request slow. */
  slowThreshold: 'SHAKETABLE_SLOW_THRESHOLD',
  /** Bytes of packed spans that wait while the collector is away. */
  outageBuffer: 'SHAKETABLE_OUTAGE_BUFFER',
  /** Spans that may wait for that sampler's decision. */
  undecidedSpans: 'SHAKETABLE_UNDECIDED_SPANS',
  /** Series of one metric, 2000 unless it is set. */
  maxSeries: 'SHAKETABLE_MAX_SERIES',
  /** Set by the command `doctor` alone: the folder that an examined process writes into what it sees. */
  doctor: 'SHAKETABLE_DOCTOR',
} as const

/** The path of each route of the health and metrics listener (`OTEL_EXPORTER_PROMETHEUS_HOST`/`_PORT`). */
export const adminPath = {
  metrics: '/metrics',
  live: '/livez',
  ready: '/readyz',
  telemetry: '/telemetry',
  logLevel: '/loglevel',
} as const

/** The baggage member that names the calling service, added only while faults are enabled. */
export const callerBaggageKey = 'shaketable.caller'

/** The baggage member with the signed tag of a request that faults may strike. */
export const tagBaggageKey = 'shaketable.tag'

/** Span attributes of our own; all others are OpenTelemetry semantic conventions. */
export const attribute = {
  faultId: 'shaketable.fault.id',
  faultKind: 'shaketable.fault.kind',
} as const

/** The members that every log line gets while a span is active. */
export const logMember = { traceId: 'trace_id', spanId: 'span_id', traceFlags: 'trace_flags' } as const
