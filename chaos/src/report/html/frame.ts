import { type Markup, markup } from '../markup.ts'
import type { ExperimentReport } from '../model.ts'
import { duration } from '../units.ts'
import { timeTicks } from './axis.ts'
import { type Interval, instanceOutages } from './intervals.ts'

/** The time axis that all plots of an experiment share, with what happened on it. */
export interface Frame {
  startMs: number
  endMs: number
  phases: ExperimentReport['phases']
  faults: Interval[]
  /** Moments when an instance went down or froze. */
  kills: number[]
}

export function frameOf(experiment: ExperimentReport): Frame {
  const last = experiment.series.at(-1)
  const endMs = Math.max(1, last ? last.atMs + last.widthMs : 0, ...experiment.phases.map(phase => phase.endMs))
  const startMs = Math.min(0, ...experiment.phases.map(phase => phase.startMs))
  return {
    startMs,
    endMs,
    phases: experiment.phases,
    faults: experiment.faults
      .filter(fault => fault.armedMs !== null)
      .map(fault => ({ startMs: fault.armedMs!, endMs: fault.undoneMs ?? endMs, open: fault.undoneMs === null })),
    kills: instanceOutages(experiment, endMs).flatMap(lane => lane.outages.map(outage => outage.startMs)),
  }
}

/** Where a moment stands, as a share of the width in [0, 1]. */
export function shareOf(frame: Frame, ms: number): number {
  return Math.min(1, Math.max(0, (ms - frame.startMs) / (frame.endMs - frame.startMs)))
}

/** The same as an SVG coordinate: plots keep the size of their text at every width, so x is always in percent. */
export function x(frame: Frame, ms: number): string {
  return `${(shareOf(frame, ms) * 100).toFixed(2)}%`
}

export function span(frame: Frame, startMs: number, endMs: number): string {
  return `${Math.max(0.3, (shareOf(frame, endMs) - shareOf(frame, startMs)) * 100).toFixed(2)}%`
}

/** Behind every plot: fault windows shaded, phases parted, instances' ends marked. */
export function backdrop(frame: Frame, height: number): Markup {
  return markup`${frame.faults.map(
    fault =>
      markup`<rect class="window" x="${x(frame, fault.startMs)}" width="${span(frame, fault.startMs, fault.endMs)}" y="0" height="${height}"/>`,
  )}${frame.phases.slice(1).map(phase => verticalRule(frame, phase.startMs, height, 'parting'))}${frame.kills.map(at =>
    verticalRule(frame, at, height, 'killed'),
  )}`
}

function verticalRule(frame: Frame, at: number, height: number, name: string): Markup {
  return markup`<line class="${name}" x1="${x(frame, at)}" x2="${x(frame, at)}" y1="0" y2="${height}"/>`
}

/** The labels of the time axis, below `height`. */
export function timeLabels(frame: Frame, height: number): Markup {
  return markup`<g aria-hidden="true"><line class="base" x1="0" x2="100%" y1="${height}" y2="${height}"/>${timeTicks(
    frame.endMs,
  ).map(at => {
    const share = shareOf(frame, at)
    const anchor = share < 0.03 ? 'start' : share > 0.97 ? 'end' : 'middle'
    return markup`<line class="base" x1="${x(frame, at)}" x2="${x(frame, at)}" y1="${height}" y2="${height + 4}"/><text class="tick" x="${x(frame, at)}" y="${height + 16}" text-anchor="${anchor}">${at === 0 ? '0 s' : duration(at)}</text>`
  })}</g>`
}

/** Names the phases, each cut off where its phase ends. */
export function phaseLabels(frame: Frame, y: number): Markup {
  return markup`<g class="phases">${frame.phases.map(
    phase =>
      markup`<svg x="${x(frame, phase.startMs)}" width="${span(frame, phase.startMs, phase.endMs)}" y="${y}" height="18" overflow="hidden"><text x="2" y="13">${phase.name}</text></svg>`,
  )}</g>`
}
