/** Metrics of the Node runtime that the SDK takes over from prom-client's defaults. Durations are in seconds. */
export const runtimeMetric = {
  processCpu: 'process_cpu_seconds_total',
  residentMemory: 'process_resident_memory_bytes',
  startTime: 'process_start_time_seconds',
  eventLoopLagP99: 'nodejs_eventloop_lag_p99_seconds',
  heapUsed: 'nodejs_heap_size_used_bytes',
  heapTotal: 'nodejs_heap_size_total_bytes',
  gcDuration: 'nodejs_gc_duration_seconds',
} as const
