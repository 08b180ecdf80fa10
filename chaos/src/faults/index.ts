import type { FaultKind, FaultSpec } from '../experiment/model.ts'
import type { Target } from '../targets/target.ts'
import { bandwidth } from './bandwidth.ts'
import { burn } from './burn.ts'
import { crash } from './crash.ts'
import { error } from './error.ts'
import type { Fault, InjectContext, Injected } from './fault.ts'
import { freeze } from './freeze.ts'
import { hang } from './hang.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { reset } from './reset.ts'
import { restart } from './restart.ts'
import { scale } from './scale.ts'
import { stall } from './stall.ts'
import { terminate } from './terminate.ts'
import { truncate } from './truncate.ts'

/** Every fault, by the key that an experiment file uses. */
const faults: { [K in FaultKind]: Fault<Extract<FaultSpec, { kind: K }>> } = {
  latency,
  error,
  reset,
  hang,
  truncate,
  bandwidth,
  stall,
  burn,
  memory,
  crash,
  terminate,
  freeze,
  restart,
  scale,
}

const faultOf = (spec: FaultSpec) => faults[spec.kind] as unknown as Fault<FaultSpec>

/** One line for people. */
export function describeFault(spec: FaultSpec): string {
  return faultOf(spec).describe(spec)
}

/** Why a target cannot take this fault, whatever runs there; undefined where it can. */
export function whatLacks(spec: FaultSpec, target: Target): string | undefined {
  return target.refuses?.(spec) ?? faultOf(spec).lacks?.(spec, target)
}

/** Arms the fault; rejects with nothing armed where that is not possible. */
export function injectFault(spec: FaultSpec, context: InjectContext): Promise<Injected> {
  return faultOf(spec).inject(spec, context)
}
