import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { metric } from '../names.ts'
import type { Family } from './exposition.ts'
import { familiesOf, type PromRegistry } from './prom-client.ts'

/** Node's own metrics: event loop delay and utilisation, heap and its limit, garbage collection, handles, CPU. */
export interface RuntimeMetrics {
  families(): Promise<Family[]>
  /** The default registry of the prom-client copy that the SDK loaded: the app may share that copy. */
  sharedRegistry: PromRegistry
}

export async function observeRuntime(): Promise<RuntimeMetrics> {
  const { default: promClient } = await import('prom-client')
  const registry = new promClient.Registry()
  promClient.collectDefaultMetrics({ register: registry })
  let last = performance.eventLoopUtilization()
  return {
    sharedRegistry: promClient.register as unknown as PromRegistry,
    async families() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, last)
      last = now
      const name = metric.eventLoopUtilization
      return [
        ...(await familiesOf(registry as unknown as PromRegistry)),
        {
          name,
          help: 'Share of time that the event loop was busy since the last scrape, 0 to 1.',
          type: 'gauge',
          samples: [{ name, labels: {}, value: utilization }],
        },
        heapLimit(),
      ]
    },
  }
}

function heapLimit(): Family {
  const name = metric.heapLimit
  const value = getHeapStatistics().heap_size_limit
  return {
    name,
    help: 'The heap at which V8 gives up, in bytes.',
    type: 'gauge',
    samples: [{ name, labels: {}, value }],
  }
}
