import { type Markup, type MarkupValue, markup } from '../markup.ts'
import type { ExperimentReport, FaultReport, ObjectiveReport } from '../model.ts'
import { recoveredText } from '../recovered.ts'
import { count, duration, nothing, percent, plural } from '../units.ts'
import { frameOf } from './frame.ts'
import { lanesFigure } from './lanes.ts'
import { timePlots } from './plots.ts'
import { table } from './table.ts'
import { tracesSection } from './traces.ts'
import { verdictBadge } from './verdict-badge.ts'
import { whiskers } from './whiskers.ts'

/** Everything about one experiment, the answer first. `id` is unique on the page. */
export function experimentSection(experiment: ExperimentReport, id: string): Markup {
  const frame = frameOf(experiment)
  return markup`<section class="experiment" id="${id}" aria-labelledby="${id}-h">
<div class="name"><h2 id="${id}-h">${experiment.title || experiment.name}</h2>${verdictBadge(experiment.verdict)}</div>
<p class="facts"><code>${experiment.name}</code> from <code>${experiment.file}</code>, seed ${experiment.seed}</p>
${experiment.reasons.length > 0 && markup`<ul class="reasons ${experiment.verdict}">${experiment.reasons.map(reason => markup`<li>${reason}</li>`)}</ul>`}
${experiment.notes.map(note => markup`<p class="note">${note[0]?.toUpperCase()}${note.slice(1)}.</p>`)}
${experiment.discarded.map(reasons => markup`<p class="facts">Measured again: ${reasons.join('; ')}.</p>`)}
${numbers(experiment)}
${lanesFigure(experiment, frame, id)}
${timePlots(experiment, frame, id)}
${objectives(experiment.objectives)}
${experiment.expectations.length > 0 && expectations(experiment)}
${experiment.faults.length > 0 && faults(experiment.faults)}
${experiment.traces && tracesSection(experiment.traces)}
${load(experiment)}
${experiment.phaseLoads.length > 0 && phaseLoads(experiment)}
${timeline(experiment)}
</section>
`
}

function numbers(experiment: ExperimentReport): Markup {
  const { timeToFirstErrorMs: error, timeToDetectMs: detect, timeToRecoverMs: recover, load } = experiment
  const { timeToDetectPredictedMs: predicted } = experiment
  const requests = experiment.series.reduce((sum, point) => sum + point.requests, 0)
  const failed = experiment.series.reduce((sum, point) => sum + point.errors, 0)
  const p99 = load.length > 0 ? Math.max(...load.map(one => one.latencyMs.p99)) : Number.NaN
  const spent = experiment.objectives.map(objective => objective.budgetSpent).filter(Number.isFinite)
  const budget = spent.length > 0 ? Math.max(...spent) : Number.NaN
  const budgetText = spent.length > 1 ? 'by the worst objective' : 'of its whole window'
  const tiles: [name: string, value: string, small: string][] = [
    [
      'First error',
      error === null ? 'none' : duration(error),
      error === null ? 'within the run' : 'after the fault began',
    ],
    [
      'Detected',
      detect === null ? 'no alert' : duration(detect),
      `${detect === null ? 'nothing fired' : 'after the fault began'}${predicted === null ? '' : `; by the formula ${duration(predicted)}`}`,
    ],
    ['Recovered', recoveredText(experiment), recover === null ? 'not within the run' : 'after the fault ended'],
    ['Requests', count(requests), failed === 0 ? 'none failed' : `${count(failed)} failed`],
    ['p99 latency', duration(p99), 'over the whole run'],
    ['Budget spent', percent(budget), budgetText],
  ]
  return markup`<dl class="numbers">${tiles.map(([name, value, small]) => markup`<div><dt>${name}</dt><dd>${value} <span class="small">${small}</span></dd></div>`)}</dl>`
}

function objectives(rows: ObjectiveReport[]): Markup {
  return titled(
    'Objectives',
    table(
      'Good requests over fault and recovery, with the 95% interval as a whisker against the target',
      [
        {
          head: 'Objective',
          cell: row => markup`${row.title || row.name}<span class="under">${row.name}, ${row.service}</span>`,
        },
        { head: 'Against the target', cell: whiskers, name: 'whisker' },
        {
          head: 'Ratio',
          number: true,
          cell: row =>
            markup`<span>${row.total === 0 ? nothing : percent(row.ratio)}${under(`${percent(row.interval[0])} to ${percent(row.interval[1])}`)}</span>`,
        },
        {
          head: 'Good of total',
          number: true,
          cell: row =>
            markup`<span>${count(row.good)} of ${count(row.total)}${row.counters && under(`services: ${count(row.counters.good)} of ${count(row.counters.total)}`)}</span>`,
        },
        {
          head: 'Target',
          number: true,
          cell: row =>
            markup`<span>${percent(row.target)}${row.target !== row.objectiveTarget && under(`its own: ${percent(row.objectiveTarget)}`)}</span>`,
        },
        {
          head: 'Budget spent',
          number: true,
          cell: row => percent(row.budgetSpent),
        },
        {
          head: 'Verdict',
          cell: row => (row.judged ? verdictBadge(row.verdict) : markup`<span class="muted">observed</span>`),
        },
      ],
      rows,
    ),
  )
}

function expectations(experiment: ExperimentReport): Markup {
  return titled(
    'Expectations',
    table(
      'What else had to be so, and what was seen',
      [
        { head: 'Expectation', cell: row => row.name },
        {
          head: 'Seen',
          cell: row =>
            markup`<span>${row.detail}${row.names.length > 0 && under(`look at ${row.names.join(', ')}`)}</span>`,
        },
        { head: 'Verdict', cell: row => verdictBadge(row.verdict) },
      ],
      experiment.expectations,
    ),
  )
}

function faults(rows: FaultReport[]): Markup {
  return titled(
    'Faults',
    table(
      'What was injected, where, and how often it struck',
      [
        { head: 'Fault', cell: row => markup`${row.description}<span class="under">${row.id}</span>` },
        { head: 'Instances', cell: row => markup`<span>${row.instances.join(', ') || nothing}</span>` },
        { head: 'Armed', number: true, cell: row => (row.armedMs === null ? 'never' : duration(row.armedMs)) },
        { head: 'Undone', number: true, cell: row => (row.undoneMs === null ? 'not' : duration(row.undoneMs)) },
        { head: 'Struck', number: true, cell: row => `${count(row.hit)} of ${count(row.seen)}` },
      ],
      rows,
    ),
  )
}

function load(experiment: ExperimentReport): Markup {
  return titled(
    'Load',
    table(
      'Open loop: requests start when planned, whatever the system does; latency counts from the planned start',
      [
        { head: 'Journey', cell: row => row.journey },
        { head: 'Rate', number: true, cell: row => `${row.ratePerSecond}/s` },
        { head: 'Started', number: true, cell: row => `${count(row.started)} of ${count(row.planned)}` },
        { head: 'Failed', number: true, cell: row => count(row.failed) },
        { head: 'p50', number: true, cell: row => duration(row.latencyMs.p50) },
        { head: 'p90', number: true, cell: row => duration(row.latencyMs.p90) },
        { head: 'p99', number: true, cell: row => duration(row.latencyMs.p99) },
        { head: 'Greatest', number: true, cell: row => duration(row.latencyMs.max) },
        { head: 'Generator late', number: true, cell: row => `${duration(row.latenessP99Ms)} at p99` },
      ],
      experiment.load,
    ),
  )
}

function phaseLoads({ phaseLoads: rows, effects }: ExperimentReport): Markup {
  const withInterval = (of: ExperimentReport['phaseLoads'][number]['p50']) =>
    of === null
      ? nothing
      : markup`<span>${duration(of.ms)}${under(`${duration(of.interval[0])} to ${of.interval[1] === null ? 'more' : duration(of.interval[1])}`)}</span>`
  const said = effects.map(({ journey, p50Ms, p50Interval, slower, failedRatio }) => {
    const [low, high] = p50Interval.map(end => (end === null ? 'an open end' : signed(end)))
    const often =
      slower === null
        ? ''
        : `; a request of the fault phase took longer than one of the baseline in ${percent(slower)} of all pairs`
    return markup`<p class="facts">${journey}: with the fault the median changed by ${signed(p50Ms)} (${low} to ${high}), failed requests by ${percent(failedRatio)}${often}.</p>`
  })
  return titled(
    'Phase by phase',
    markup`${table(
      'Latencies with their 95% intervals, by order statistics widened for clusters',
      [
        { head: 'Phase', cell: row => markup`${row.phase}<span class="under">${row.journey}</span>` },
        { head: 'Requests', number: true, cell: row => count(row.requests) },
        {
          head: 'Failed',
          number: true,
          cell: row =>
            markup`<span>${percent(row.failedRatio)}${under(`${percent(row.failedInterval[0])} to ${percent(row.failedInterval[1])}`)}</span>`,
        },
        { head: 'p50', number: true, cell: row => withInterval(row.p50) },
        { head: 'p90', number: true, cell: row => withInterval(row.p90) },
        { head: 'p99', number: true, cell: row => withInterval(row.p99) },
      ],
      rows,
    )}${said}`,
  )
}

const signed = (ms: number): string => (ms < 0 ? `−${duration(-ms)}` : `+${duration(ms)}`)

function timeline(experiment: ExperimentReport): Markup {
  const rows = experiment.timeline
  return markup`<details class="timeline"${rows.length <= 16 && markup` open`}><summary>Timeline, ${plural(rows.length, 'event')}</summary>${table(
    'From the start of the experiment',
    [
      { head: 'At', cell: row => duration(row.atMs), name: 'moment' },
      { head: 'About', cell: row => row.subject, name: 'about' },
      { head: 'What', cell: row => row.text },
      { head: 'Kind', cell: row => row.kind, name: 'kind' },
    ],
    rows,
  )}</details>`
}

function titled(title: string, content: MarkupValue): Markup {
  return markup`<h3>${title}</h3>${content}`
}

function under(text: string): Markup {
  return markup`<span class="under">${text}</span>`
}
