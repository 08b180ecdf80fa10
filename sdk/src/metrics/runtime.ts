import { readdirSync, readFileSync } from 'node:fs'
import { constants, monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks'
import { metric } from '../names.ts'
import type { Family } from './exposition.ts'
import { Histogram } from './histogram.ts'

const gcKinds: Record<number, string> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/**
 * Node's own metrics, under the names that prom-client's default metrics have made common. Returns what reads them; the
 * event loop's delays are those since the last reading.
 */
export function observeRuntime(): () => Family[] {
  const delays = monitorEventLoopDelay({ resolution: 10 })
  delays.enable()
  const gc = new Histogram(
    'nodejs_gc_duration_seconds',
    'Duration of garbage collections by kind.',
    ['kind'],
    [0.001, 0.01, 0.1, 1, 2, 5],
  )
  new PerformanceObserver(list => {
    for (const { detail, duration } of list.getEntries() as { detail?: { kind?: number }; duration: number }[])
      gc.series([gcKinds[detail?.kind ?? 0] ?? 'other']).record(duration / 1000)
  }).observe({ entryTypes: ['gc'] })
  let last = performance.eventLoopUtilization()

  const eventLoop = (): Family[] => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    const seconds = (nanos: number) => (Number.isNaN(nanos) ? 0 : nanos / 1e9)
    const lag = (name: string, help: string, nanos: number) =>
      gauge(`nodejs_eventloop_lag_${name}_seconds`, `${help} of the event loop's delays.`, seconds(nanos))
    const families = [
      gauge(
        metric.eventLoopUtilization,
        'Share of time that the event loop was busy since the last reading, 0 to 1.',
        utilization,
      ),
      lag('min', 'Minimum', delays.count === 0 ? 0 : delays.min),
      lag('max', 'Maximum', delays.max),
      lag('mean', 'Mean', delays.mean),
      lag('stddev', 'Standard deviation', delays.stddev),
      lag('p50', '50th percentile', delays.percentile(50)),
      lag('p90', '90th percentile', delays.percentile(90)),
      lag('p99', '99th percentile', delays.percentile(99)),
    ]
    delays.reset()
    return families
  }
  return () => [...processFamilies(), ...heapFamilies(), ...eventLoop(), ...activity(), gc.family()].map(ours)
}

function processFamilies(): Family[] {
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.')
  const { user, system } = process.cpuUsage()
  return [
    counter('process_cpu_user_seconds_total', 'CPU time spent in user mode, in seconds.', user / 1e6),
    counter('process_cpu_system_seconds_total', 'CPU time spent in the kernel, in seconds.', system / 1e6),
    counter('process_cpu_seconds_total', 'CPU time spent, in seconds.', (user + system) / 1e6),
    gauge(
      'process_start_time_seconds',
      'When the process began, in seconds since the epoch.',
      Math.round(performance.timeOrigin / 1000),
    ),
    gauge('process_resident_memory_bytes', 'Resident memory, in bytes.', process.memoryUsage.rss()),
    ...ofProc(() => [
      gauge('process_open_fds', 'Open file descriptors.', readdirSync('/proc/self/fd').length - 1),
      gauge(
        'process_max_fds',
        'File descriptors that the process may open.',
        Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))![1]),
      ),
    ]),
    labelled('nodejs_version_info', 'The version of Node.', [
      { labels: { version: process.version, major, minor, patch }, value: 1 },
    ]),
  ]
}

/** Only Linux has it, and not every sandbox shows it. */
function ofProc(read: () => Family[]): Family[] {
  try {
    return read()
  } catch {
    return []
  }
}

function heapFamilies(): Family[] {
  const { heapTotal, heapUsed, external } = process.memoryUsage()
  // Not loaded before somebody reads.
  const v8 = process.getBuiltinModule('node:v8')
  const spaces = v8.getHeapSpaceStatistics()
  const ofSpaces = (name: string, help: string, value: (space: (typeof spaces)[number]) => number) =>
    labelled(
      `nodejs_heap_space_size_${name}_bytes`,
      help,
      spaces.map(space => ({ labels: { space: space.space_name.replace('_space', '') }, value: value(space) })),
    )
  return [
    gauge('nodejs_heap_size_total_bytes', 'Size of the heap, in bytes.', heapTotal),
    gauge('nodejs_heap_size_used_bytes', 'Used part of the heap, in bytes.', heapUsed),
    gauge(metric.heapLimit, 'The heap at which V8 gives up, in bytes.', v8.getHeapStatistics().heap_size_limit),
    gauge('nodejs_external_memory_bytes', 'Memory outside the heap that objects hold, in bytes.', external),
    ofSpaces('total', 'Size of a heap space, in bytes.', space => space.space_size),
    ofSpaces('used', 'Used part of a heap space, in bytes.', space => space.space_used_size),
    ofSpaces('available', 'Free part of a heap space, in bytes.', space => space.space_available_size),
  ]
}

function activity(): Family[] {
  const resources = process.getActiveResourcesInfo()
  const byType = Map.groupBy(resources, type => type)
  const samples = [...byType].map(([type, all]) => ({ labels: { type }, value: all.length }))
  return [
    labelled('nodejs_active_resources', 'Resources that keep the event loop alive, by type.', samples),
    gauge('nodejs_active_resources_total', 'Resources that keep the event loop alive.', resources.length),
  ]
}

function counter(name: string, help: string, value: number): Family {
  return { name, help, type: 'counter', samples: [{ name, labels: {}, value }] }
}

function gauge(name: string, help: string, value: number): Family {
  return labelled(name, help, [{ labels: {}, value }])
}

function labelled(name: string, help: string, values: { labels: Record<string, string>; value: number }[]): Family {
  return { name, help, type: 'gauge', samples: values.map(each => ({ name, ...each })) }
}

function ours(family: Family): Family {
  return { ...family, own: true }
}
