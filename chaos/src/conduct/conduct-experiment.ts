import type { Experiment } from '../experiment/model.ts'
import type { LoadHealths, LoadSample, RunningLoad } from '../load/load.ts'
import { startLoad } from '../load/open-loop.ts'
import { type AlertEngine, AlertWatch } from '../observe/alerts.ts'
import { CounterWatch } from '../observe/counters.ts'
import { endsOf, readLogs } from '../observe/logs.ts'
import type { ReceivedTraces, TraceReceiver } from '../observe/trace-receiver.ts'
import { deriveSeed } from '../random.ts'
import type { LiveState, LiveView } from '../report/reporter.ts'
import type { InstanceEvent, Target } from '../targets/target.ts'
import type { Observations, Span } from '../verdict/observations.ts'
import { evidenceOf, needsTraces } from '../verdict/traces/judge-traces.ts'
import type { World } from '../world.ts'
import { ArmedFaults } from './armed-faults.ts'
import { awaitSteady } from './await-steady.ts'
import { awaitTraces } from './await-traces.ts'
import { countersSince } from './counters-since.ts'
import { type Breach, healthBreach, ObjectiveGuard } from './guard.ts'
import { checkInvariants } from './invariants.ts'
import type { Journal } from './journal.ts'
import { loadTagOf, tagged } from './load-tag.ts'
import { prometheusBreach } from './prometheus-guard.ts'
import { RecentTraffic } from './recent-traffic.ts'
import { untilSure } from './until-sure.ts'

const tickEveryMs = 250

export interface ConductContext {
  world: World
  target: Target
  journal: Journal
  view: LiveView
  /** Of the whole run. */
  seed: number
  /** Instance events of the whole run; this experiment takes those of its own time. */
  instanceEvents: InstanceEvent[]
  /** Aborts when the run may not go on: an interruption, a dead keeper. */
  signal: AbortSignal
  /** The environment in which the system's own commands (invariants) run. */
  commandEnv: NodeJS.ProcessEnv
  /** Takes the services' spans, where they can be had. */
  traces: TraceReceiver | undefined
  /** Who says which alerts fire; undefined: our own evaluation. */
  alertEngine: AlertEngine | undefined
}

/**
 * Runs one experiment: baseline, fault, recovery, under load. Whatever ends it early, every fault is undone and the load
 * is stopped before this resolves; `notUndone` says what could not be.
 */
export async function conductExperiment(
  experiment: Experiment,
  context: ConductContext,
): Promise<{ seen: Observations; notUndone: string[] }> {
  const { world, target, view } = context
  const { clock } = world
  const samples: LoadSample[] = []
  const traffic = new RecentTraffic()
  const firstEvent = context.instanceEvents.length
  const startedAtWall = clock.wall()
  const wallAhead = startedAtWall - clock.now()
  let clockJumpMs = 0
  const logFiles = target.logs?.() ?? []
  const logsBegin = await endsOf(logFiles)
  context.traces?.begin()
  const tag = loadTagOf(experiment, target, context.seed)
  const seed = deriveSeed(context.seed, experiment.name)
  const faults = new ArmedFaults(experiment.faults, { ...context, seed, tag: tag?.name })
  const counters = new CounterWatch(experiment.objectives, experiment.alertWindowScale, target, clock)
  const engine = context.alertEngine && new AlertWatch(context.alertEngine, experiment.objectives, clock)
  const urls = Object.fromEntries(experiment.system.services.map(service => [service.name, target.urls(service.name)]))

  const load = await startLoad(
    experiment.load.map(({ journey, ratePerSecond, timeoutMs }) => ({
      journey: tagged(journey, tag),
      ratePerSecond,
      timeoutMs,
      urls,
    })),
    world,
  )
  const { guard } = experiment
  const objectiveGuard = guard && new ObjectiveGuard(experiment, guard)
  const guarding = new AbortController()
  const signal = AbortSignal.any([context.signal, guarding.signal])
  let breach: Breach | undefined
  const breached = (found: Breach | undefined) => {
    if (!found || signal.aborted) return
    breach = found
    view.note?.(`guard: ${found.reason}: undoing everything`)
    guarding.abort(new Error(`the guard ended it: ${found.reason}`))
  }
  load.onSamples(batch => {
    samples.push(...batch)
    traffic.add(batch)
    view.samples?.(batch)
    if (current) breached(objectiveGuard?.add(batch.filter(sample => sample.at >= phases.baseline.start)))
  })

  const phases: Observations['phases'] = {
    baseline: { start: clock.now(), end: clock.now() },
    fault: undefined,
    recovery: undefined,
  }
  let current: { name: LiveState['phase']; span: Span } | undefined
  const tick = () => {
    clockJumpMs = Math.max(clockJumpMs, Math.abs(clock.wall() - clock.now() - wallAhead))
    if (!current) return
    const now = clock.now()
    view.tick?.({
      phase: current.name,
      elapsedMs: now - phases.baseline.start,
      phaseEndsInMs: Math.max(0, current.span.end - now),
      ...traffic.over(now),
      armed: faults.armed(),
      armedIds: faults.armedIds(),
      firing: (engine ?? counters).firing(),
    })
  }
  const ticker = setInterval(tick, tickEveryMs)

  const begin = (name: LiveState['phase'], lengthMs: number): Span => {
    const start = clock.now()
    const span = { start, end: start + lengthMs }
    phases[name] = span
    current = { name, span }
    tick()
    return span
  }
  const ended = new AbortController()
  let aborted: string | undefined
  let endedAtLook: number | undefined
  let countersBefore: ReturnType<CounterWatch['sums']> = {}

  try {
    await awaitSteady(experiment, samples, clock, signal)
    if (context.traces && needsTraces(experiment)) await awaitTraces(context.traces, clock, signal)
    await counters.start()
    await engine?.start()
    begin('baseline', experiment.phases.baselineMs)
    if (guard?.health) {
      const probing = healthBreach(guard.health, target.urls(guard.health.service), clock, ended.signal)
      probing.then(breached)
    }
    for (const condition of guard?.prometheus ?? []) {
      prometheusBreach(condition, clock, ended.signal).then(breached)
    }
    await clock.sleep(experiment.phases.baselineMs, signal)

    await counters.scrape()
    countersBefore = counters.sums()
    const faultPhase = begin('fault', experiment.phases.faultMs)
    objectiveGuard?.faultBegins(faultPhase.start)
    const endFaults = () => faults.end()
    signal.addEventListener('abort', endFaults, { once: true })
    try {
      const seen = { samples, isArmed: () => faults.armed().length === experiment.faults.length }
      const over = untilSure(experiment, faultPhase, seen, clock, AbortSignal.any([signal, ended.signal])).then(
        look => {
          endedAtLook = look
          if (look !== undefined) faults.end()
        },
      )
      over.catch(() => {})
      await faults.run()
      await over
    } finally {
      signal.removeEventListener('abort', endFaults)
      faultPhase.end = clock.now()
    }
    begin('recovery', experiment.phases.recoveryMs)
    await clock.sleep(experiment.phases.recoveryMs, signal)
  } catch (error) {
    aborted = signal.aborted ? reasonOf(signal) : (error as Error).message
  }
  ended.abort()
  // Before the fault there was nothing to guard against: such a run is void, as any that was broken off.
  const guardEnded = phases.fault ? breach : undefined
  if (current) current.span.end = Math.min(current.span.end, clock.now())

  clearInterval(ticker)
  const stopped = await stopLoad(load)
  if ('died' in stopped) aborted ??= stopped.died
  await counters.scrape()
  await counters.stop()
  await engine?.stop()

  const addresses = addressesOf(urls)
  const traces = context.traces && (await settledTraces(context.traces, phases.recovery, clock))
  const logs =
    logFiles.length > 0
      ? await readLogs(logFiles, logsBegin, shownTraces(traces, phases, addresses, context.seed))
      : undefined

  const invariants = aborted ? [] : await checkInvariants(experiment, context)
  const instanceEvents = context.instanceEvents.slice(firstEvent)
  return {
    notUndone: faults.notUndone,
    seen: {
      experiment,
      file: experiment.place.file,
      seed: context.seed,
      startedAtWall,
      phases,
      samples,
      load: experiment.load.flatMap(({ journey: { name: journey }, ratePerSecond }) => {
        const health = 'died' in stopped ? undefined : stopped.byJourney[journey]
        return health ? [{ journey, ratePerSecond, health }] : []
      }),
      faults: faults.observed,
      instanceEvents,
      alerts: (engine ?? counters).alerts,
      alertEngine: context.alertEngine?.kind,
      alertTrouble: engine?.trouble,
      clockJumpMs,
      traces,
      logs,
      addresses,
      counters: countersSince(countersBefore, counters.sums(), experiment, {
        events: instanceEvents,
        at: phases.fault?.start ?? 0,
      }),
      invariants,
      endedAtLook,
      breach: guardEnded,
      aborted: guardEnded ? undefined : aborted,
    },
  }
}

/**
 * Spans that ended in the fault phase have come once the recovery phase was longer than this, in ms: of services that we have
 * told how often to send, and of others.
 */
const spansTakeMs = { ours: 1500, others: 8000 }

async function settledTraces(
  receiver: TraceReceiver,
  recovery: Span | undefined,
  clock: World['clock'],
): Promise<ReceivedTraces> {
  const gone = recovery ? recovery.end - recovery.start : 0
  const takes = receiver.openUrl === undefined ? spansTakeMs.ours : spansTakeMs.others
  if (gone < takes) await clock.sleep(takes - gone)
  return receiver.received()
}

/** The traces that the report shows, whose log lines it shows as well. */
function shownTraces(
  traces: ReceivedTraces | undefined,
  phases: Observations['phases'],
  addresses: ReadonlyMap<string, string>,
  seed: number,
): string[] {
  const { struck, healthy } = evidenceOf(traces, phases, addresses, seed)?.examples ?? {}
  return [struck, healthy].flatMap(spans => spans?.[0]?.traceId ?? [])
}

/** `host:port` -> service, for services that send no spans of their own. */
function addressesOf(urls: Record<string, string[]>): Map<string, string> {
  const all = Object.entries(urls).flatMap(([service, ofService]) =>
    ofService.map(url => [new URL(url).host, service] as const),
  )
  return new Map(all)
}

/** A load process that died makes the run void; everything else is still to be undone and read. */
async function stopLoad(load: RunningLoad): Promise<LoadHealths | { died: string }> {
  try {
    return await load.stop()
  } catch (error) {
    return { died: (error as Error).message }
  }
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : `interrupted by ${signal.reason}`
}
