import type { FaultKind, FaultSpec } from '../experiment/model.ts'
import { crash } from './crash.ts'
import { error } from './error.ts'
import type { Fault, InjectContext, Injected } from './fault.ts'
import { freeze } from './freeze.ts'
import { hang } from './hang.ts'
import { latency } from './latency.ts'
import { reset } from './reset.ts'
import { terminate } from './terminate.ts'

/** Every fault, by the key that an experiment file uses. */
const faults: { [K in FaultKind]: Fault<Extract<FaultSpec, { kind: K }>> } = {
  latency,
  error,
  reset,
  hang,
  crash,
  terminate,
  freeze,
}

const faultOf = (spec: FaultSpec) => faults[spec.kind] as Fault<FaultSpec>

/** One line for people. */
export function describeFault(spec: FaultSpec): string {
  return faultOf(spec).describe(spec)
}

/** Arms the fault; rejects with nothing armed where that is not possible. */
export function injectFault(spec: FaultSpec, context: InjectContext): Promise<Injected> {
  return faultOf(spec).inject(spec, context)
}
