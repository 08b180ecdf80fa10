import { formatDuration, type Problem, type SourceDocument, suggestion } from '@shaketable/slo'
import type { ExperimentDocument, FaultDocument } from './experiment-schema.ts'
import type { FaultKind, FaultSpec, System } from './model.ts'

/** The faults of an experiment as the model has them, checked against the system and the fault phase. */
export function faultSpecsOf(
  document: SourceDocument,
  spec: ExperimentDocument['spec'],
  system: System | undefined,
  problems: Problem[],
): FaultSpec[] {
  const ids = new Set(spec.faults.map(fault => entryOf(fault).body.id).filter(id => id !== undefined))
  const given = new Set<string>()
  return spec.faults.map((fault, index) => {
    const { kind, body } = entryOf(fault)
    const problem = (field: string | undefined, message: string, hint?: string) => {
      const path = ['spec', 'faults', index, kind]
      problems.push(document.problem(field === undefined ? path : [...path, field], message, hint))
    }
    if (body.id !== undefined) {
      if (given.has(body.id)) problem('id', `"${body.id}" is taken by another fault`)
      given.add(body.id)
    }
    const id = body.id ?? freshId(`${kind}-${body.service}`, ids)
    ids.add(id)
    const { startMs, durationMs } = timesOf(body, spec.phases.fault, problem)
    if (system) checkService(kind, body, system, problem)
    return specOf(
      fault,
      { id, service: body.service, startMs, durationMs, place: document.place(['spec', 'faults', index]) },
      system,
      problem,
    )
  })
}

type Report = (field: string | undefined, message: string, hint?: string) => void
type Body = { [K in FaultKind]: NonNullable<FaultDocument[K]> }[FaultKind]

function entryOf(fault: FaultDocument): { kind: FaultKind; body: Body } {
  const [kind, body] = Object.entries(fault).find(([, each]) => each !== undefined)! as [FaultKind, Body]
  return { kind, body }
}

function freshId(wanted: string, taken: ReadonlySet<string>): string {
  const short = wanted.slice(0, 60)
  for (let number = 1; ; number++) {
    const id = number === 1 ? short : `${short}-${number}`
    if (!taken.has(id)) return id
  }
}

function timesOf(body: Body, phaseMs: number, problem: Report) {
  const startMs = body.at ?? 0
  const wanted = 'for' in body ? body.for : undefined
  const phase = formatDuration(phaseMs)
  if (startMs >= phaseMs) {
    problem('at', `the fault phase is over by then: it lasts ${phase}, and this begins at ${formatDuration(startMs)}`)
  } else if (wanted !== undefined && startMs + wanted > phaseMs) {
    const end = formatDuration(startMs + wanted)
    problem('for', `lasts beyond the fault phase: it would end at ${end}, and the phase lasts ${phase}`)
  }
  return { startMs, durationMs: wanted ?? Math.max(0, phaseMs - startMs) }
}

function checkService(kind: FaultKind, body: Body, system: System, problem: Report): void {
  const names = system.services.map(service => service.name)
  const struck = system.services.find(service => service.name === body.service)
  if (!struck) {
    problem('service', `no service of "${system.name}" is named "${body.service}"; ${suggestion(body.service, names)}`)
    return
  }
  if ('instances' in body) {
    // How many containers there are is seen when they are found.
    const replicas = struck.local?.replicas
    if (replicas !== undefined && body.instances > replicas) {
      problem(
        'instances',
        `"${body.service}" has ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}, saw ${body.instances}`,
      )
    }
    return
  }
  // Done to it from outside.
  if (kind === 'scaleToZero' || kind === 'rollingRestart' || kind === 'istio') return
  const from = 'from' in body ? body.from : undefined
  if (from === undefined) {
    if (struck.ready !== 'tcp') return
    const words = `"${body.service}" runs without the SDK (its readiness is "tcp"), so that ${kind} cannot be injected into it`
    problem('service', words, 'name the calling service: "from: ..."')
    return
  }
  const caller = system.services.find(service => service.name === from)
  if (!caller) problem('from', `no service of "${system.name}" is named "${from}"; ${suggestion(from, names)}`)
  else if (caller === struck) problem('from', `"${from}" is the service that is struck: expected one that calls it`)
  else if (caller.ready === 'tcp') {
    problem('from', `"${from}" runs without the SDK (its readiness is "tcp"), so that nothing can be injected into it`)
  }
}

function specOf(
  fault: FaultDocument,
  base: Pick<FaultSpec, 'id' | 'service' | 'startMs' | 'durationMs' | 'place'>,
  system: System | undefined,
  problem: Report,
): FaultSpec {
  const { latency, error, reset, hang, crash, terminate, freeze } = fault
  const requests = latency ?? error ?? reset ?? hang
  if (requests) {
    const { percent, scope, method, path, from } = requests
    const common = { ...base, percent, scope, method, path, from }
    if (latency) {
      if (latency.jitter > latency.delay) {
        const [jitter, delay] = [formatDuration(latency.jitter), formatDuration(latency.delay)]
        problem('jitter', `more than the delay: expected at most ${delay}, saw ${jitter}`)
      }
      return { ...common, kind: 'latency', delayMs: latency.delay, jitterMs: latency.jitter }
    }
    if (error) return { ...common, kind: 'error', status: error.status, body: error.body }
    return { ...common, kind: reset ? 'reset' : 'hang' }
  }
  if (crash) {
    if (crash.every !== undefined && crash.every >= base.durationMs && base.durationMs > 0) {
      const words = `would never come round: ${formatDuration(base.durationMs)} of the fault phase are left, saw ${formatDuration(crash.every)}`
      problem('every', words, 'leave "every" out to crash once')
    }
    return { ...base, kind: 'crash', instances: crash.instances, everyMs: crash.every }
  }
  if (terminate) {
    const grace = system?.services.find(service => service.name === base.service)?.local?.graceMs ?? 5000
    return { ...base, kind: 'terminate', instances: terminate.instances, graceMs: terminate.grace ?? grace }
  }
  if (freeze) return { ...base, kind: 'freeze', instances: freeze.instances }
  const { evict, scaleToZero, rollingRestart, chaosMesh, istio } = fault
  if (evict) return { ...base, kind: 'evict', instances: evict.instances }
  if (scaleToZero) return { ...base, kind: 'scaleToZero' }
  if (rollingRestart) return { ...base, kind: 'rollingRestart' }
  if (chaosMesh) {
    const { instances, kind: resource, spec } = chaosMesh
    return { ...base, kind: 'chaosMesh', instances, resource, spec }
  }
  return { ...base, kind: 'istio', host: istio!.host, fault: istio!.fault }
}
