import type { ExperimentReport } from './model.ts'
import { duration } from './units.ts'

const words: Record<string, string> = { metastable: 'metastable', clearing: 'still clearing up', down: 'still down' }

/** `2.5 s`, `at once`, `metastable`, `no`. */
export function recoveredText({ timeToRecoverMs: ms, aftermath }: ExperimentReport): string {
  if (ms !== null) return ms <= 0 ? 'at once' : duration(ms)
  return words[aftermath?.state ?? ''] ?? 'no'
}
