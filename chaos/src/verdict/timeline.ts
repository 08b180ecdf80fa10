import type { TimelineEvent } from '../report/model.ts'
import type { Observations } from './observations.ts'

/** Everything that happened, in order; times in ms from the start of the experiment. */
export function timelineOf(
  seen: Observations,
  found: { firstErrorAt: number | undefined; recoveredAt: number | undefined; notes: string[] },
): TimelineEvent[] {
  const { phases } = seen
  const events: (Omit<TimelineEvent, 'atMs'> & { at: number | undefined })[] = [
    ...(['baseline', 'fault', 'recovery'] as const).map(name => ({
      at: phases[name]?.start,
      kind: 'phase' as const,
      subject: name,
      text: `${name} begins`,
    })),
    ...found.notes.map(text => ({
      at: phases.baseline.end,
      kind: 'note' as const,
      subject: seen.experiment.name,
      text,
    })),
    ...seen.faults.flatMap(({ id, description, instances, armedAt, undoneAt }) => [
      { at: armedAt, kind: 'fault' as const, subject: id, text: `armed on ${instances.join(', ')}: ${description}` },
      { at: undoneAt, kind: 'fault' as const, subject: id, text: 'undone' },
    ]),
    ...seen.instanceEvents.map(({ at, instance, kind, detail }) => ({
      at,
      kind: 'instance' as const,
      subject: instance,
      text: detail ? `${kind} (${detail})` : kind,
    })),
    ...seen.alerts.map(({ at, objective, severity, window, state }) => ({
      at,
      kind: 'alert' as const,
      subject: objective,
      text: `${severity} ${window} ${state}`,
    })),
    { at: seen.breach?.at, kind: 'note', subject: 'guard', text: `the guard ended the run: ${seen.breach?.reason}` },
    { at: found.firstErrorAt, kind: 'error', subject: 'client', text: 'first request that an objective counts as bad' },
    { at: found.recoveredAt, kind: 'recovery', subject: seen.experiment.name, text: 'the steady state is back' },
  ]
  return events
    .flatMap(({ at, ...event }) => (at === undefined ? [] : [{ atMs: at - phases.baseline.start, ...event }]))
    .sort((a, b) => a.atMs - b.atMs)
}
