import type { Objective } from '@shaketable/slo'
import { duration } from '../faults/words.ts'
import type {
  AftermathReport,
  ExpectationReport,
  ExperimentReport,
  LoadReport,
  ObjectiveReport,
  Verdict,
} from '../report/model.ts'
import { aftermathOf } from './aftermath.ts'
import { judgeAlerts, timeToDetect } from './alerts.ts'
import { judgedSpan } from './corroboration.ts'
import { predictedDetection } from './detection.ts'
import type { Observations } from './observations.ts'
import { percent } from './percent.ts'
import { effectsOf, phaseLoads } from './phase-latencies.ts'
import { type Recovery, recoveryOf, steadyState, windowOf } from './recovery.ts'
import { seriesOf } from './series.ts'
import { baselineNotes, targetOf, unsound } from './soundness.ts'
import { deviationsAt, deviationsAtTheEnd, looks } from './spending.ts'
import { type Block, clusteredInterval, estimateOf, quantile, sum } from './statistics.ts'
import { bestOfPlan, fallen, seenBy, shareOfPlan } from './sure.ts'
import { blockLengthOf, blocksOf, type Event, eventsOf } from './tally.ts'
import { timelineOf } from './timeline.ts'
import { evidenceOf, judgeTraces, tracesReport } from './traces/judge-traces.ts'

/**
 * What a run proves. Pure: the same observations give the same report. `hold` is judged over fault and recovery: pass where
 * the interval's lower end is at or over the target, fail where its upper end is under it, else inconclusive, for several
 * objectives corrected (`docs/verdicts.md`). A measurement
 * that is not sound makes the whole experiment void.
 *
 * @param discarded why earlier measurements of the same experiment were void
 */
export function judgeExperiment(seen: Observations, discarded: string[][] = []): ExperimentReport {
  const { experiment, phases } = seen
  const start = phases.baseline.start
  const end = Math.max(phases.baseline.end, phases.fault?.end ?? 0, phases.recovery?.end ?? 0)
  const events = new Map(
    experiment.objectives.map(objective => [objective.name, eventsOf(objective, experiment, seen.samples)]),
  )
  const measured = experiment.objectives.map(objective => measure(objective, seen, events))
  const failed = failedOf(
    measured.filter(({ report }) => report.judged && report.total > 0),
    seen,
  )
  const objectives = measured.map(each => ({
    ...each.report,
    verdict: verdictOf(each.report, each.report.judged ? failed : failedOf([each], seen)),
  }))
  const firstErrorAt = firstBad(seen, events)
  const recovered = recovery(seen, events)
  const recoveredMs = recovered?.recoveredMs ?? null
  const detectedMs = timeToDetect(seen)
  const loads = phaseLoads(seen)
  const evidence = evidenceOf(seen.traces, phases, seen.addresses ?? new Map(), seen.seed)
  const aftermath = aftermathOf(seen, events, recovered, evidence)
  const expectations = [...judgeExpectations(seen, recovered, aftermath), ...judgeTraces(seen, evidence)]
  const doubts = unsound(seen, events, evidence)
  // What a guard ended is not measured any more: it has failed, and doubts are told beside it.
  const voids = seen.breach ? [] : doubts

  return {
    name: experiment.name,
    title: experiment.title,
    file: seen.file,
    seed: seen.seed,
    verdict: voids.length > 0 ? 'void' : gravest([...objectives.filter(each => each.judged), ...expectations]),
    reasons:
      voids.length > 0
        ? voids
        : [
            ...expectations.filter(each => each.name === guardName).map(inWords),
            ...reasonsOf(objectives),
            ...expectations.filter(each => each.name !== guardName && notPassed(each)).map(inWords),
            ...(seen.breach ? doubts : []),
          ],
    notes: [...endedEarlyNotes(seen), ...aftermathNotes(aftermath, experiment)],
    discarded,
    startedAt: new Date(seen.startedAtWall).toISOString(),
    phases: (['baseline', 'fault', 'recovery'] as const).flatMap(name => {
      const span = phases[name]
      return span ? [{ name, startMs: span.start - start, endMs: span.end - start }] : []
    }),
    endedEarly: endedEarly(seen),
    aftermath,
    faults: seen.faults.map(fault => {
      const spec = experiment.faults.find(each => each.id === fault.id)
      return {
        id: fault.id,
        kind: spec?.kind ?? '',
        service: spec?.service ?? '',
        description: fault.description,
        instances: fault.instances,
        armedMs: fault.armedAt === undefined ? null : fault.armedAt - start,
        undoneMs: fault.undoneAt === undefined ? null : fault.undoneAt - start,
        seen: fault.seen,
        hit: fault.hit,
        percent: spec && 'percent' in spec ? spec.percent : null,
      }
    }),
    // A verdict on an unsound measurement would be read as one.
    objectives: voids.length > 0 ? objectives.map(each => ({ ...each, verdict: 'void' as const })) : objectives,
    expectations,
    traces: tracesReport(seen, evidence),
    timeline: timelineOf(seen, {
      firstErrorAt,
      recoveredAt:
        recoveredMs !== null && phases.recovery && phases.fault ? phases.recovery.start + recoveredMs : undefined,
      notes: baselineNotes(seen, events),
    }),
    timeToFirstErrorMs: firstErrorAt === undefined || !phases.fault ? null : firstErrorAt - phases.fault.start,
    timeToDetectMs: detectedMs,
    timeToDetectPredictedMs: predictedDetection(seen, events, detectedMs),
    timeToRecoverMs: recoveredMs,
    load: loadReports(seen),
    phaseLoads: loads,
    effects: effectsOf(seen, loads),
    series: seriesOf(seen, { start, end }, events),
  }
}

function endedEarly({ experiment, phases, endedAtLook }: Observations): ExperimentReport['endedEarly'] {
  if (endedAtLook === undefined || !phases.fault) return null
  return {
    look: endedAtLook,
    looks,
    plannedMs: experiment.phases.faultMs,
    usedMs: phases.fault.end - phases.fault.start,
  }
}

function endedEarlyNotes(seen: Observations): string[] {
  const ended = endedEarly(seen)
  if (!ended) return []
  const [used, planned] = [ended.usedMs, ended.plannedMs].map(ms => duration(Math.round(ms)))
  return [
    `the fault phase was over after ${used} of the ${planned} planned: the verdict was sure by look ${ended.look} of ${looks}`,
  ]
}

/** What the expectation of a recovery does not tell already. */
function aftermathNotes(aftermath: AftermathReport | null, { expect }: Observations['experiment']): string[] {
  if (!aftermath || aftermath.state === 'recovered') return []
  return expect.recoveryWithinMs !== undefined && aftermath.state !== 'slower' ? [] : [aftermath.text]
}

/** An objective over fault and recovery, and the blocks of both. */
interface Measured {
  report: Omit<ObjectiveReport, 'verdict'>
  strata: Block[][]
}

function measure(objective: Objective, seen: Observations, events: ReadonlyMap<string, Event[]>): Measured {
  const { experiment, phases, counters } = seen
  const span = judgedSpan(phases) ?? phases.baseline
  const counting = events.get(objective.name) ?? []
  const judgedPhases = [phases.fault, phases.recovery].filter(phase => phase !== undefined)
  const strata = judgedPhases.map(phase => blocksOf(counting, phase, blockLengthOf(judgedPhases)))
  const { good, total } = sum(strata.flat())
  const weights = weightsOf(seen)
  const target = targetOf(objective.name, objective.target, experiment.expect)
  const expected = ((total * 1000) / (span.end - span.start)) * (objective.windowMs / 1000)
  const counted = counters[objective.name]
  const report = {
    name: objective.name,
    title: objective.title,
    service: objective.service,
    target,
    objectiveTarget: objective.target,
    good,
    total,
    ratio: estimateOf(strata, weights).ratio,
    interval: clusteredInterval(strata, deviationsOfRun(seen), weights),
    judged: experiment.expect.hold.some(held => held.name === objective.name),
    budgetSpent: total === 0 ? 0 : (total - good) / ((1 - objective.target) * expected),
    counters: counted ? { good: counted.good, total: counted.total } : null,
  }
  return { report, strata }
}

/** A fault phase that was ended early weighs as much as it was to: the target is one for the run that was planned. */
function weightsOf({ experiment, endedAtLook }: Observations): number[] | undefined {
  return endedAtLook === undefined ? undefined : [experiment.phases.faultMs, experiment.phases.recoveryMs]
}

function deviationsOfRun({ experiment, endedAtLook }: Observations, objectives = 1): number {
  return endedAtLook === undefined
    ? deviationsAtTheEnd(experiment.phases, objectives)
    : deviationsAt(endedAtLook, objectives)
}

function verdictOf({ name, total, target, interval }: Measured['report'], failed: ReadonlySet<string>): Verdict {
  if (total > 0 && interval[0] >= target) return 'pass'
  return failed.has(name) ? 'fail' : 'inconclusive'
}

/**
 * Which objectives did not hold. Each of several would fail by chance now and then, and one is enough to fail the experiment:
 * Holm's step-down procedure (1979) keeps the chance that any does wrongly at that of one alone. To pass, all must, and that
 * needs no correction. Of a fault phase that was ended early, what was left of it might have been good.
 */
function failedOf(measured: readonly Measured[], seen: Observations): Set<string> {
  const { experiment, endedAtLook, phases, samples } = seen
  const span = judgedSpan(phases)
  const early = endedAtLook !== undefined
  const share = early && span ? shareOfPlan(experiment, span.end - span.start) : 1
  const failed =
    early && phases.fault
      ? fallen(experiment, samples, seenBy(endedAtLook, experiment, phases.fault), endedAtLook)
      : new Set<string>()
  for (let left = measured; left.length > 0; ) {
    const deviations = deviationsOfRun(seen, early ? 2 * left.length : left.length)
    const worse = left.filter(({ report, strata }) => bestOfPlan(strata, deviations, share) < report.target)
    if (worse.length === 0) break
    for (const { report } of worse) failed.add(report.name)
    left = left.filter(each => !worse.includes(each))
  }
  return failed
}

function reasonsOf(objectives: ObjectiveReport[]): string[] {
  return objectives
    .filter(each => each.judged && each.verdict !== 'pass')
    .map(({ name, verdict, good, total, ratio, interval, target }) => {
      const measured = `${good} of ${total} good, ${percent(ratio)} (95 % interval ${percent(interval[0])} to ${percent(interval[1])})`
      if (verdict === 'fail') return `${name} did not hold: ${measured}, under its target of ${percent(target)}`
      const where =
        interval[1] < target
          ? `under its target of ${percent(target)}, but not by enough for one of several objectives`
          : `around its target of ${percent(target)}`
      return `${name} is inconclusive: ${measured}, ${where}`
    })
}

function judgeExpectations(
  seen: Observations,
  recovered: Recovery | undefined,
  aftermath: AftermathReport | null,
): ExpectationReport[] {
  const { recoveryWithinMs } = seen.experiment.expect
  return [
    ...(seen.breach ? [judgeGuard(seen.breach, seen)] : []),
    ...(recoveryWithinMs === undefined ? [] : [judgeRecovery(recoveryWithinMs, recovered, aftermath, seen)]),
    ...judgeAlerts(seen),
    ...seen.invariants.map(({ name, holds, detail, names = [] }) => ({
      name: `invariant ${name}`,
      verdict: holds ? ('pass' as const) : ('fail' as const),
      detail,
      names: holds ? [] : names,
    })),
  ]
}

/** A guard's breach fails the experiment; how long its faults lived on is told. */
function judgeGuard({ at, reason }: NonNullable<Observations['breach']>, { faults }: Observations): ExpectationReport {
  const undone = faults.flatMap(({ undoneAt }) => (undoneAt === undefined || undoneAt < at ? [] : [undoneAt - at]))
  const after =
    undone.length === 0
      ? 'no fault was armed'
      : `every fault was undone ${duration(Math.round(Math.max(...undone)))} later`
  return { name: guardName, verdict: 'fail', detail: `${reason}; ${after}`, names: [] }
}

function judgeRecovery(
  withinMs: number,
  recovered: Recovery | undefined,
  aftermath: AftermathReport | null,
  { experiment }: Observations,
): ExpectationReport {
  const name = `recovery within ${duration(withinMs)}`
  const length = duration(experiment.phases.recoveryMs)
  if (!recovered) return { name, verdict: 'inconclusive', detail: 'there was no recovery phase', names: [] }
  const { recoveredMs, notBeforeMs } = recovered
  if (recoveredMs !== null) {
    return {
      name,
      verdict: recoveredMs <= withinMs ? 'pass' : 'fail',
      detail: `the steady state was back after ${duration(recoveredMs)}`,
      names: [],
    }
  }
  return notBeforeMs > withinMs
    ? {
        name,
        verdict: 'fail',
        detail: `not recovered within the ${length} of the recovery phase${aftermath ? `; ${aftermath.text}` : ''}`,
        names: [],
      }
    : {
        name,
        verdict: 'inconclusive',
        detail: `not to be told: the ${length} of the recovery phase ended ${duration(experiment.phases.recoveryMs - notBeforeMs)} after the last bad window`,
        names: [],
      }
}

const guardName = 'guard'
const inWords = ({ name, detail }: ExpectationReport) => `${name}: ${detail}`
const notPassed = ({ verdict }: { verdict: Verdict }) => verdict !== 'pass'

/** Of verdicts of one experiment: fail, then inconclusive, then pass. */
function gravest(parts: { verdict: Verdict }[]): Verdict {
  for (const verdict of ['void', 'fail', 'inconclusive'] as const) {
    if (parts.some(part => part.verdict === verdict)) return verdict
  }
  return 'pass'
}

/** When the client had the first bad answer that began in the fault phase. */
function firstBad({ phases }: Observations, events: ReadonlyMap<string, Event[]>): number | undefined {
  const { fault } = phases
  if (!fault) return undefined
  const ends = [...events.values()]
    .flat()
    .filter(event => !event.good && event.end >= fault.start && event.at < fault.end)
    .map(event => event.end)
  return ends.length === 0 ? undefined : ends.reduce((a, b) => Math.min(a, b))
}

function recovery({ experiment, phases }: Observations, events: ReadonlyMap<string, Event[]>): Recovery | undefined {
  if (!phases.recovery) return undefined
  const held = steadyState(experiment, name => events.get(name) ?? [])
  return recoveryOf(held, phases.recovery, windowOf(experiment))
}

/** From the baseline on: what came before it warmed the system up. */
function loadReports(seen: Observations): LoadReport[] {
  return seen.load.map(({ journey, ratePerSecond, health }) => {
    const all = seen.samples.filter(sample => sample.journey === journey)
    const samples = all.filter(sample => sample.at >= seen.phases.baseline.start)
    const warmUp = all.filter(sample => sample.step === 0 && sample.at < seen.phases.baseline.start).length
    const latencies = samples.map(sample => sample.latencyMs).sort((a, b) => a - b)
    return {
      journey,
      ratePerSecond,
      planned: health.planned - warmUp,
      started: health.started - warmUp,
      answered: samples.filter(sample => sample.status > 0).length,
      failed: samples.filter(sample => !sample.ok).length,
      dropped: health.dropped,
      latenessP99Ms: health.latenessP99Ms,
      latencyMs: {
        p50: quantile(latencies, 0.5) ?? 0,
        p90: quantile(latencies, 0.9) ?? 0,
        p99: quantile(latencies, 0.99) ?? 0,
        max: latencies.at(-1) ?? 0,
      },
    }
  })
}
