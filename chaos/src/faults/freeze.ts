import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { hold } from './held-fault.ts'
import { howMany } from './words.ts'

/** SIGSTOP: the process keeps its sockets and answers nothing. The undo is SIGCONT; the keeper holds it too. */
export const freeze: Fault<Extract<FaultSpec, { kind: 'freeze' }>> = {
  kind: 'freeze',
  describe: spec => `freeze ${howMany(spec.instances, spec.service)}`,
  inject: (spec, context) =>
    hold(spec, context, { take: instance => instance.freeze(), release: instance => instance.resume() }),
}
