import { formatDuration, type Problem, type SourceDocument, suggestion } from '@shaketable/slo'
import type { ExperimentDocument } from './experiment-schema.ts'
import type { FaultDocument } from './fault-schema.ts'
import type { FaultKind, FaultSpec, RequestFaultSpec, System, ToxicSpec } from './model.ts'

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
  const from = 'from' in body ? body.from : undefined
  const caller = system.services.find(service => service.name === from)
  checkInstances(body, caller ?? struck, problem)
  if (targetsDo.includes(kind)) return
  if (from === undefined) {
    if (struck.ready !== 'tcp') return
    const words = `"${body.service}" runs without the SDK (its readiness is "tcp"), so that ${kind} cannot be injected into it`
    problem('service', words, 'percent' in body ? 'name the calling service: "from: ..."' : undefined)
    return
  }
  if (!caller) problem('from', `no service of "${system.name}" is named "${from}"; ${suggestion(from, names)}`)
  else if (caller === struck) problem('from', `"${from}" is the service that is struck: expected one that calls it`)
  else if (caller.ready === 'tcp') {
    problem('from', `"${from}" runs without the SDK (its readiness is "tcp"), so that nothing can be injected into it`)
  } else if (struck.ready === 'tcp') checkOfTcp(kind, body, problem)
}

/** Kinds for which nothing needs to be inside the process. */
const targetsDo: FaultKind[] = [
  'crash',
  'terminate',
  'freeze',
  'disconnect',
  'limit',
  'network',
  'evict',
  'scaleToZero',
  'rollingRestart',
  'chaosMesh',
  'istio',
]

/** Its protocol is not known: nothing can be answered for it, and nothing of it told apart. */
function checkOfTcp(kind: FaultKind, body: Body, problem: Report): void {
  const possible: FaultKind[] = ['latency', 'reset', 'hang']
  if (!possible.includes(kind)) {
    const words = `"${body.service}" does not speak HTTP (its readiness is "tcp"), so that ${kind} means nothing to it`
    problem(undefined, words, `choose ${possible.join(', ')}`)
  }
  for (const field of ['method', 'path', 'headers'] as const) {
    if (!(field in body) || (body as Record<string, unknown>)[field] === undefined) continue
    problem(field, `"${body.service}" does not speak HTTP (its readiness is "tcp"), so that no request has one`)
  }
}

function checkInstances(body: Body, host: System['services'][number], problem: Report): void {
  const wanted = 'instances' in body ? body.instances : undefined
  // How many containers there are is seen when they are found.
  const replicas = host.local?.replicas
  if (replicas === undefined) return
  if (wanted === undefined || wanted <= replicas) return
  problem('instances', `"${host.name}" has ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}, saw ${wanted}`)
}

type Base = Pick<FaultSpec, 'id' | 'service' | 'startMs' | 'durationMs' | 'place'>

function specOf(fault: FaultDocument, base: Base, system: System | undefined, problem: Report): FaultSpec {
  const grace = system?.services.find(service => service.name === base.service)?.local?.graceMs ?? 5000
  const { stall, burn, memory, crash, terminate, freeze, evict, scaleToZero, rollingRestart, chaosMesh, istio } = fault
  if (stall) {
    if (stall.block > 10_000) problem('block', `expected at most 10s, saw ${formatDuration(stall.block)}`)
    if (stall.block > stall.every) {
      const [block, every] = [formatDuration(stall.block), formatDuration(stall.every)]
      problem('every', `shorter than the block: expected at least ${block}, saw ${every}`)
    }
    return { ...base, kind: 'stall', instances: stall.instances, blockMs: stall.block, everyMs: stall.every }
  }
  if (burn) return { ...base, kind: 'burn', instances: burn.instances, threads: burn.threads }
  if (memory) return { ...base, kind: 'memory', instances: memory.instances, bytes: memory.size }
  if (crash) {
    if (crash.every !== undefined && crash.every >= base.durationMs && base.durationMs > 0) {
      const words = `would never come round: ${formatDuration(base.durationMs)} of the fault phase are left, saw ${formatDuration(crash.every)}`
      problem('every', words, 'leave "every" out to crash once')
    }
    return { ...base, kind: 'crash', instances: crash.instances, everyMs: crash.every }
  }
  if (terminate)
    return { ...base, kind: 'terminate', instances: terminate.instances, graceMs: terminate.grace ?? grace }
  if (freeze) return { ...base, kind: 'freeze', instances: freeze.instances }
  if (fault.disconnect) return { ...base, kind: 'disconnect', instances: fault.disconnect.instances }
  if (fault.limit) {
    const { instances, cpus, memory: memoryBytes } = fault.limit
    return { ...base, kind: 'limit', instances, cpus, memoryBytes }
  }
  if (fault.network) return networkSpecOf(fault.network, base, system, problem)
  if (evict) return { ...base, kind: 'evict', instances: evict.instances }
  if (scaleToZero) return { ...base, kind: 'scaleToZero', graceMs: scaleToZero.grace ?? grace }
  if (rollingRestart) {
    const { grace: graceMs = grace, readyWithin: readyWithinMs } = rollingRestart
    return { ...base, kind: 'rollingRestart', graceMs, readyWithinMs }
  }
  if (chaosMesh) {
    const { instances, kind: resource, spec } = chaosMesh
    return { ...base, kind: 'chaosMesh', instances, resource, spec }
  }
  if (istio) return { ...base, kind: 'istio', host: istio.host, fault: istio.fault }
  return requestSpecOf(fault, base, problem)
}

const toxics = ['latency', 'bandwidth', 'slowClose', 'timeout', 'resetPeer', 'slicer', 'limitData', 'down'] as const

function networkSpecOf(
  network: NonNullable<FaultDocument['network']>,
  base: Base,
  system: System | undefined,
  problem: Report,
): FaultSpec {
  const said = toxics.filter(toxic => network[toxic] !== undefined)
  if (said.length !== 1) {
    problem(undefined, `expected one of ${toxics.join(', ')}, saw ${said.length === 0 ? 'none' : said.join(' and ')}`)
  }
  const at = system?.services.find(({ name }) => name === base.service)?.toxiproxy
  if (system && !at && system.services.some(({ name }) => name === base.service)) {
    const hint = 'add `toxiproxy: { api: "http://127.0.0.1:8474", proxy: NAME }` to it in the system file'
    problem('service', `no Toxiproxy is known before "${base.service}"`, hint)
  }
  const { stream, percent } = network
  if (network.down && (stream !== 'downstream' || percent !== 100)) {
    problem('down', 'a proxy is down as a whole, in both directions', 'leave "stream" and "percent" out')
  }
  return {
    ...base,
    kind: 'network',
    at: at ?? { api: '', proxy: '' },
    toxic: toxicOf(network),
    stream,
    toxicity: percent / 100,
  }
}

function toxicOf(network: NonNullable<FaultDocument['network']>): ToxicSpec {
  const { latency, bandwidth, slowClose, timeout, resetPeer, slicer, limitData } = network
  if (latency) return { type: 'latency', delayMs: latency.delay, jitterMs: latency.jitter }
  if (bandwidth !== undefined) return { type: 'bandwidth', bytesPerSecond: bandwidth }
  if (slowClose !== undefined) return { type: 'slowClose', delayMs: slowClose }
  if (timeout !== undefined) return { type: 'timeout', afterMs: timeout }
  if (resetPeer !== undefined) return { type: 'resetPeer', afterMs: resetPeer }
  if (slicer) return { type: 'slicer', bytes: slicer.size, variationBytes: slicer.variation, delayMs: slicer.delay }
  if (limitData !== undefined) return { type: 'limitData', bytes: limitData }
  return { type: 'down' }
}

function requestSpecOf(fault: FaultDocument, base: Base, problem: Report): FaultSpec {
  const { latency, error, reset, hang, truncate, bandwidth } = fault
  const requests = (latency ?? error ?? reset ?? hang ?? truncate ?? bandwidth)!
  const { percent, scope, traffic, method, path, headers, from, instances: among, ramp, pulse } = requests
  checkSchedule(requests, latency !== undefined, base.durationMs, problem)
  const common = {
    ...base,
    percent,
    scope,
    traffic,
    method,
    path,
    headers: headers && Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    from,
    among,
    ramp: ramp && { of: ramp.of, overMs: ramp.over },
    pulse: pulse && { onMs: pulse.on, offMs: pulse.off },
  }
  if (latency) {
    if (latency.jitter > latency.delay) {
      const [jitter, delay] = [formatDuration(latency.jitter), formatDuration(latency.delay)]
      problem('jitter', `more than the delay: expected at most ${delay}, saw ${jitter}`)
    }
    if (latency.distribution !== 'uniform' && latency.jitter === 0) {
      problem('distribution', `without a jitter every delay is the same, saw ${latency.distribution}`, 'add "jitter"')
    }
    const { delay: delayMs, jitter: jitterMs, distribution } = latency
    return { ...common, kind: 'latency', delayMs, jitterMs, distribution }
  }
  if (error) return errorSpecOf(error, common, problem)
  if (truncate) return { ...common, kind: 'truncate', afterBytes: truncate.after }
  if (bandwidth) return { ...common, kind: 'bandwidth', bytesPerSecond: bandwidth.rate }
  return { ...common, kind: reset ? 'reset' : 'hang' }
}

function errorSpecOf(
  { status, body, grpc, message }: NonNullable<FaultDocument['error']>,
  common: Omit<RequestFaultSpec, 'kind'>,
  problem: Report,
): FaultSpec {
  if (grpc !== undefined) {
    if (status !== undefined) problem('status', 'a gRPC status stands beside it: expected one of both')
    if (body !== undefined) problem('body', 'a gRPC status has no body', 'write "message"')
    return { ...common, kind: 'error', grpc, message }
  }
  if (status === undefined) problem(undefined, 'expected "status: 503" or "grpc: UNAVAILABLE", saw neither')
  if (message !== undefined) problem('message', 'only a gRPC status has a message', 'write "body"')
  return { ...common, kind: 'error', status: status ?? 500, body }
}

function checkSchedule(
  { ramp, pulse }: NonNullable<FaultDocument['reset']>,
  isLatency: boolean,
  durationMs: number,
  problem: Report,
): void {
  const lasts = formatDuration(durationMs)
  if (ramp?.of === 'delay' && !isLatency) problem('ramp', 'only a latency has a delay that can climb', 'of: percent')
  if (ramp && ramp.over > durationMs) {
    problem('ramp', `would not arrive: the fault lasts ${lasts}, saw ${formatDuration(ramp.over)}`)
  }
  if (pulse && pulse.on >= durationMs) {
    problem('pulse', `would never go off: the fault lasts ${lasts}, saw on for ${formatDuration(pulse.on)}`)
  }
}
