import { duration } from '../../faults/words.ts'
import type { ReceivedTraces } from '../../observe/trace-receiver.ts'
import { deriveSeed } from '../../random.ts'
import type { ExpectationReport, TraceExample, TracesReport } from '../../report/model.ts'
import type { Observations, Span } from '../observations.ts'
import { percent } from '../percent.ts'
import { wilson } from '../statistics.ts'
import { abandonedWork } from './abandoned.ts'
import { amplifications } from './amplification.ts'
import { guiltiest, rankEdges, type Suspect } from './blame.ts'
import { type CallGraph, callsOf, edgeName, startsIn } from './calls.ts'
import { type Examples, examplesOf } from './examples.ts'
import { lyingHealthChecks } from './lying-health.ts'
import { untoldErrors } from './untold.ts'

const surely = 0.95
/** So many requests may find a callee that had not yet heard that its caller gave up. */
const abandonedShare = 0.02
const untracedShare = 0.1
const untoldShare = 0.01
/** Health checks that lied; one may have been answered just before. */
const fewestLies = 2
const mostEdges = 12
const mostSpansShown = 60

/** What the traces of one run tell; everything that is judged by them follows from it. */
export interface TraceEvidence {
  graph: CallGraph
  suspects: Suspect[]
  examples: Examples
  keptShare: number
}

/** `undefined` where there is no fault phase to compare, or no request came. */
export function evidenceOf(
  traces: ReceivedTraces | undefined,
  phases: Observations['phases'],
  addresses: ReadonlyMap<string, string>,
  seed: number,
): TraceEvidence | undefined {
  const both = bothPhases(phases)
  if (!both || !traces || traces.spans.length === 0) return undefined
  const graph = callsOf(traces.spans, addresses)
  if (graph.entries.length === 0) return undefined
  const suspects = rankEdges(graph, both, deriveSeed(seed, 'blame'))
  return { graph, suspects, examples: examplesOf(graph, both, guiltiest(suspects)), keptShare: traces.keptShare }
}

function bothPhases({ baseline, fault }: Observations['phases']): { baseline: Span; fault: Span } | undefined {
  return fault && { baseline, fault }
}

/** Every expectation that is judged by traces and logs. */
export function judgeTraces(seen: Observations, evidence: TraceEvidence | undefined): ExpectationReport[] {
  const expect = seen.experiment.expect.observability
  if (!expect) return []
  const wanted = [
    expect.blame === undefined ? undefined : judgeBlame(expect.blame, evidence),
    expect.amplificationAtMost === undefined
      ? undefined
      : judgeAmplification(expect.amplificationAtMost, seen, evidence),
    expect.abandonedAtMostMs === undefined ? undefined : judgeAbandoned(expect.abandonedAtMostMs, seen, evidence),
    expect.telemetry.includes('errors-told') ? judgeTold(seen, evidence) : undefined,
    expect.telemetry.includes('warnings-traced') ? judgeTraced(seen) : undefined,
    expect.telemetry.includes('health-honest') ? judgeHealth(evidence) : undefined,
  ]
  return wanted.filter(each => each !== undefined)
}

/** Whether anything that is expected cannot be told without traces. */
export function needsTraces({ expect }: Observations['experiment']): boolean {
  const { observability: wanted } = expect
  if (!wanted) return false
  const { blame, amplificationAtMost, abandonedAtMostMs, telemetry } = wanted
  return (
    blame !== undefined ||
    amplificationAtMost !== undefined ||
    abandonedAtMostMs !== undefined ||
    telemetry.some(habit => habit !== 'warnings-traced')
  )
}

function judgeBlame(service: string, evidence: TraceEvidence | undefined): ExpectationReport {
  const name = `blame ${service}`
  const first = guiltiest(evidence?.suspects ?? [])
  if (!first) return { name, verdict: 'fail', detail: 'by the traces nobody stands out', names: [] }
  const sure = `${edgeName(first)} is the guiltiest by the traces (${harmText(first)}; first in ${percent(first.confidence)} of the resamples)`
  const verdict = first.confidence < surely ? 'inconclusive' : first.to === service ? 'pass' : 'fail'
  return { name, verdict, detail: sure, names: [first.to] }
}

function harmText({ harmMs, errors }: Suspect): string {
  const time = `${duration(Math.max(1, Math.round(harmMs)))} of harm a request`
  return errors === 0 ? time : `${time}, ${errors} errors began there`
}

function judgeAmplification(
  atMost: number,
  { phases, seed }: Observations,
  evidence: TraceEvidence | undefined,
): ExpectationReport {
  const name = `amplification at most ${atMost}`
  const both = bothPhases(phases)
  const found = evidence && both ? amplifications(evidence.graph, both, deriveSeed(seed, 'amplification')) : []
  const [worst] = found
  if (!worst) return { name, verdict: 'inconclusive', detail: 'no edge was called often enough', names: [] }
  const over = found.filter(({ interval }) => interval[0] > atMost)
  const unsure = found.filter(({ interval }) => interval[0] <= atMost && interval[1] > atMost)
  const { times, interval } = worst
  return {
    name,
    verdict: over.length > 0 ? 'fail' : unsure.length > 0 ? 'inconclusive' : 'pass',
    detail: `${edgeName(worst)} took ${times.toFixed(2)} times the calls a request (95 % interval ${interval[0].toFixed(2)} to ${interval[1].toFixed(2)})`,
    names: [...new Set(over.map(({ from }) => from))],
  }
}

function judgeAbandoned(
  atMostMs: number,
  { phases }: Observations,
  evidence: TraceEvidence | undefined,
): ExpectationReport {
  const name = `work for nobody at most ${duration(atMostMs)}`
  const requests = evidence?.graph.entries.length ?? 0
  const usual = evidence ? slowestUsual(evidence.graph, phases.baseline) : new Map<string, number>()
  const late = (evidence ? abandonedWork(evidence.graph) : []).filter(
    ({ service, lateMs }) => lateMs > atMostMs + (usual.get(service) ?? 0),
  )
  const [low, high] = wilson(late.length, requests)
  const byService = [...Map.groupBy(late, each => each.service)].sort((a, b) => b[1].length - a[1].length)
  const told = byService.map(
    ([service, all]) =>
      `${service} worked on after its caller had given up, ${all.length} times, up to ${duration(Math.round(Math.max(...all.map(each => each.lateMs))))} longer`,
  )
  return {
    name,
    verdict: low > abandonedShare ? 'fail' : high <= abandonedShare ? 'pass' : 'inconclusive',
    detail: told.join('; ') || `nobody worked on after its caller had given up, in ${requests} requests`,
    names: byService.map(([service]) => service),
  }
}

/** What a service takes at most for its own part without a fault, in ms: on a busy machine it hears that late of anything. */
function slowestUsual({ calls }: CallGraph, baseline: Span): Map<string, number> {
  const found = new Map<string, number>()
  for (const { to, ownMs } of calls.filter(startsIn(baseline))) found.set(to, Math.max(ownMs, found.get(to) ?? 0))
  return found
}

function judgeTold({ logs }: Observations, evidence: TraceEvidence | undefined): ExpectationReport {
  const name = 'errors are told'
  const found = evidence && logs ? untoldErrors(evidence.graph, logs) : []
  const handled = found.reduce((all, each) => all + each.handled, 0)
  if (handled === 0) return { name, verdict: 'inconclusive', detail: 'no error was handled', names: [] }
  const silent = found.filter(each => wilson(each.untold, each.handled)[0] > untoldShare)
  const unsure = found.some(each => each.untold > 0)
  return {
    name,
    verdict: silent.length > 0 ? 'fail' : unsure ? 'inconclusive' : 'pass',
    detail: found
      .map(
        each =>
          `${each.service} handled failed calls in ${each.handled} requests, and no warning tells of ${each.untold}`,
      )
      .join('; '),
    names: silent.map(each => each.service),
  }
}

function judgeTraced({ logs }: Observations): ExpectationReport {
  const name = 'warnings are of a trace'
  const all = [...(logs?.byService ?? [])].map(([service, { traced, untraced }]) => ({
    service,
    untraced,
    lines: traced + untraced,
  }))
  const lines = all.reduce((sum, each) => sum + each.lines, 0)
  if (lines === 0) return { name, verdict: 'inconclusive', detail: 'nobody logged a warning', names: [] }
  const lost = all.filter(each => wilson(each.untraced, each.lines)[0] > untracedShare && each.lines > 0)
  const unsure = all.some(each => each.lines > 0 && each.untraced / each.lines > untracedShare)
  const told = all.filter(each => each.untraced > 0)
  return {
    name,
    verdict: lost.length > 0 ? 'fail' : unsure ? 'inconclusive' : 'pass',
    detail:
      told.map(each => `${each.untraced} of ${each.lines} warnings of ${each.service} have no trace id`).join('; ') ||
      `all of ${lines} have a trace id`,
    names: lost.map(each => each.service),
  }
}

function judgeHealth(evidence: TraceEvidence | undefined): ExpectationReport {
  const name = 'health checks are honest'
  const lies = evidence ? lyingHealthChecks([...evidence.graph.byTrace.values()].flat()) : []
  const byService = [...Map.groupBy(lies, each => each.service)].sort((a, b) => b[1].length - a[1].length)
  const liars = byService.filter(([, all]) => all.length >= fewestLies)
  return {
    name,
    verdict: liars.length > 0 ? 'fail' : lies.length > 0 ? 'inconclusive' : 'pass',
    detail:
      byService
        .map(([service, all]) => `${service} called itself healthy ${all.length} times while it failed everything else`)
        .join('; ') || 'no instance called itself healthy while it failed',
    names: liars.map(([service]) => service),
  }
}

/** What the report tells of it. */
export function tracesReport(seen: Observations, evidence: TraceEvidence | undefined): TracesReport | null {
  if (!evidence) return null
  const { graph, suspects, examples, keptShare } = evidence
  const example = (spans: Examples['struck']) => spans && exampleOf(spans, seen)
  const both = bothPhases(seen.phases)
  const times = both ? amplifications(graph, both, deriveSeed(seen.seed, 'amplification')) : []
  return {
    traces: graph.byTrace.size,
    keptShare,
    edges: suspects.slice(0, mostEdges).map(({ from, to, harmMs, errors, callsPerRequest, confidence }) => ({
      from,
      to,
      harmMs,
      errors,
      callsPerRequest,
      amplification: times.find(each => each.from === from && each.to === to)?.times ?? null,
      confidence,
    })),
    struck: example(examples.struck) ?? null,
    healthy: example(examples.healthy) ?? null,
  }
}

function exampleOf(spans: NonNullable<Examples['struck']>, { logs, phases }: Observations): TraceExample {
  // What was put off until after the answer would dwarf what the client waited for.
  const answered = spans.find(span => span.kind === 'server' && span.parentId === '')?.end ?? Number.POSITIVE_INFINITY
  const byParent = Map.groupBy(
    spans.filter(span => span.start < answered),
    span => span.parentId,
  )
  const ids = new Set(spans.map(span => span.spanId))
  const shown: TraceExample['spans'] = []
  const start = Math.min(...spans.map(span => span.start))
  const add = (span: (typeof spans)[number], depth: number) => {
    if (shown.length >= mostSpansShown) return
    shown.push({
      service: span.service,
      instance: span.instance,
      name: span.name,
      kind: span.kind,
      depth,
      startMs: span.start - start,
      durationMs: span.end - span.start,
      error: span.error ? (span.errorType ?? 'error') : null,
      faultId: span.faultId ?? null,
    })
    for (const child of inOrder(byParent.get(span.spanId) ?? [])) add(child, depth + 1)
  }
  // Of whom the parent died with its span, it is a root of its own.
  for (const root of inOrder(spans.filter(span => span.start < answered && !ids.has(span.parentId)))) add(root, 0)
  const traceId = spans[0]!.traceId
  return {
    traceId,
    atMs: start - phases.baseline.start,
    spans: shown,
    left: spans.length - shown.length,
    logs: (logs?.ofTraces.get(traceId) ?? []).map(({ instance, text }) => ({ instance, text })),
  }
}

function inOrder<S extends { start: number }>(spans: readonly S[]): S[] {
  return [...spans].sort((a, b) => a.start - b.start)
}
