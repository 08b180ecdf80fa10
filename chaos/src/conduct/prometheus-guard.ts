import type { Guard } from '../experiment/model.ts'
import type { Clock } from '../world.ts'
import type { Breach } from './guard.ts'

const askEveryMs = 250
const answerWithinMs = 500
/** One answer may be lost to anything. */
const failuresInARow = 2

type Condition = Guard['prometheus'][number]

/** The values that a query has at this moment, one a series. Rejects with why there is no answer. */
export type Ask = (condition: Condition) => Promise<number[]>

/**
 * Resolves once a query of a Prometheus has a value beyond its bound, or none at all, or is not answered twice in a row: who does
 * not know goes no further. Never where the signal aborts.
 */
export async function prometheusBreach(
  condition: Condition,
  clock: Clock,
  signal: AbortSignal,
  ask: Ask = askPrometheus,
): Promise<Breach | undefined> {
  const { query, above, below } = condition
  for (let failures = 0; !signal.aborted; ) {
    const answer = await ask(condition).catch((error: Error) => error)
    const breached = (reason: string) => ({ at: clock.now(), reason })
    if (answer instanceof Error) {
      failures++
      if (failures === failuresInARow) return breached(`Prometheus does not answer ${query}: ${answer.message}`)
    } else {
      failures = 0
      if (answer.length === 0) return breached(`Prometheus has no data for ${query}`)
      const high = answer.find(value => above !== undefined && value > above)
      if (high !== undefined) return breached(`${query} is ${high}, over ${above}`)
      const low = answer.find(value => below !== undefined && value < below)
      if (low !== undefined) return breached(`${query} is ${low}, under ${below}`)
    }
    await clock.sleep(askEveryMs, signal).catch(() => {})
  }
  return undefined
}

const askPrometheus: Ask = async ({ url, query }) => {
  const base = url.endsWith('/') ? url : `${url}/`
  const response = await fetch(new URL(`api/v1/query?query=${encodeURIComponent(query)}`, base), {
    signal: AbortSignal.timeout(answerWithinMs),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`status ${response.status}, ${text.slice(0, 200)}`)
  return valuesOf(JSON.parse(text))
}

type Sample = [number, string]
interface QueryAnswer {
  data: { resultType: string; result: Sample | { value: Sample }[] }
}

/** Of a scalar or an instant vector; what is not a number is no data. */
export function valuesOf({ data: { resultType, result } }: QueryAnswer): number[] {
  if (resultType !== 'scalar' && resultType !== 'vector')
    throw new Error(`expected a number a series, saw a ${resultType}`)
  const samples =
    resultType === 'scalar' ? [result as Sample] : (result as { value: Sample }[]).map(({ value }) => value)
  return samples.map(([, text]) => Number(text.replace('Inf', 'Infinity'))).filter(value => !Number.isNaN(value))
}
