import type { Distribution, Schedule } from '@shaketable/sdk/faults'
import type { Objective, Place } from '@shaketable/slo'
import type { ProxyAddress } from '../toxiproxy/toxiproxy.ts'
import type { GrpcStatus } from './grpc-statuses.ts'

/** What runs: services, their replicas, and the journeys that users take through them. */
export interface System {
  name: string
  /** Never to be shaken. */
  protected?: boolean
  services: Service[]
  journeys: Journey[]
  /** Checked after every experiment, once the load has stopped. */
  invariants: Invariant[]
  /** The folder of the file; every relative path and command starts here. */
  dir: string
  place: Place
}

export interface Service {
  name: string
  local: LocalProcess | undefined
  docker?: DockerContainers | undefined
  kubernetes?: KubernetesPods | undefined
  attach?: AttachedUrls[] | undefined
  /** The proxy that stands before it. */
  toxiproxy?: ProxyAddress | undefined
  /** The path of the readiness probe on the health listener, or `tcp` for a service without the SDK. */
  ready: string
  place: Place
}

/** How the local target runs a service. */
export interface LocalProcess {
  /** A leading `node` means the Node that runs shaketable. */
  command: string[]
  replicas: number
  /** Added to the environment. */
  env: Record<string, string>
  /** How long SIGTERM may take before SIGKILL follows, in ms. */
  graceMs: number
  /** How long a process that died waits before it is started again, in ms. */
  restartDelayMs: number
}

/** Where the docker target finds a service, which runs already. */
export interface DockerContainers {
  /** `key=value` or `key`: every running container that bears it. */
  label: string
  /** The container's port that takes the requests; undefined where the container itself tells. */
  port: number | undefined
  /** How long a container that a fault stopped stays down, in ms. */
  restartDelayMs: number
}

/** Where the kubernetes target finds a service, which runs already. */
export interface KubernetesPods {
  /** A label selector, e.g. `app=payments`. */
  selector: string
  /** That of the kubeconfig's context where undefined. */
  namespace: string | undefined
  /** The container's port that takes the requests; undefined where the pod itself tells. */
  port: number | undefined
  /** Where the load goes, in place of each pod: the address of its Service or its ingress. */
  url: string | undefined
}

/** Where the attach target reaches an instance, which runs already. */
export interface AttachedUrls {
  url: string
  admin: string | undefined
  faults: string | undefined
}

/** A user's flow of requests. `setup` runs once before the load begins, `steps` once per arrival. */
export interface Journey {
  name: string
  setup: Step[]
  steps: Step[]
  place: Place
}

/**
 * One request. Strings may hold `${name}` of a captured value, `${uuid}` (a fresh UUID for each arrival) and `${seq}` (the number
 * of the arrival).
 */
export interface Step {
  request: {
    method: string
    /** The service that receives it. */
    to: string
    path: string
    headers: Record<string, string>
    /** Sent as JSON. */
    json: unknown
  }
  expect: { status: number[] }
  /** Name -> path into the JSON answer, e.g. `token` or `order.id`. */
  capture: Record<string, string>
}

/** A rule of the business that holds after any run: a command that exits 0 when it does. */
export interface Invariant {
  name: string
  command: string[]
  /** How long the system may take to get there (asynchronous work), in ms. */
  withinMs: number
}

export interface Experiment {
  name: string
  title: string
  system: System
  objectives: Objective[]
  load: { journey: Journey /** arrivals a second */; ratePerSecond: number; timeoutMs: number }[]
  phases: {
    baselineMs: number
    faultMs: number
    recoveryMs: number
    /** The fault phase may be over once the verdict on `hold` is sure. */
    endFaultWhenSure?: boolean
  }
  faults: FaultSpec[]
  expect: Expectations
  guard: Guard | undefined
  /** Burn-rate windows are divided by this, so that a run of seconds sees what a month of production would. */
  alertWindowScale: number
  place: Place
}

interface Anywhere {
  /** Unique in the experiment, e.g. `latency-payments`. */
  id: string
  service: string
  /** When it begins and how long it lasts, in ms from the start of the fault phase. */
  startMs: number
  durationMs: number
  place: Place
}

/** A fault inside the process, by the SDK. */
export type RequestFaultSpec = Anywhere & {
  percent: number
  scope: 'request' | 'attempt'
  /** `load`: only what the load of the run asks, and what follows from it. */
  traffic?: 'all' | 'load' | undefined
  method: string | undefined
  path: string | undefined
  headers?: Record<string, string> | undefined
  /** Only requests that this service makes to `service`: the fault is armed at the caller, outbound. */
  from: string | undefined
  /** Only in so many instances of the one in which it is armed, chosen by the seed; undefined: in all. */
  among?: number | undefined
  ramp?: Schedule['ramp'] | undefined
  pulse?: Schedule['pulse'] | undefined
} & (
    | { kind: 'latency'; delayMs: number; jitterMs: number; distribution: Distribution }
    | { kind: 'error'; status: number; body: string | undefined }
    | { kind: 'error'; grpc: GrpcStatus; message: string | undefined }
    | { kind: 'reset' }
    | { kind: 'hang' }
    | { kind: 'truncate'; afterBytes: number }
    | { kind: 'bandwidth'; bytesPerSecond: number }
  )

/** A burden on whole processes, by the SDK inside them. */
export type ProcessFaultSpec = Anywhere & {
  /** How many instances bear it, chosen by the seed. */
  instances: number
} & (
    | { kind: 'stall'; blockMs: number; everyMs: number }
    | { kind: 'burn'; threads: number }
    | { kind: 'memory'; bytes: number }
  )

/** A fault of a whole instance, by the target. */
export type InstanceFaultSpec = Anywhere & {
  /** How many instances are hit, chosen by the seed. */
  instances: number
} & (
    | { kind: 'crash' /** again and again, in ms; undefined: once */; everyMs: number | undefined }
    | { kind: 'terminate'; graceMs: number }
    | { kind: 'freeze' }
    | { kind: 'disconnect' }
    | { kind: 'limit'; cpus: number | undefined; memoryBytes: number | undefined }
    | { kind: 'evict' }
    | { kind: 'chaosMesh' /** e.g. `NetworkChaos` */; resource: string; spec: Record<string, unknown> }
  )

/** A fault of a whole service, by the target, by the orchestrator that keeps its replicas, or by the mesh before it. */
export type ServiceFaultSpec = Anywhere &
  (
    | { kind: 'scaleToZero'; graceMs: number }
    | { kind: 'rollingRestart'; graceMs: number; readyWithinMs: number }
    | {
        kind: 'istio' /** Undefined: the service's own name. */
        host: string | undefined
        fault: Record<string, unknown>
      }
  )

/** A fault of the network before a service, by Toxiproxy. */
export type NetworkFaultSpec = Anywhere & {
  kind: 'network'
  at: ProxyAddress
  toxic: ToxicSpec
  /** `downstream`: what the service answers; `upstream`: what it is asked. */
  stream: 'downstream' | 'upstream'
  /** The part of the connections that it strikes, a ratio. */
  toxicity: number
}

export type ToxicSpec =
  | { type: 'latency'; delayMs: number; jitterMs: number }
  | { type: 'bandwidth'; bytesPerSecond: number }
  | { type: 'slowClose'; delayMs: number }
  | { type: 'timeout'; afterMs: number }
  | { type: 'resetPeer'; afterMs: number }
  | { type: 'slicer'; bytes: number; variationBytes: number; delayMs: number }
  | { type: 'limitData'; bytes: number }
  | { type: 'down' }

export type FaultSpec = RequestFaultSpec | ProcessFaultSpec | InstanceFaultSpec | ServiceFaultSpec | NetworkFaultSpec
export type FaultKind = FaultSpec['kind']

/** What ends an experiment before its time, and fails it: as soon as one of these is so. */
export interface Guard {
  /** Which objectives `budget` and `errorRatio` are about. */
  objectives: Objective[]
  /** More is bad than this share of what the target in force allows over fault and recovery; counted from the fault on. */
  budget: number | undefined
  /** More than this ratio of the requests answered within so many ms was bad. */
  errorRatio: { above: number; overMs: number } | undefined
  /** No instance of the service answers a GET of this path well. */
  health: { service: string; path: string } | undefined
  /** A query of a Prometheus has a value beyond its bound, or no value. */
  prometheus: { url: string; query: string; above: number | undefined; below: number | undefined }[]
}

export interface Expectations {
  /** Objectives that must hold over fault and recovery. */
  hold: Objective[]
  /** Replaces each target in `hold` for this experiment, a ratio. */
  atLeast: number | undefined
  /** The steady state is back within this, in ms after the fault phase. */
  recoveryWithinMs: number | undefined
  /** `none`: no page may fire; `fire`: the pages of these objectives must. */
  alerts: {
    none: boolean
    fire: Objective[]
    /** Each of `fire` within this after the fault phase began, in ms. */
    withinMs?: number | undefined
    /** Each resolved within this after the fault phase ended, in ms. */
    resolvedWithinMs?: number | undefined
  }
  /** Checked after this experiment, beside those of the system. */
  invariants?: readonly Invariant[]
  /** What the traces and logs of the run must show. */
  observability?: ObservabilityExpectations | undefined
}

export interface ObservabilityExpectations {
  /** The service that the traces must name as the guilty one. */
  blame: string | undefined
  /** No edge may take more than so many times its usual calls a request while the fault lasts. */
  amplificationAtMost: number | undefined
  /** Nobody may work on for longer than this after the caller has given up, in ms. */
  abandonedAtMostMs: number | undefined
  /**
   * `errors-told`: who answers well although a call has failed logs a warning in its trace; `warnings-traced`: warnings carry a
   * trace id; `health-honest`: no instance calls itself healthy while it fails everything else.
   */
  telemetry: readonly TelemetryHabit[]
}

export type TelemetryHabit = 'errors-told' | 'warnings-traced' | 'health-honest'
