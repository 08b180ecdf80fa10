import { deriveSeed, random } from '../src/random.ts'
import { guiltiest, rankEdges } from '../src/verdict/traces/blame.ts'
import { callsOf } from '../src/verdict/traces/calls.ts'
import { knownAddresses, phases, simulatedTraces, type TraceSimulation } from './simulated-traces.ts'

export interface BlameScenario {
  name: string
  simulation: TraceSimulation
}

export const blameScenarios: BlameScenario[] = [
  { name: 'payments 50 ms slower', simulation: { guilty: 'payments', slowMs: 50 } },
  { name: 'payments 200 ms slower', simulation: { guilty: 'payments', slowMs: 200 } },
  { name: 'one in ten calls of payments 200 ms slower', simulation: { guilty: 'payments', slowMs: 200, share: 0.1 } },
  { name: 'inventory fails', simulation: { guilty: 'inventory', fails: true } },
  { name: 'one in ten calls of inventory fails', simulation: { guilty: 'inventory', fails: true, share: 0.1 } },
  {
    name: 'half of inventory fails, tried again up to 3 times at every edge',
    simulation: { guilty: 'inventory', fails: true, share: 0.5, retries: 3 },
  },
  {
    name: 'payments 2 s slower, every caller gives up after 300 ms and tries again twice',
    simulation: { guilty: 'payments', slowMs: 2000, timeoutMs: 300, retries: 2 },
  },
  {
    name: 'recommendations 100 ms slower, called beside others',
    simulation: { guilty: 'recommendations', slowMs: 100, fanOut: true },
  },
  { name: 'orders 50 ms slower, called beside others', simulation: { guilty: 'orders', slowMs: 50, fanOut: true } },
  { name: 'a db that two services share 30 ms slower', simulation: { guilty: 'db', slowMs: 30 } },
  { name: 'a db that two services share fails one in five', simulation: { guilty: 'db', fails: true, share: 0.2 } },
  {
    name: 'a silent payments 100 ms slower, of which no span comes',
    simulation: { guilty: 'payments', slowMs: 100, silent: true },
  },
  { name: 'nothing at all', simulation: {} },
]

export interface Blamed {
  /** The first edge leads to the injected service; where nothing was injected, nobody is blamed. */
  right: number
  /** Somebody else is blamed, and with 95 % of the resamples: a wrong verdict. */
  surelyWrong: number
}

export function blamed({ name, simulation }: BlameScenario, runs: number): Blamed {
  const next = random(deriveSeed(20_261_126, name))
  let [right, surelyWrong] = [0, 0]
  for (let run = 0; run < runs; run++) {
    const graph = callsOf(simulatedTraces(next, simulation), knownAddresses)
    const first = guiltiest(rankEdges(graph, phases, run))
    if (first?.to === simulation.guilty) right++
    else if (first && first.confidence >= 0.95) surelyWrong++
  }
  return { right, surelyWrong }
}
