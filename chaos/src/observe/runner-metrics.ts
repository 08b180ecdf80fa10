import { createServer } from 'node:http'
import { httpDurationBoundaries, runnerLabel as label, runnerMetric as metric } from '@shaketable/sdk/names'
import type { Experiment } from '../experiment/model.ts'
import type { LoadSample } from '../load/load.ts'
import type { ExperimentReport, Verdict } from '../report/model.ts'
import type { LiveState, LiveView } from '../report/reporter.ts'
import { listenOn } from './listen.ts'

type Labels = Record<string, string>

const phases = ['baseline', 'fault', 'recovery'] as const
const verdicts: readonly Verdict[] = ['pass', 'fail', 'inconclusive', 'void']

/** What a run tells Prometheus while it goes: which phase it is in, what is armed, what the load saw, which pages fire. */
export class RunnerMetrics implements LiveView {
  readonly #gauges = new Map<string, Map<string, number>>()
  readonly #histograms = new Map<string, { buckets: number[]; sum: number; count: number }>()
  #of: Labels = {}
  #experiment: Experiment | undefined

  conducts(experiment: Experiment): void {
    this.#experiment = experiment
    this.#of = { [label.system]: experiment.system.name, [label.experiment]: experiment.name }
    this.#phase(undefined)
    this.#faults([])
    this.#firing([])
  }

  samples(samples: readonly LoadSample[]): void {
    for (const { journey, status, ok, latencyMs } of samples) {
      const outcome = ok ? 'ok' : status > 0 ? 'bad' : 'none'
      const key = textOf({ ...this.#of, [label.journey]: journey, [label.outcome]: outcome })
      const seconds = latencyMs / 1000
      const histogram = this.#histograms.get(key) ?? { buckets: httpDurationBoundaries.map(() => 0), sum: 0, count: 0 }
      this.#histograms.set(key, histogram)
      histogram.sum += seconds
      histogram.count++
      for (const [index, bound] of httpDurationBoundaries.entries()) if (seconds <= bound) histogram.buckets[index]!++
    }
  }

  tick({ phase, armedIds, firing }: LiveState): void {
    this.#phase(phase)
    this.#faults(armedIds)
    this.#firing(firing)
  }

  experimentEnds({ verdict }: ExperimentReport): void {
    this.#phase(undefined)
    this.#faults([])
    for (const each of verdicts) {
      this.#set(metric.verdict, { ...this.#of, [label.verdict]: each }, each === verdict ? 1 : 0)
    }
  }

  /** The text format of Prometheus. */
  text(): string {
    const lines: string[] = []
    for (const [name, series] of this.#gauges) {
      lines.push(`# TYPE ${name} gauge`)
      for (const [labels, value] of series) lines.push(`${name}{${labels}} ${value}`)
    }
    if (this.#histograms.size > 0) lines.push(`# TYPE ${metric.loadDuration} histogram`)
    for (const [labels, { buckets, sum, count }] of this.#histograms) {
      for (const [index, bound] of httpDurationBoundaries.entries()) {
        lines.push(`${metric.loadDuration}_bucket{${labels},le="${bound}"} ${buckets[index]}`)
      }
      lines.push(`${metric.loadDuration}_bucket{${labels},le="+Inf"} ${count}`)
      lines.push(`${metric.loadDuration}_sum{${labels}} ${sum}`, `${metric.loadDuration}_count{${labels}} ${count}`)
    }
    return `${lines.join('\n')}\n`
  }

  #phase(current: LiveState['phase'] | undefined): void {
    for (const phase of phases) {
      this.#set(metric.phase, { ...this.#of, [label.phase]: phase }, phase === current ? 1 : 0)
    }
  }

  #faults(armed: readonly string[]): void {
    for (const { id, kind, service } of this.#experiment?.faults ?? []) {
      const labels = { ...this.#of, [label.fault]: id, [label.kind]: kind, [label.service]: service }
      this.#set(metric.faultArmed, labels, armed.includes(id) ? 1 : 0)
    }
  }

  #firing(firing: readonly string[]): void {
    for (const { name } of this.#experiment?.objectives ?? []) {
      this.#set(metric.pageFiring, { ...this.#of, [label.objective]: name }, firing.includes(name) ? 1 : 0)
    }
  }

  #set(name: string, labels: Labels, value: number): void {
    const series = this.#gauges.get(name) ?? new Map<string, number>()
    this.#gauges.set(name, series)
    series.set(textOf(labels), value)
  }
}

function textOf(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, each => (each === '\n' ? '\\n' : `\\${each}`))}"`)
    .join(',')
}

export interface ServedMetrics {
  url: string
  /** At once: a scraper's open connection, or its request under way, keeps no run from ending. */
  close(): void
}

/** Serves `/metrics` at `[host:]port` (loopback by default) until it is closed. */
export async function serveMetrics(metrics: RunnerMetrics, address: string): Promise<ServedMetrics> {
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics.text())
  })
  const url = await listenOn(server, address, '--metrics')
  return {
    url: `${url}/metrics`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
