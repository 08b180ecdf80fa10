import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { Experiment, System } from '../experiment/model.ts'
import { whyRefused } from '../faults/index.ts'
import type { AlertEngine } from '../observe/alerts.ts'
import { TraceReceiver } from '../observe/trace-receiver.ts'
import type { ExperimentReport, SuiteReport } from '../report/model.ts'
import type { LiveView } from '../report/reporter.ts'
import { allShown } from '../secrets.ts'
import { urlVariable } from '../targets/local/environment.ts'
import { localTarget } from '../targets/local/local-target.ts'
import { runVariable } from '../targets/local/run-processes.ts'
import type { InstanceEvent, Target } from '../targets/target.ts'
import { comparedWith } from '../verdict/baseline.ts'
import { judgeExperiment } from '../verdict/judge.ts'
import { concludeSuite } from '../verdict/suite.ts'
import { version } from '../version.ts'
import type { World } from '../world.ts'
import { awaitReady } from './await-ready.ts'
import { type ConductContext, conductExperiment } from './conduct-experiment.ts'
import { mustBeAlone } from './exclusive.ts'
import { type Journal, openJournal } from './journal.ts'
import { startKeeper } from './keeper.ts'
import { loadTagOf } from './load-tag.ts'
import { type Measured, measure } from './measure.ts'

const heartbeatMs = 500

export interface SuiteRequest {
  experiments: Experiment[]
  target: Target['kind']
  seed: number
  /** An experiment whose measurement is void is measured again, up to this many times in all. */
  attempts: number
  /** Added to the environment of every service, over everything else. */
  env: Record<string, string>
  /** Where the services' output is kept; with the run's state, and gone with it, where not given. */
  logDir: string | undefined
  alertEngine?: AlertEngine | undefined
  /** On Kubernetes: the image of a keeper in the cluster. */
  keeperImage?: string | undefined
  /** `[HOST:]PORT` at which services that run already send their spans. */
  otlpListen?: string | undefined
  /** An earlier report, to compare with. */
  baseline?: { file: string; report: SuiteReport } | undefined
}

/**
 * Starts each system, conducts its experiments one after the other, stops it, and concludes. Nothing of the run outlives
 * this call: faults, processes, ports and files are gone when it settles, and a keeper sees to it should we die.
 */
export async function runSuite(request: SuiteRequest, world: World, view: LiveView): Promise<SuiteReport> {
  const startedAtWall = world.clock.wall()
  const began = world.clock.now()
  const reports: ExperimentReport[] = []
  const notUndone: string[] = []
  const systems = [...new Set(request.experiments.map(experiment => experiment.system))]

  for (const system of systems) {
    if (world.signal.aborted) break
    await withRunningSystem(system, request, world, view, async running => {
      for (const [index, experiment] of request.experiments.entries()) {
        if (experiment.system !== system || running.signal.aborted) continue
        const context = { ...running, world, view, seed: request.seed, alertEngine: request.alertEngine }
        const position = { index, count: request.experiments.length }
        const measured = await measure(request.attempts, discarded =>
          conductAndJudge(experiment, position, discarded, { ...context, baseline: request.baseline }),
        )
        notUndone.push(...measured.notUndone)
        reports.push(measured.report)
      }
    })
  }

  return concludeSuite({
    version,
    experiments: reports,
    startedAtWall,
    durationMs: world.clock.now() - began,
    seed: request.seed,
    system: systems.map(system => system.name).join(', '),
    env: allShown(request.env),
    notUndone,
  })
}

/** Conducts an experiment once and judges it. */
async function conductAndJudge(
  experiment: Experiment,
  position: { index: number; count: number },
  discarded: string[][],
  context: ConductContext & Pick<SuiteRequest, 'baseline'>,
): Promise<Measured> {
  const { name, title, phases } = experiment
  await awaitReady(experiment.system, context.target, context.world.clock, context.signal)
  const totalMs = phases.baselineMs + phases.faultMs + phases.recoveryMs
  context.view.conducts?.(experiment)
  context.view.experimentBegins?.({ name, title, ...position, totalMs })
  const { seen, notUndone } = await conductExperiment(experiment, context)
  const judged = judgeExperiment(seen, discarded)
  const { baseline } = context
  const earlier = baseline?.report.experiments.find(each => each.name === name)
  const report = baseline ? comparedWith(judged, earlier, baseline.file) : judged
  context.view.experimentEnds?.(report)
  return { report, notUndone, aborted: seen.aborted !== undefined }
}

interface RunningSystem {
  target: Target
  journal: Journal
  instanceEvents: InstanceEvent[]
  signal: AbortSignal
  commandEnv: NodeJS.ProcessEnv
  traces: TraceReceiver | undefined
}

async function withRunningSystem(
  system: System,
  request: SuiteRequest,
  world: World,
  view: LiveView,
  body: (running: RunningSystem) => Promise<void>,
): Promise<void> {
  // Before the keeper listens: a client library that takes seconds to load would keep a heartbeat from it.
  const makeTarget = await targetMaker(request, world)
  const journal = await openJournal(world, { system: system.name, target: request.target })
  let clean = false
  try {
    const keeper = await startKeeper(world, journal)
    const keeperDied = new AbortController()
    keeper.died.then(reason => keeperDied.abort(new ShaketableError('SHAKETABLE_KEEPER_DIED', reason)))
    const signal = AbortSignal.any([world.signal, keeperDied.signal])
    const heartbeat = setInterval(() => keeper.beat(), heartbeatMs)
    try {
      const traces = await receiverFor(request, world)
      if (traces?.openUrl) view.note?.(`spans are taken at ${traces.openUrl}`)
      const target = await makeTarget(journal, traces)
      const instanceEvents: InstanceEvent[] = []
      target.events(event => instanceEvents.push(event))
      try {
        view.note?.(announce(system, request.target))
        await target.start(system, signal)
        await mustBeAlone(system, target, journal.runId, world)
        mustTakeEveryFault(
          request.experiments.filter(experiment => experiment.system === system),
          target,
          request.seed,
        )
        await body({
          target,
          journal,
          instanceEvents,
          signal,
          commandEnv: commandEnv(system, target, journal, request, world),
          traces,
        })
      } finally {
        view.note?.(`${request.target === 'local' ? 'stopping' : 'leaving'} ${system.name}`)
        await target.stop().finally(() => traces?.close())
        clean = true
      }
    } finally {
      clearInterval(heartbeat)
      await keeper.release()
    }
  } finally {
    await journal.close({ clean })
  }
}

/** What shaketable has not started sends its spans where its owner wants them: here only if that is wanted. */
async function receiverFor({ target, otlpListen }: SuiteRequest, world: World): Promise<TraceReceiver | undefined> {
  if (target !== 'local' && otlpListen === undefined) return undefined
  return TraceReceiver.start(world.clock, { listen: otlpListen })
}

type MakeTarget = (journal: Journal, traces: TraceReceiver | undefined) => Promise<Target>

/** The clients of engines are large, and loaded only where they are used. */
async function targetMaker(request: SuiteRequest, world: World): Promise<MakeTarget> {
  if (request.target === 'docker') {
    const { dockerTarget } = await import('../targets/docker/docker-target.ts')
    return async journal => dockerTarget({ world, journal })
  }
  if (request.target === 'kubernetes') {
    const { kubernetesTarget } = await import('../targets/kubernetes/kubernetes-target.ts')
    const image = request.keeperImage
    const keeper = image === undefined ? undefined : { image, serviceAccount: 'shaketable-keeper' }
    return async journal => kubernetesTarget({ world, journal, keeper })
  }
  if (request.target === 'attach') {
    const { attachTarget } = await import('../targets/attach/attach-target.ts')
    return async () => attachTarget({ world })
  }
  return async (journal, traces) => {
    const logDir = request.logDir ?? join(journal.dir, 'logs')
    await mkdir(logDir, { recursive: true })
    return localTarget({
      world,
      runId: journal.runId,
      journal,
      env: request.env,
      logDir,
      tracesUrl: traces && (to => traces.urlFor(to)),
    })
  }
}

function announce(system: System, target: SuiteRequest['target']): string {
  if (target === 'docker') return `looking for the containers of ${system.name}`
  if (target === 'kubernetes') return `looking for the pods of ${system.name}`
  if (target === 'attach') return `attaching to ${system.name}`
  const count = system.services.reduce((sum, service) => sum + (service.local?.replicas ?? 0), 0)
  return `starting ${system.name}: ${count} processes`
}

/** Found out before the first load, not in mid-run. */
function mustTakeEveryFault(experiments: Experiment[], target: Target, seed: number): void {
  for (const experiment of experiments) {
    loadTagOf(experiment, target, seed)
    for (const fault of experiment.faults) {
      const reason = whyRefused(fault, target)
      if (reason === undefined) continue
      const { file, line, column } = fault.place
      const words = `${file}:${line}:${column}: ${fault.id} cannot be injected: ${reason}; nothing was done`
      throw new ShaketableError('SHAKETABLE_FAULT_REFUSED', words, { exitCode: exitCode.invalidInput })
    }
  }
}

/** What a command of the system's own gets: the variables by which services find one another, and the mark of the run. */
function commandEnv(
  system: System,
  target: Target,
  journal: Journal,
  request: SuiteRequest,
  world: World,
): NodeJS.ProcessEnv {
  const urls = system.services.map(({ name }) => [urlVariable(name), target.urls(name).join(',')])
  return { ...world.env, ...Object.fromEntries(urls), ...request.env, [runVariable]: journal.runId }
}
