import { collectDefaultMetrics, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { observeRuntime } from './runtime.ts'

test("Node's own metrics have the names and labels of prom-client's default ones, so that its dashboards fit", async () => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const theirs = new Map((await registry.getMetricsAsJSON()).map(metric => [metric.name, metric]))
  const ours = observeRuntime()()
  expect(ours.filter(family => !theirs.has(family.name)).map(family => family.name)).toEqual([
    'nodejs_heap_size_limit_bytes',
    'nodejs_eventloop_utilization_ratio',
  ])
  expect([...theirs.keys()].filter(name => !ours.some(family => family.name === name)).sort()).toEqual([
    'nodejs_active_handles',
    'nodejs_active_handles_total',
    'nodejs_active_requests',
    'nodejs_active_requests_total',
    'nodejs_eventloop_lag_seconds',
    'process_heap_bytes',
    'process_virtual_memory_bytes',
  ])
  for (const { name, type, samples } of ours) {
    for (const { value } of samples) expect(value, name).toBeGreaterThanOrEqual(0)
    const known = theirs.get(name)
    if (!known) continue
    expect(type, name).toBe(known.type)
    const labels = (all: readonly { labels?: object }[]) =>
      new Set(all.flatMap(sample => Object.keys(sample.labels ?? {})).filter(label => label !== 'le'))
    const shown = labels(samples)
    if (samples.length > 0) for (const label of labels(known.values)) expect(shown, name).toContain(label)
  }
})
