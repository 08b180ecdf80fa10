import type { ExperimentReport, TimelineEvent } from '../model.ts'

export interface Interval {
  startMs: number
  endMs: number
  /** It had not ended when the run did. */
  open: boolean
}

/** When an instance was not there: from its exit (or freeze) until it was ready (or resumed). */
export interface InstanceLane {
  instance: string
  outages: (Interval & { text: string })[]
  /** Moments when it was back. */
  returns: number[]
}

const down = /\b(exited|frozen|killed|crashed|terminated)\b/i
const up = /\b(ready|resumed)\b/i

export function instanceOutages({ timeline }: ExperimentReport, runEndMs: number): InstanceLane[] {
  const lanes = groupBySubject(timeline.filter(event => event.kind === 'instance'))
  return lanes
    .map(([instance, events]) => {
      const outages = pair(events, down, up, runEndMs)
      const returns = outages.filter(outage => !outage.open).map(outage => outage.endMs)
      return { instance, outages, returns }
    })
    .filter(lane => lane.outages.length > 0)
}

/** When an objective's alerts were firing. */
export function alertFirings({ timeline }: ExperimentReport, runEndMs: number): [subject: string, Interval[]][] {
  return groupBySubject(timeline.filter(event => event.kind === 'alert'))
    .map(([subject, events]): [string, Interval[]] => [
      subject,
      pair(events, /\bfir(ing|es|ed)\b/i, /\bresolve[ds]\b/i, runEndMs),
    ])
    .filter(([, firings]) => firings.length > 0)
}

/**
 * Pairs beginnings with ends, by whichever word comes first in an event's text. Overlapping beginnings count as one
 * interval, which ends with the last of them; what comes after the run (its own tidying up) is left out.
 */
function pair(
  events: TimelineEvent[],
  begins: RegExp,
  ends: RegExp,
  runEndMs: number,
): (Interval & { text: string })[] {
  const intervals: (Interval & { text: string })[] = []
  let current: TimelineEvent | undefined
  let depth = 0
  for (const event of events.filter(one => one.atMs <= runEndMs)) {
    const [begun, ended] = [event.text.search(begins), event.text.search(ends)]
    if (ended >= 0 && (begun < 0 || ended < begun)) {
      depth = Math.max(0, depth - 1)
      if (depth > 0 || !current) continue
      intervals.push({ startMs: current.atMs, endMs: event.atMs, open: false, text: current.text })
      current = undefined
    } else if (begun >= 0) {
      current ??= event
      depth = event.kind === 'alert' ? depth + 1 : 1
    }
  }
  if (current) intervals.push({ startMs: current.atMs, endMs: runEndMs, open: true, text: current.text })
  return intervals
}

function groupBySubject(events: TimelineEvent[]): [string, TimelineEvent[]][] {
  return [...Map.groupBy(events, event => event.subject)]
}
