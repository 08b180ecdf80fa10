import { deriveSeed, random } from '../src/random.ts'
import type { Verdict } from '../src/report/model.ts'
import { judgeExperiment } from '../src/verdict/judge.ts'
import { type Simulation, simulatedRun } from './simulated-run.ts'

/** What a kind of run must and must not end as, in shares of all. */
export type Goal = Partial<Record<Verdict, { atMost: number } | { atLeast: number }>>

export interface Scenario {
  name: string
  simulation: Simulation
  /** None: measured to be known, beyond the margins that the goals are stated for. */
  goal?: Goal
}

const withoutFault: Goal = { fail: { atMost: 0.001 }, inconclusive: { atMost: 0.05 }, void: { atMost: 0.005 } }
const withBreak: Goal = { fail: { atLeast: 0.99 }, pass: { atMost: 0.001 } }
const bursts = [0, 100, 300, 1000]
/** Long enough for looks at it. */
const untilSure = { faultMs: 24_000, endFaultWhenSure: true }

const words = ({ burstMs, errorRatio, brokenErrorRatio, objectives, faultMs, endFaultWhenSure }: Simulation) =>
  [
    `${Number((errorRatio * 100).toFixed(3))} % fail`,
    brokenErrorRatio === undefined ? '' : `, ${brokenErrorRatio * 100} % while the fault lasts`,
    burstMs === 0 ? ', independently' : `, in bursts of ${burstMs} ms`,
    objectives === undefined ? '' : `; ${objectives} objectives`,
    faultMs === undefined ? '' : `; ${faultMs / 1000} s${endFaultWhenSure ? ', until sure' : ''}`,
  ].join('')

const scenario = (simulation: Simulation, goal?: Goal): Scenario => ({
  name: words(simulation),
  simulation,
  ...(goal ? { goal } : {}),
})

export const scenarios: Scenario[] = [
  ...bursts.map(burstMs => scenario({ burstMs, errorRatio: 0.0005 }, withoutFault)),
  scenario({ burstMs: 300, errorRatio: 0.0002, objectives: 3 }, withoutFault),
  ...bursts.map(burstMs => scenario({ burstMs, errorRatio: 0.0005, brokenErrorRatio: 0.3 }, withBreak)),
  scenario({ burstMs: 300, errorRatio: 0.0005, brokenErrorRatio: 0.3, objectives: 3 }, withBreak),
  ...bursts.map(burstMs => scenario({ burstMs, errorRatio: 0.0005, ...untilSure }, withoutFault)),
  scenario({ burstMs: 300, errorRatio: 0.0002, objectives: 3, ...untilSure }, withoutFault),
  ...bursts.map(burstMs => scenario({ burstMs, errorRatio: 0.0005, brokenErrorRatio: 0.3, ...untilSure }, withBreak)),
  ...[0, 300].map(burstMs => scenario({ burstMs, errorRatio: 0.03, ...untilSure })),
  scenario({ burstMs: 300, errorRatio: 0.0005, faultMs: 60_000, endFaultWhenSure: true }),
  scenario({ burstMs: 300, errorRatio: 0.0005, brokenErrorRatio: 0.3, faultMs: 60_000, endFaultWhenSure: true }),
  scenario({ burstMs: 300, errorRatio: 0.0005, objectives: 3 }),
  ...bursts.slice(1).map(burstMs => scenario({ burstMs, errorRatio: 0.001 })),
  ...bursts.slice(1).map(burstMs => scenario({ burstMs, errorRatio: 0.003 })),
  ...bursts.map(burstMs => scenario({ burstMs, errorRatio: 0.03 })),
  ...bursts.map(burstMs => scenario({ burstMs, errorRatio: 0.0005, brokenErrorRatio: 0.1 })),
  ...bursts.map(burstMs => scenario({ burstMs, errorRatio: 0.0005, brokenErrorRatio: 0.2 })),
]

export interface Measured {
  counts: Record<Verdict, number>
  /** The mean share of the planned fault phase that they took. */
  used: number
}

/** How often runs of a scenario end as what. The same number of runs gives the same counts, everywhere. */
export function measured({ name, simulation }: Scenario, runs: number): Measured {
  const next = random(deriveSeed(20_261_125, name))
  const counts = { pass: 0, fail: 0, inconclusive: 0, void: 0 }
  let used = 0
  for (let run = 0; run < runs; run++) {
    const { verdict, endedEarly } = judgeExperiment(simulatedRun(next, simulation))
    counts[verdict]++
    used += endedEarly ? endedEarly.usedMs / endedEarly.plannedMs : 1
  }
  return { counts, used: used / runs }
}

/** What of the goal was missed, a sentence each. */
export function missed({ name, goal = {} }: Scenario, counts: Record<Verdict, number>): string[] {
  const runs = Object.values(counts).reduce((all, count) => all + count, 0)
  return Object.entries(goal).flatMap(([verdict, bound]) => {
    const count = counts[verdict as Verdict]
    if ('atMost' in bound ? count <= bound.atMost * runs : count >= bound.atLeast * runs) return []
    const asked = 'atMost' in bound ? `at most ${bound.atMost * 100} %` : `at least ${bound.atLeast * 100} %`
    return [`${name}: ${count} of ${runs} ${verdict}, not ${asked}`]
  })
}
