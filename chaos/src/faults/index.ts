import type { FaultKind, FaultSpec } from '../experiment/model.ts'
import type { Target } from '../targets/target.ts'
import { bandwidth } from './bandwidth.ts'
import { burn } from './burn.ts'
import { chaosMesh } from './chaos-mesh.ts'
import { crash } from './crash.ts'
import { disconnect } from './disconnect.ts'
import { error } from './error.ts'
import { evict } from './evict.ts'
import type { Fault, InjectContext, Injected } from './fault.ts'
import { freeze } from './freeze.ts'
import { hang } from './hang.ts'
import { isInsideProcess } from './inside-process.ts'
import { istio } from './istio.ts'
import { latency } from './latency.ts'
import { limit } from './limit.ts'
import { memory } from './memory.ts'
import { network } from './network.ts'
import { reset } from './reset.ts'
import { rollingRestart } from './rolling-restart.ts'
import { scaleToZero } from './scale-to-zero.ts'
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
  disconnect,
  limit,
  network,
  evict,
  scaleToZero,
  rollingRestart,
  chaosMesh,
  istio,
}

const faultOf = (spec: FaultSpec) => faults[spec.kind] as unknown as Fault<FaultSpec>

/** One line for people. */
export function describeFault(spec: FaultSpec): string {
  return faultOf(spec).describe(spec)
}

/** Why it cannot be injected into this target, found out before anything is done; undefined where it can. */
export function whyRefused(spec: FaultSpec, target: Target): string | undefined {
  return faultOf(spec).refuses?.(target, spec) ?? target.refuses?.(spec) ?? whyInsecure(spec, target)
}

/** The calls of fault control are signed and cannot be repeated, but what leaves the machine is not to be read either. */
function whyInsecure(spec: FaultSpec, target: Target): string | undefined {
  if (!isInsideProcess(spec)) return undefined
  for (const { id, faultControl } of target.instances(('from' in spec && spec.from) || spec.service)) {
    if (!faultControl) continue
    const { protocol, hostname } = new URL(faultControl.url)
    if (protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) continue
    return `fault control of ${id} would be called beyond this machine without TLS (${faultControl.url}): it takes https, or a tunnel that ends on loopback`
  }
  return undefined
}

/** Arms the fault; rejects with nothing armed where that is not possible. */
export function injectFault(spec: FaultSpec, context: InjectContext): Promise<Injected> {
  return faultOf(spec).inject(spec, context)
}
