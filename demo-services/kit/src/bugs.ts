/** Mistakes that can be planted in the shop, to see whether the suite finds them. `../../bugs.yaml` is the answer key. */
export const bugs = [
  'timeout-over-caller',
  'retry-without-budget',
  'missing-idempotency',
  'cache-without-end',
  'lying-health',
  'pool-too-small',
  'swallowed-error',
  'log-without-trace',
] as const
export type Bug = (typeof bugs)[number]

/** `BUGS=cache-without-end,lying-health`; none without it. Throws on an unknown name. */
export function plantedBugs(setting = process.env.BUGS ?? ''): ReadonlySet<Bug> {
  const names = setting
    .split(',')
    .map(each => each.trim())
    .filter(Boolean)
  const isBug = (name: string): name is Bug => bugs.some(each => each === name)
  const unknown = names.filter(name => !isBug(name))
  if (unknown.length > 0) throw new Error(`BUGS: saw "${unknown.join(', ')}", expected some of ${bugs.join(', ')}`)
  return new Set(names.filter(isBug))
}

const planted = plantedBugs()

export const hasBug = (bug: Bug): boolean => planted.has(bug)
