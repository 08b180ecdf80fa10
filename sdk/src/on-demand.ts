import { isMainThread } from 'node:worker_threads'
import type { TextMapPropagator } from '@opentelemetry/api'
import { untraced } from './context.ts'
import type { Witness } from './doctor/witness.ts'
import type { LibraryFile } from './instrumentations/modules.ts'
import type { OpenCalls } from './instrumentations/open-calls.ts'
import type { LogExport } from './logs/open-logs.ts'
import type { Tally } from './metrics/counter.ts'
import type { Family } from './metrics/exposition.ts'
import type { MetricPush } from './metrics/push.ts'
import { variable } from './names.ts'
import type { Notice } from './notice.ts'
import type { Options } from './options.ts'
import type { ServiceResource } from './resource.ts'
import type { SpanPipeline } from './traces/pipeline.ts'

// What most services do not ask for is not even loaded.

/** The doctor's questions are asked, and their code is loaded, only while it examines this process. */
export async function callWitness(libraries: readonly LibraryFile[]): Promise<Witness | undefined> {
  const folder = process.env[variable.doctor]
  if (!folder || !isMainThread) return undefined
  const { Witness } = await import('./doctor/witness.ts')
  return new Witness(folder, libraries)
}

/** What pushes metrics stays unloaded where they are only scraped. */
export async function pushMetrics(
  options: Options,
  resource: ServiceResource,
  collect: () => Promise<Family[]>,
  notice: Notice,
): Promise<MetricPush | undefined> {
  if (!isMainThread || options.metricsExporters.every(name => name === 'prometheus')) return undefined
  try {
    const { openPush } = await import('./metrics/open-push.ts')
    return await openPush(options, resource, collect, notice)
  } catch (error) {
    notice(`metrics are not sent, their exporter cannot be opened: ${String(error)}`)
    return undefined
  }
}

/** What sends logs stays unloaded where they only go to stdout. */
export async function exportLogs(
  { logs }: Options,
  { resource, redaction }: SpanPipeline,
  notice: Notice,
): Promise<LogExport | undefined> {
  if (!logs) return undefined
  try {
    const { openLogs } = await import('./logs/open-logs.ts')
    return await openLogs(logs, resource, redaction, notice)
  } catch (error) {
    notice(`logs are not sent, their exporter cannot be opened: ${String(error)}`)
    return undefined
  }
}

/** While faults are enabled, a tag that lets them strike is handed on only where it is signed. */
export async function atTheEdge(propagator: TextMapPropagator, { faults }: Options): Promise<TextMapPropagator> {
  if (!faults) return propagator
  const { stripTags } = await import('./faults/strip-tags.ts')
  return stripTags(propagator, faults.key)
}

export interface FaultControl {
  close(): Promise<void>
}

/** Everything about faults stays unloaded unless it is switched on. Its listener is the SDK's own: not observed. */
export async function enableFaults(
  options: Options,
  calls: OpenCalls | undefined,
  hits: Tally,
  notice: Notice,
): Promise<FaultControl | undefined> {
  if (!options.faults || !isMainThread) return undefined
  try {
    const faults = await import('./faults/enable.ts')
    const { serviceName } = options
    const count = (faultId: string, kind: string) => hits.add(1, faultId, kind)
    return untraced(() => faults.enableFaults({ ...options.faults!, serviceName, calls, warn: notice, count }))
  } catch (error) {
    notice(`faults cannot be enabled: ${String(error)}`)
    return undefined
  }
}
