import type { AddressInfo } from 'node:net'
import type { ReadinessCheck } from './admin/readiness.ts'

/** The running SDK. */
export interface Handle {
  /** Where `/metrics`, `/livez`, `/readyz` and `/telemetry` are; undefined when the port was taken or the SDK is off. */
  readonly adminAddress: AddressInfo | undefined
  /** `/readyz` answers 503 while the check fails; returns what takes the check away. */
  addReadinessCheck(name: string, check: ReadinessCheck): () => void
  /** Not ready, drain, flush (at most 2 s), and close the listeners. The app's process goes on. */
  shutdown(): Promise<void>
}

// Kept on the process, not in a module: there may be several copies of it.
const running = Symbol.for('shaketable.sdk')
const starting = Symbol.for('shaketable.sdk.starting')
type Process = { [running]?: Handle; [starting]?: Promise<Handle> }

/** The SDK that runs in this process, by `--import` or by `start`; undefined when none does. */
export function runningSdk(): Handle | undefined {
  return (globalThis as Process)[running]
}

/** The start that has begun, whoever began it; undefined when none has. */
export function startingSdk(): Promise<Handle> | undefined {
  return (globalThis as Process)[starting]
}

export function nowStarting(start: Promise<Handle>): Promise<Handle> {
  const shared = globalThis as Process
  shared[starting] = start.then(handle => {
    shared[running] = handle
    return handle
  })
  return shared[starting]
}
