import { hostname, platform } from 'node:os'
import { version } from '../version.ts'
import { type Conducted, type SteadyState, stood } from './conduct.ts'
import type { ToolkitExperiment } from './model.ts'
import { type Run, wentWell } from './run-activity.ts'
import type { Veil } from './veil.ts'

/** Journal fields that tools read, as the Chaos Toolkit writes them. */
export function journalOf(
  experiment: ToolkitExperiment,
  seen: Conducted,
  times: { startedAt: number; endedAt: number },
  veil: Veil,
): Record<string, unknown> {
  return veil({
    'chaoslib-version': `shaketable ${version}`,
    platform: platform(),
    node: hostname(),
    experiment: withoutSecrets(experiment.source),
    start: utc(times.startedAt),
    status: statusOf(seen),
    deviated: isDeviated(seen),
    steady_states: {
      before: seen.before ? stateOf(seen.before) : null,
      after: seen.after ? stateOf(seen.after) : null,
      during: seen.during.map(stateOf),
    },
    run: seen.run.map(runOf),
    rollbacks: seen.rollbacks.map(runOf),
    end: utc(times.endedAt),
    duration: (times.endedAt - times.startedAt) / 1000,
  })
}

/** In the Toolkit's words: `failed` wherever something was refused or could not be done. */
export function statusOf(seen: Conducted): 'completed' | 'failed' | 'interrupted' {
  if (seen.interrupted !== undefined) return 'interrupted'
  return stood(seen) && seen.rollbacks.every(wentWell) ? 'completed' : 'failed'
}

/** The system left its steady state once the method had begun, were it for a moment. */
export function isDeviated({ before, during, after, run, interrupted }: Conducted): boolean {
  if (before?.met === false) return false
  if (during.some(look => !look.met)) return true
  return interrupted === undefined && (after?.met === false || run.some(each => each.toleranceMet === false))
}

const stateOf = ({ met, probes }: SteadyState) => ({ steady_state_met: met, probes: probes.map(runOf) })

function runOf({ activity, status, output, startedAt, endedAt, durationMs, toleranceMet, why }: Run) {
  return {
    activity: activity.source,
    output,
    status,
    start: utc(startedAt),
    end: utc(endedAt),
    duration: durationMs / 1000,
    ...(toleranceMet === undefined ? {} : { tolerance_met: toleranceMet }),
    ...(status === 'failed' ? { exception: [why] } : {}),
  }
}

/** A file may hold the secrets themselves. */
function withoutSecrets(source: Record<string, unknown>): Record<string, unknown> {
  if (!('secrets' in source)) return source
  const scopes = Object.keys((source.secrets ?? {}) as object)
  return { ...source, secrets: Object.fromEntries(scopes.map(scope => [scope, '…'])) }
}

const utc = (at: number): string => new Date(at).toISOString().replace('Z', '')
