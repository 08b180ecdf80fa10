import type { Experiment } from '../experiment/model.ts'
import type { CounterWatch } from '../observe/counters.ts'
import type { InstanceEvent } from '../targets/target.ts'
import { isInstanceOf } from '../verdict/corroboration.ts'
import type { ObservedCounters } from '../verdict/observations.ts'

type Sums = ReturnType<CounterWatch['sums']>

/** What the services counted between two readings; undefined for an objective of which there is none. */
export function countersSince(
  before: Sums,
  after: Sums,
  experiment: Experiment,
  since: { events: InstanceEvent[]; at: number },
): Record<string, ObservedCounters | undefined> {
  const result: Record<string, ObservedCounters | undefined> = {}
  for (const { name, indicator } of experiment.objectives) {
    const [from, to] = [before[name], after[name]]
    if (!from || !to || indicator.type !== 'shaketable') continue
    const { service } = indicator.selector
    result[name] = {
      good: to.good - from.good,
      total: to.total - from.total,
      instanceLost: since.events.some(
        event => event.kind === 'exited' && event.at >= since.at && isInstanceOf(service, event.instance),
      ),
    }
  }
  return result
}
