import type { FaultSpec, System } from '../experiment/model.ts'
import type { LogFile } from '../observe/logs.ts'

/** Where a service's instances live: local processes, Docker containers, Kubernetes pods. */
export interface Target {
  readonly kind: 'local' | 'docker' | 'kubernetes' | 'attach'
  /** Every instance of a service, also those that are down for the moment. */
  instances(service: string): Instance[]
  /** Starts or finds the instances. Resolves when every one is ready; rejects with the reason (and the instance's last words) if one is not. */
  start(system: System, signal: AbortSignal): Promise<void>
  /** Base URLs of a service's replicas, e.g. `http://127.0.0.1:21034`. */
  urls(service: string): string[]
  /** The files into which the instances' output goes, where it does. */
  logs?(): LogFile[]
  /** What happened to instances by itself or by a fault (exits, restarts, readiness), for the timeline. */
  events(listener: (event: InstanceEvent) => void): void
  /** Why a fault cannot be done here, found out before anything is; undefined where it can. */
  refuses?(fault: FaultSpec): string | undefined
  /** What only something that keeps replicas can do; undefined where nothing does. */
  readonly orchestrator?: Orchestrator | undefined
  /** Stops everything that `start` began, and leaves what it found as it found it. Idempotent. */
  stop(): Promise<void>
}

/** One process, container or pod. `id` stays the same across restarts, e.g. `orders-1`. */
export interface Instance {
  readonly id: string
  readonly service: string
  /** `undefined` while it is down; another one for each of its lives. */
  readonly pid: number | undefined
  /** Where the SDK's health and metrics listener is, or `undefined` without the SDK. */
  readonly adminUrl: string | undefined
  /** Where the SDK's fault control is, with its key, or `undefined`. */
  readonly faultControl: { url: string; key: string } | undefined
  /** Signals the instance after proving that it is still the same one (pid and start time). */
  crash(): Promise<void>
  terminate(graceMs: number): Promise<void>
  freeze(): Promise<void>
  resume(): Promise<void>
  /** Ends it, by SIGTERM and its grace, and keeps it down until `bringUp`. Where the target can. */
  takeDown?(graceMs: number): Promise<void>
  /** Resolves when it is up again. One that was not taken down needs nothing. */
  bringUp?(): Promise<void>
  /** Takes it from all of its networks, and gives it back; where the target can. */
  disconnect?(): Promise<void>
  reconnect?(): Promise<void>
  /** Gives it no more than this of the CPU and of memory, and takes that back; where the target can. */
  limit?(to: { cpus: number | undefined; memoryBytes: number | undefined }): Promise<void>
  unlimit?(): Promise<void>
}

/** What has each of these faults of whole services done. Every one returns its undo, which proves that it is undone. */
export interface Orchestrator {
  /** Rejects with `SHAKETABLE_BLOCKED_BY_PDB` where a disruption budget forbids it: an outcome of its own. */
  evict(instance: Instance): Promise<void>
  /** Resolves when no instance is left. */
  scaleToZero(service: string): Promise<Change>
  /** Resolves once it has begun; its undo waits until it has come to its end, for a half of it cannot be taken back. */
  rollingRestart(service: string): Promise<Change>
  /** Has another engine inject, by a resource of its own, which ends by itself at the end of the lease where the engine can. */
  handOver(order: HandOver): Promise<Change>
}

/** A fault that another engine injects. */
export interface HandOver {
  fault: string
  service: string
  engine: 'chaosMesh' | 'istio'
  /** As the engine calls it, e.g. `NetworkChaos`. */
  resource: string
  /** In the engine's own words; what says whom it strikes, and for how long, is added. */
  spec: Record<string, unknown>
  instances: Instance[]
  lastsMs: number
}

export interface Change {
  hits(): Promise<{ seen: number; hit: number }>
  undo(): Promise<void>
}

export interface InstanceEvent {
  /** Monotonic, in ms (`world.clock.now()`). */
  at: number
  instance: string
  kind: 'started' | 'ready' | 'exited' | 'frozen' | 'resumed'
  /** e.g. `exit code 1`, `SIGKILL`. */
  detail: string | undefined
}
