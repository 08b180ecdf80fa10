/** Metrics of the Node runtime that the SDK takes over from prom-client's defaults. Durations are in seconds. */
export const runtimeMetric = {
  processCpu: 'process_cpu_seconds_total',
  residentMemory: 'process_resident_memory_bytes',
  startTime: 'process_start_time_seconds',
  openFiles: 'process_open_fds',
  maxFiles: 'process_max_fds',
  eventLoopLagP50: 'nodejs_eventloop_lag_p50_seconds',
  eventLoopLagP99: 'nodejs_eventloop_lag_p99_seconds',
  heapUsed: 'nodejs_heap_size_used_bytes',
  heapTotal: 'nodejs_heap_size_total_bytes',
  heapSpaceUsed: 'nodejs_heap_space_size_used_bytes',
  externalMemory: 'nodejs_external_memory_bytes',
  activeResources: 'nodejs_active_resources',
  gcDuration: 'nodejs_gc_duration_seconds',
  version: 'nodejs_version_info',
} as const

/** Labels of these metrics. */
export const runtimeLabel = { gcKind: 'kind', heapSpace: 'space', resource: 'type', version: 'version' } as const
