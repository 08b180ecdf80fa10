import { z } from 'zod'
import type { Clock } from '../../world.ts'
import { type MappedContext, type MappedFunction, mapped } from './mapped.ts'

const answersWithinMs = 30_000
const units = { second: 1, minute: 60, hour: 3600, day: 86_400 }
const ago = /^(\d+) (second|minute|hour|day)s? ago$/
const moment = z
  .string()
  .refine(
    text => text === 'now' || ago.test(text) || (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text))),
    {
      error: 'expected "now", "5 minutes ago", or a time of RFC 3339: other words for a time are read by Python alone',
    },
  )
const asked = {
  query: z.string().min(1),
  timeout: z.number().positive().nullish(),
  verify_tls: z.literal(true).optional(),
}

/** chaosprometheus: the API's own answer, for a tolerance to look at. */
export const prometheusFunctions: Record<string, MappedFunction> = {
  'chaosprometheus.probes.query': mapped(
    'probe',
    z.strictObject({ ...asked, when: moment.nullish() }),
    ({ query, when, timeout }, context) =>
      ask('query', { query, timeout, time: when ? at(when, context.clock) : undefined }, context),
  ),
  'chaosprometheus.probes.query_interval': mapped(
    'probe',
    z.strictObject({ ...asked, start: moment, end: moment, step: z.number().positive().default(1) }),
    ({ query, start, end, step, timeout }, { clock, ...context }) =>
      ask('query_range', { query, timeout, step, start: at(start, clock), end: at(end, clock) }, { clock, ...context }),
  ),
}

/** In seconds since the epoch. */
function at(words: string, clock: Clock): number {
  const now = clock.wall() / 1000
  if (words === 'now') return now
  const [, count, unit] = ago.exec(words) ?? []
  return unit === undefined ? Date.parse(words) / 1000 : now - Number(count) * units[unit as keyof typeof units]
}

async function ask(
  path: string,
  params: Record<string, string | number | null | undefined>,
  { configuration, signal }: MappedContext,
): Promise<unknown> {
  const { prometheus_base_url: base = 'http://localhost:9090' } = configuration
  const url = new URL(`${String(base).replace(/\/$/, '')}/api/v1/${path}`)
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== null) url.searchParams.set(name, String(value))
  const response = await fetch(url, {
    headers: { accept: 'application/json', 'user-agent': 'shaketable' },
    signal: AbortSignal.any([signal, AbortSignal.timeout(answersWithinMs)]),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`Prometheus answers ${response.status}: ${text.slice(0, 200)}`)
  return JSON.parse(text)
}
