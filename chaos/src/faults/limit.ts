import type { FaultSpec } from '../experiment/model.ts'
import { formatSize } from '../experiment/sizes.ts'
import type { Fault } from './fault.ts'
import { hold } from './held-fault.ts'
import { howMany } from './words.ts'

/** The kernel gives the instance no more CPU time or memory than this. */
export const limit: Fault<Extract<FaultSpec, { kind: 'limit' }>> = {
  kind: 'limit',
  describe: ({ cpus, memoryBytes, instances, service }) => {
    const cpu = cpus === undefined ? [] : [`${cpus} CPUs`]
    const memory = memoryBytes === undefined ? [] : [`${formatSize(memoryBytes)} of memory`]
    return `at most ${[...cpu, ...memory].join(' and ')} for ${howMany(instances, service)}`
  },
  refuses: (target, { service }) =>
    target.instances(service).every(instance => instance.limit)
      ? undefined
      : `the ${target.kind} target cannot limit what an instance uses`,
  inject: (spec, context) =>
    hold(spec, context, {
      take: async instance => instance.limit?.(spec),
      release: async instance => instance.unlimit?.(),
    }),
}
