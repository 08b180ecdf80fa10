import { fileURLToPath } from 'node:url'
import { type Contender, contenders } from './contenders.ts'
import { moveToCore, onCore } from './cores.ts'
import { Subject } from './process.ts'
import { type Run, run } from './run.ts'

export interface RaceOptions {
  rounds: number
  /** Measured time a route and round. */
  seconds: number
  /** Orders the contenders in each round. */
  seed: number
  progress(line: string): void
}

/** Runs every contender once a round, in shuffled order, so that drift of the machine hits all alike. */
export async function race({ rounds, seconds, seed, progress }: RaceOptions): Promise<Run[][]> {
  moveToCore(1)
  const script = fileURLToPath(new URL('outside.ts', import.meta.url))
  const outside = new Subject(onCore(1, [process.execPath, script]), {})
  const random = seeded(seed)
  const results: Run[][] = []
  try {
    const { port } = await outside.next<{ port: number }>()
    for (let round = 1; round <= rounds; round++) {
      const runs: Run[] = []
      for (const contender of shuffled(contenders, random)) {
        runs.push(await run(contender, `http://127.0.0.1:${port}`, seconds))
        progress(`round ${round} of ${rounds}: ${contender.name}`)
      }
      results.push(runs)
    }
    checkExports(await outside.ask())
  } finally {
    await outside.stop()
  }
  return results
}

type Posts = Record<string, { requests: number; bytes: number }>

function checkExports(posts: Posts): void {
  const wrong = (contender: Contender) => (posts[`/${contender.name}/v1/traces`]?.bytes ?? 0) > 0 !== contender.exports
  const found = contenders.filter(wrong).map(({ name, exports }) => `${name} ${exports ? 'sent no' : 'sent'} spans`)
  if (found.length > 0) throw new Error(`the race is not fair: ${found.join('; ')}`)
}

function shuffled<T>(items: T[], random: () => number): T[] {
  return items
    .map(item => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

/** Lehmer's generator: enough to order four names. */
function seeded(seed: number): () => number {
  let state = (Math.abs(seed) % 2147483646) + 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}
