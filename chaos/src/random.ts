/** Seeded choice: the same seed gives the same run. */

/** A 32-bit seed made of another and a name (FNV-1a, then a finalizer), so that parts of a run vary independently. */
export function deriveSeed(seed: number, name: string): number {
  let hash = 2166136261 ^ seed
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Uniform numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** `count` different items in a seeded order; all of them where there are fewer. */
export function choose<T>(items: readonly T[], count: number, seed: number): T[] {
  const next = random(seed)
  const pool = [...items]
  const chosen: T[] = []
  while (pool.length > 0 && chosen.length < count) {
    chosen.push(...pool.splice(Math.floor(next() * pool.length), 1))
  }
  return chosen
}
