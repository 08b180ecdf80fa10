import { type Markup, markup } from '../markup.ts'
import type { ExperimentReport, SeriesPoint } from '../model.ts'
import { count, duration, percent, plural, times } from '../units.ts'
import { fittingAxis, linearAxis } from './axis.ts'
import type { Frame } from './frame.ts'
import { bars, curve, key, limit, plotFigure } from './plot.ts'

/** Latency, errors, requests and burn rate of one experiment over the same time. */
export function timePlots(experiment: ExperimentReport, frame: Frame, id: string): Markup {
  const { series } = experiment
  if (!series.some(point => point.requests > 0)) {
    return markup`<p class="empty">No request was answered, so there is nothing to plot.</p>`
  }
  return markup`<div class="plots">${latency(frame, series, id)}${errors(frame, series, id)}${requests(frame, series, id)}${burn(experiment, frame, id)}</div>`
}

function latency(frame: Frame, series: SeriesPoint[], id: string): Markup {
  const quantiles = [
    ['p99', (point: SeriesPoint) => point.p99Ms],
    ['p90', (point: SeriesPoint) => point.p90Ms],
    ['p50', (point: SeriesPoint) => point.p50Ms],
  ] as const
  const seen = quantiles.flatMap(([, value]) => series.map(value)).filter(value => value !== null)
  const axis = fittingAxis(seen)
  const worst = greatest(series, point => point.p99Ms ?? 0)
  return plotFigure(frame, series, {
    id: `${id}-latency`,
    title: axis.logarithmic ? 'Latency (log scale)' : 'Latency',
    description: `Median, 90th and 99th percentile of the latency that clients saw. The 99th percentile is greatest at ${moment(worst, frame)}: ${duration(worst.p99Ms)}.`,
    axis,
    label: duration,
    legend: quantiles.map(([name]) => key(name, name)),
    marks: quantiles.toReversed().map(([name, value]) => curve(frame, axis, series, value, name)),
    hover: point => `p99 ${duration(point.p99Ms)}, p90 ${duration(point.p90Ms)}, p50 ${duration(point.p50Ms)}`,
  })
}

const errorRatio = (point: SeriesPoint) => (point.requests === 0 ? null : point.errors / point.requests)

function errors(frame: Frame, series: SeriesPoint[], id: string): Markup {
  const worst = greatest(series, point => errorRatio(point) ?? 0)
  const axis = linearAxis(Math.min(1, Math.max(0.05, errorRatio(worst) ?? 0)))
  const none = worst.errors === 0
  return plotFigure(frame, series, {
    id: `${id}-errors`,
    title: 'Error ratio',
    description: none
      ? 'No request failed.'
      : `Share of requests that failed. It is greatest at ${moment(worst, frame)}: ${percent(errorRatio(worst))}.`,
    axis,
    label: percent,
    legend: none ? 'no request failed' : key('errors', 'requests that failed'),
    marks: curve(frame, axis, series, errorRatio, 'errors', true),
    hover: point => `${percent(errorRatio(point))}, ${count(point.errors)} of ${plural(point.requests, 'request')}`,
  })
}

function requests(frame: Frame, series: SeriesPoint[], id: string): Markup {
  const perSecond = (value: (point: SeriesPoint) => number) => (point: SeriesPoint) =>
    point.widthMs > 0 ? (value(point) / point.widthMs) * 1000 : null
  const all = perSecond(point => point.requests)
  const failed = perSecond(point => point.errors)
  const most = greatest(series, point => all(point) ?? 0)
  const axis = linearAxis(all(most) ?? 0, 2)
  return plotFigure(frame, series, {
    id: `${id}-requests`,
    title: 'Requests a second',
    description: `Requests by the time they were meant to start, at most ${count(all(most) ?? 0)} a second, and how many of them failed.`,
    axis,
    label: count,
    legend: markup`${key('sent', 'all', 'bars')}${key('failed', 'failed', 'bars')}`,
    marks: markup`${bars(frame, axis, series, all, 'sent')}${bars(frame, axis, series, failed, 'failed')}`,
    hover: point => `${count(all(point) ?? 0)} a second, ${count(failed(point) ?? 0)} failed`,
  })
}

function burn(experiment: ExperimentReport, frame: Frame, id: string): Markup | false {
  const { series } = experiment
  const names = [...new Set(series.flatMap(point => Object.keys(point.burn)))]
  if (names.length === 0) return false
  const values = series.flatMap(point => Object.values(point.burn)).filter(Number.isFinite)
  const worst = values.reduce((most, value) => Math.max(most, value), 0)
  const axis = linearAxis(Math.max(2, worst))
  const name = (index: number) => `burn${index % 4}`
  return plotFigure(frame, series, {
    id: `${id}-burn`,
    title: 'Burn rate',
    description: `How fast the error budget of ${names.join(', ')} was spent; at 1× it lasts exactly its window. At most ${times(worst)}.`,
    axis,
    label: value => (value === 0 ? '0' : times(value)),
    legend: [...names.map((objective, index) => key(name(index), objective)), key('limit', '1×, on budget')],
    marks: names.map((objective, index) =>
      curve(frame, axis, series, point => point.burn[objective] ?? null, name(index)),
    ),
    limits: limit(axis, 1),
    hover: point =>
      Object.entries(point.burn)
        .map(([objective, rate]) => `${objective} ${times(rate)}`)
        .join(', '),
  })
}

function greatest(series: SeriesPoint[], value: (point: SeriesPoint) => number): SeriesPoint {
  return series.reduce((best, point) => (value(point) > value(best) ? point : best))
}

function moment(point: SeriesPoint, frame: Frame): string {
  const phase = frame.phases.find(one => point.atMs >= one.startMs && point.atMs < one.endMs)
  return phase ? `${duration(point.atMs)}, in the ${phase.name} phase` : duration(point.atMs)
}
