import type { Environment } from '../environment.ts'
import { variable } from '../names.ts'
import { readOptions } from '../options.ts'
import type { VariableProblem } from './seen.ts'

const perSignal = ['ENDPOINT', 'PROTOCOL', 'HEADERS', 'TIMEOUT', 'COMPRESSION', 'INSECURE'].concat([
  'CERTIFICATE',
  'CLIENT_KEY',
  'CLIENT_CERTIFICATE',
])

/** What is read only where another setting asks for it, besides our own: no slips of the pen. */
const readAtTimes = new Set([
  ...perSignal.map(one => `OTEL_EXPORTER_OTLP_METRICS_${one}`),
  'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
  'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
])

/** The runner's own; it starts services with them. */
const ofTheRunner = new Set(['SHAKETABLE_RUN', 'SHAKETABLE_STATE'])

/**
 * The variables that do not do what their author hopes. What the SDK reads is not listed anywhere: its own reading is
 * watched, so that a variable which is added there is known here.
 */
export function examineVariables(env: Environment): VariableProblem[] {
  const read = new Set<string>()
  const problems: VariableProblem[] = []
  const watched = new Proxy(env, {
    get(target, name) {
      read.add(String(name))
      return target[String(name)]
    },
  })
  readOptions(watched, line => problems.push({ kind: 'refused', line }))
  const ours = new Set<string>(Object.values(variable))
  const known = [...read, ...ours]
  for (const [name, value] of Object.entries(env)) {
    if (!/^(OTEL|SHAKETABLE)_/i.test(name) || !value?.trim()) continue
    if (read.has(name) || ofTheRunner.has(name) || name === variable.doctor) continue
    if (ours.has(name) || readAtTimes.has(name)) problems.push({ kind: 'ignored', name })
    else problems.push({ kind: 'unknown', name, nearest: nearest(name, known) })
  }
  return problems
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const [closest] = known
    .map(candidate => ({ candidate, away: distance(name.toUpperCase(), candidate) }))
    .filter(({ away }) => away <= 3)
    .sort((a, b) => a.away - b.away)
  return closest?.candidate
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === to[j] ? 0 : 1)))
    }
    row = next
  }
  return row[to.length]!
}
