import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { burden } from './process-fault.ts'
import { howMany } from './words.ts'

/** Threads that compute without a pause take the CPU away from everybody else. */
export const burn: Fault<Extract<FaultSpec, { kind: 'burn' }>> = {
  kind: 'burn',
  describe: spec =>
    `CPU burnt by ${spec.threads} ${spec.threads === 1 ? 'thread' : 'threads'} in ${howMany(spec.instances, spec.service)}`,
  inject: (spec, context) => burden(spec, { kind: 'burn', threads: spec.threads }, context),
}
