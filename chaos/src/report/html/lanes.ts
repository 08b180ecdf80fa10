import { type Markup, markup } from '../markup.ts'
import type { ExperimentReport } from '../model.ts'
import { duration } from '../units.ts'
import { type Frame, phaseLabels, span, timeLabels, x } from './frame.ts'
import { alertFirings, type Interval, instanceOutages } from './intervals.ts'

interface Lane {
  name: string
  label: string
  bars: (Interval & { text: string })[]
  /** Signs on the lane; the shape says what happened. */
  signs: { atMs: number; shape: keyof typeof shapes; text: string }[]
}

const shapes = {
  cross: 'M-4-4 4 4M4-4-4 4',
  triangle: 'M0-5 5 4H-5Z',
  diamond: 'M0-5 5 0 0 5-5 0Z',
} as const

const laneHeight = 34
const top = 24

/** What was done to the system and what it did: faults, instances that went and came back, errors, alerts, on one time axis. */
export function lanesFigure(experiment: ExperimentReport, frame: Frame, id: string): Markup {
  const lanes = lanesOf(experiment, frame)
  const height = top + lanes.length * laneHeight + 4
  const said = lanes.map(lane => `${lane.label}: ${[...lane.bars, ...lane.signs].map(one => one.text).join(', ')}`)
  return markup`<figure class="plot lanes">
<figcaption><h4>What happened</h4><span class="legend">${sign('cross', 'went down or froze')}${sign('triangle', 'back again')}${sign('diamond', 'first error')}</span></figcaption>
<div class="canvas"><span class="axis"></span><svg class="area" height="${height + 22}" role="img" aria-labelledby="${id}-lanes-t ${id}-lanes-d"><title id="${id}-lanes-t">What happened</title><desc id="${id}-lanes-d">${said.join('. ')}.</desc>
${frame.phases.map(
  (phase, index) =>
    markup`<rect class="phase phase${index % 2}" x="${x(frame, phase.startMs)}" width="${span(frame, phase.startMs, phase.endMs)}" y="0" height="18"/>`,
)}${phaseLabels(frame, 0)}${frame.phases
  .slice(1)
  .map(
    phase =>
      markup`<line class="parting" x1="${x(frame, phase.startMs)}" x2="${x(frame, phase.startMs)}" y1="18" y2="${height}"/>`,
  )}${lanes.map((lane, index) => laneMarkup(frame, lane, top + index * laneHeight))}${timeLabels(frame, height)}</svg></div></figure>`
}

function laneMarkup(frame: Frame, lane: Lane, y: number): Markup {
  return markup`<g class="lane ${lane.name}"><foreignObject x="0" y="${y}" width="100%" height="18"><div class="label"><span>${lane.label}</span></div></foreignObject><line class="rail" x1="0" x2="100%" y1="${y + 22}" y2="${y + 22}"/>${lane.bars.map(
    bar =>
      markup`<rect x="${x(frame, bar.startMs)}" width="${span(frame, bar.startMs, bar.endMs)}" y="${y + 18}" height="8" rx="2"><title>${bar.text}</title></rect>`,
  )}${lane.signs.map(
    one =>
      markup`<svg x="${x(frame, one.atMs)}" y="${y + 22}" width="1" height="1" overflow="visible"><path class="sign ${one.shape}" d="${shapes[one.shape]}"><title>${one.text}</title></path></svg>`,
  )}</g>`
}

function lanesOf(experiment: ExperimentReport, frame: Frame): Lane[] {
  const faults = experiment.faults.map(
    (fault): Lane => ({
      name: 'fault',
      label: `fault: ${fault.description}`,
      bars:
        fault.armedMs === null
          ? []
          : [
              {
                startMs: fault.armedMs,
                endMs: fault.undoneMs ?? frame.endMs,
                open: fault.undoneMs === null,
                text: `armed at ${duration(fault.armedMs)}, ${fault.undoneMs === null ? 'not undone' : `undone at ${duration(fault.undoneMs)}`}`,
              },
            ],
      signs: [],
    }),
  )
  const instances = instanceOutages(experiment, frame.endMs).map(
    ({ instance, outages, returns }): Lane => ({
      name: 'instance',
      label: `instance: ${instance}`,
      bars: outages.map(outage => ({ ...outage, text: `down ${intervalText(outage)}` })),
      signs: [
        ...outages.map(({ startMs, text }) => ({
          atMs: startMs,
          shape: 'cross' as const,
          text: `${text} at ${duration(startMs)}`,
        })),
        ...returns.map(atMs => ({ atMs, shape: 'triangle' as const, text: `ready at ${duration(atMs)}` })),
      ],
    }),
  )
  const seen = experiment.timeline.filter(event => event.kind === 'error' || event.kind === 'recovery')
  const clients: Lane[] =
    seen.length === 0
      ? []
      : [
          {
            name: 'client',
            label: 'clients: first error, recovery',
            bars: [],
            signs: seen.map(({ atMs, kind, text }) => ({
              atMs,
              shape: kind === 'error' ? 'diamond' : 'triangle',
              text: `${text} at ${duration(atMs)}`,
            })),
          },
        ]
  const alerts = alertFirings(experiment, frame.endMs).map(
    ([subject, firings]): Lane => ({
      name: 'alert',
      label: `alert: ${subject}`,
      bars: firings.map(firing => ({ ...firing, text: `firing ${intervalText(firing)}` })),
      signs: [],
    }),
  )
  return [...faults, ...instances, ...clients, ...alerts]
}

function intervalText({ startMs, endMs, open }: Interval): string {
  return open ? `from ${duration(startMs)} to the end` : `from ${duration(startMs)} to ${duration(endMs)}`
}

function sign(shape: keyof typeof shapes, text: string): Markup {
  return markup`<span class="key"><svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true"><path class="sign ${shape}" d="${shapes[shape]}"/></svg>${text}</span> `
}
