import { fileURLToPath } from 'node:url'
import type { Contender } from './contenders.ts'
import { moveToCore, onCore } from './cores.ts'
import { Subject } from './process.ts'
import type { Round } from './ratios.ts'
import { type Pace, type Run, run } from './run.ts'

export interface RaceOptions {
  contenders: readonly Contender[]
  rounds: number
  pace: Pace
  /** Orders the contenders in each round. */
  seed: number
  progress(line: string): void
}

/** Runs every contender once a round, in shuffled order, so that drift of the machine hits all alike. */
export async function race({ contenders, rounds, pace, seed, progress }: RaceOptions): Promise<Round[]> {
  // Installed before the first of them is timed.
  for (const contender of contenders) contender.command()
  moveToCore(1)
  const script = fileURLToPath(new URL('outside.ts', import.meta.url))
  const outside = new Subject(onCore(1, [process.execPath, script]), {})
  const random = seeded(seed)
  const results: Round[] = []
  try {
    const { port } = await outside.next<{ port: number }>()
    for (let round = 1; round <= rounds; round++) {
      const runs: Run[] = []
      for (const contender of shuffled(contenders, random)) {
        const result = await run(contender, `http://127.0.0.1:${port}`, pace)
        runs.push(result)
        const cpu = Object.entries(result.routes).map(([route, { cpuMicros }]) => `${route} ${cpuMicros.toFixed(1)} µs`)
        progress(
          `round ${round} of ${rounds}: ${contender.name}: ${cpu.join(', ')}, started in ${result.startMs.toFixed(0)} ms`,
        )
      }
      results.push(runs)
    }
    checkSent(contenders, await outside.ask())
  } finally {
    await outside.stop()
  }
  return results
}

function checkSent(contenders: readonly Contender[], bytes: Record<string, number>): void {
  const found = contenders.flatMap(({ name, sendsTo }) => {
    if (sendsTo !== undefined) return bytes[sendsTo] ? [] : [`${name} sent no spans to ${sendsTo}`]
    return Object.keys(bytes).some(path => path.startsWith(`/${name}/`)) ? [`${name} sent something`] : []
  })
  if (found.length > 0) throw new Error(`the race is not fair: ${found.join('; ')}`)
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map(item => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

/** Lehmer's generator: enough to order eight names. */
function seeded(seed: number): () => number {
  let state = (Math.abs(seed) % 2147483646) + 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}
