import { type Markup, type MarkupValue, markup } from '../markup.ts'
import type { SeriesPoint } from '../model.ts'
import { duration } from '../units.ts'
import type { Axis } from './axis.ts'
import { backdrop, type Frame, shareOf, span, timeLabels, x } from './frame.ts'

const height = 120
const headroom = 8
const footroom = 22
/** More bins than this would make a heavy page for tooltips nobody could hit. */
const greatestHoverBins = 600

export interface Plot {
  /** Unique on the page. */
  id: string
  title: string
  /** One sentence for those who do not see it. */
  description: string
  axis: Axis
  label(value: number): string
  legend: MarkupValue
  /** Curves and bars, drawn with {@link curve} and {@link bars}. */
  marks: MarkupValue
  /** Lines across, drawn with {@link limit}. */
  limits?: MarkupValue
  hover(point: SeriesPoint): string
}

/** One plot over time: the axis at the left, the area stretching with the page, its text always at its own size. */
export function plotFigure(frame: Frame, series: SeriesPoint[], plot: Plot): Markup {
  const total = height + headroom
  return markup`<figure class="plot">
<figcaption><h4>${plot.title}</h4><span class="legend">${plot.legend}</span></figcaption>
<div class="canvas"><svg class="axis" height="${total + footroom}" aria-hidden="true">${plot.axis.ticks.map(
    tick =>
      markup`<text class="tick" x="100%" y="${y(plot.axis, tick) + 4}" text-anchor="end">${plot.label(tick)}</text>`,
  )}</svg><svg class="area" height="${total + footroom}" role="img" aria-labelledby="${plot.id}-t ${plot.id}-d"><title id="${plot.id}-t">${plot.title}</title><desc id="${plot.id}-d">${plot.description}</desc>
${backdrop(frame, total)}<g aria-hidden="true">${plot.axis.ticks.map(
    tick => markup`<line class="grid" x1="0" x2="100%" y1="${y(plot.axis, tick)}" y2="${y(plot.axis, tick)}"/>`,
  )}</g>
<svg class="marks" width="100%" height="${total}" viewBox="0 0 1000 ${total}" preserveAspectRatio="none">${plot.marks}</svg>${plot.limits}${timeLabels(frame, total)}
${series.length <= greatestHoverBins && hoverBins(frame, series, plot, total)}</svg></div></figure>`
}

function hoverBins(frame: Frame, series: SeriesPoint[], plot: Plot, total: number): Markup {
  return markup`<g class="bins">${series.map(
    point =>
      markup`<rect x="${x(frame, point.atMs)}" width="${span(frame, point.atMs, point.atMs + point.widthMs)}" y="0" height="${total}"><title>${duration(point.atMs)}: ${plot.hover(point)}</title></rect>`,
  )}</g>`
}

function y(axis: Axis, value: number): number {
  return Math.round((headroom + (1 - axis.place(value)) * height) * 100) / 100
}

type Value = (point: SeriesPoint) => number | null

/** A line through the middles of the bins, broken where nothing was measured; `filled` down to the axis. */
export function curve(
  frame: Frame,
  axis: Axis,
  series: SeriesPoint[],
  value: Value,
  name: string,
  filled = false,
): Markup {
  const runs: [number, number][][] = [[]]
  for (const point of series) {
    const seen = value(point)
    if (seen === null || !Number.isFinite(seen)) runs.push([])
    else runs.at(-1)!.push([across(frame, point.atMs + point.widthMs / 2), y(axis, seen)])
  }
  const drawn = runs.filter(run => run.length > 0)
  const line = drawn.map(run => (run.length === 1 ? dot(run[0]!) : polyline(run))).join('')
  const floor = headroom + height
  const area = drawn.map(run => `${polyline(run)}L${run.at(-1)![0]} ${floor}L${run[0]![0]} ${floor}Z`).join('')
  return markup`${filled && markup`<path class="${name} fill" d="${area}"/>`}<path class="${name} curve" d="${line}"/>`
}

function polyline(run: [number, number][]): string {
  return run.map(([left, top], index) => `${index === 0 ? 'M' : 'L'}${left} ${top}`).join('')
}

function dot([left, top]: [number, number]): string {
  return `M${left - 2} ${top}H${left + 2}`
}

/** A bar a bin, from the axis up. */
export function bars(frame: Frame, axis: Axis, series: SeriesPoint[], value: Value, name: string): Markup {
  const floor = headroom + height
  const path = series
    .map(point => [point, value(point)] as const)
    .filter(([, seen]) => seen !== null && seen > 0)
    .map(([point, seen]) => {
      const left = across(frame, point.atMs)
      const right = across(frame, point.atMs + point.widthMs)
      const inset = Math.min(1.2, (right - left) / 6)
      return `M${(left + inset).toFixed(1)} ${floor}V${y(axis, seen!)}H${(right - inset).toFixed(1)}V${floor}Z`
    })
    .join('')
  return markup`<path class="${name} bars" d="${path}"/>`
}

function across(frame: Frame, ms: number): number {
  return Math.round(shareOf(frame, ms) * 10_000) / 10
}

/** A line across, e.g. what may not be passed. */
export function limit(axis: Axis, value: number): Markup {
  const at = y(axis, value)
  return markup`<line class="limit curve" x1="0" x2="100%" y1="${at}" y2="${at}"/>`
}

/** A legend entry: the line as it is drawn, and its name. */
export function key(name: string, text: string, shape: 'curve' | 'bars' = 'curve'): Markup {
  const sample =
    shape === 'curve'
      ? markup`<path class="${name} curve" d="M0 6H22"/>`
      : markup`<path class="${name} bars" d="M5 1H17V11H5Z"/>`
  return markup`<span class="key"><svg width="22" height="12" aria-hidden="true">${sample}</svg>${text}</span> `
}
