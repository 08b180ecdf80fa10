import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { label, metric, runnerLabel, runnerMetric } from '@shaketable/sdk/names'
import { environmentVariable, frame, labelVariable } from './frame.ts'
import { graph, timeline } from './panels.ts'
import { ofEnvironment, rate } from './scraped.ts'
import { table } from './table.ts'

const { experiment, fault, kind, objective, journey, outcome, phase, service, verdict } = runnerLabel
const of = `{${experiment}=~"$experiment"}`
const emptyWhile = 'no runner was scraped in an experiment (`shaketable run --metrics 9465`)'
const second = '[$__range:1s]'

/** Experiments: what was armed when, what it did, what was noticed and how fast, and the verdict. */
export function chaosDashboard(): DashboardBuilder {
  const dashboard = frame(
    'shaketable-chaos',
    'Shaketable / Chaos',
    'Experiments: what was armed when, what it did, what was noticed and how fast, and the verdict.',
  )
    .withVariable(environmentVariable())
    .withVariable(labelVariable('experiment', 'Experiment', `label_values(${runnerMetric.phase}, ${experiment})`, true))
  dashboard.withRow(new RowBuilder('Experiments'))
  for (const panel of experiments()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('What the faults did'))
  for (const panel of effects()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('What was noticed'))
  for (const panel of noticed()) dashboard.withPanel(panel)
  return dashboard
}

function experiments() {
  return [
    timeline(
      {
        title: 'Phases',
        description:
          'When each experiment was in which phase. One that stays in recovery: the system does not come back by itself.',
        unit: 'none',
        width: 12,
        emptyWhile,
        queries: [
          {
            expr: `max by (${experiment}, ${phase}) (${runnerMetric.phase}${of})`,
            legend: `{{${experiment}}} {{${phase}}}`,
          },
        ],
      },
      'blue',
    ),
    timeline({
      title: 'Armed faults',
      description:
        'When which fault was armed. One that stays after its experiment has ended: `shaketable halt`, then `shaketable sweep`.',
      unit: 'none',
      width: 12,
      emptyWhile,
      queries: [
        {
          expr: `max by (${experiment}, ${fault}, ${kind}, ${service}) (${runnerMetric.faultArmed}${of})`,
          legend: `{{${kind}}} {{${service}}} ({{${experiment}}})`,
        },
      ],
    }),
    table({
      title: 'Verdicts',
      description:
        'What each experiment came to. After fail, open its report; after void, mend the measurement; after inconclusive, ' +
        'make it longer.',
      width: 24,
      emptyWhile: 'no experiment of a scraped runner has ended',
      rows: { [experiment]: 'Experiment', [verdict]: 'Verdict' },
      columns: [
        {
          title: 'Runs',
          expr: `sum by (${experiment}, ${verdict}) (max_over_time(${runnerMetric.verdict}${of}[$__range])) > 0`,
          unit: 'short',
        },
      ],
    }),
  ]
}

function effects() {
  const struck = `job, ${label.faultKind}`
  const load = (matchers: string) =>
    `sum by (${journey}, ${outcome}) (rate(${runnerMetric.loadDuration}_count${matchers}${rate}))`
  return [
    graph({
      title: 'Requests that a fault struck',
      description:
        'A second, as the services counted them. None while a fault is armed: it hits no traffic, and the run will be void.',
      unit: 'reqps',
      width: 8,
      emptyWhile: 'no service was ever struck',
      queries: [
        {
          expr: `sum by (${struck}) (rate(${metric.faultsInjected}{${ofEnvironment}}${rate}))`,
          legend: `{{job}} {{${label.faultKind}}}`,
        },
      ],
    }),
    graph({
      title: 'Answers as the load saw them',
      description:
        'A second, by outcome. `none` means no answer at all: a time limit of the client, or a connection that broke.',
      unit: 'reqps',
      width: 8,
      emptyWhile,
      queries: [{ expr: load(of), legend: `{{${journey}}} {{${outcome}}}` }],
    }),
    graph({
      title: 'Durations as the load saw them',
      description:
        'Seconds from the moment at which the request was due. A median that rises too: the system queues, it does not only fail.',
      unit: 's',
      width: 8,
      emptyWhile,
      queries: [0.5, 0.99].map(quantile => ({
        expr: `histogram_quantile(${quantile}, sum by (le, ${journey}) (rate(${runnerMetric.loadDuration}_bucket${of}${rate})))`,
        legend: `{{${journey}}} p${quantile * 100}`,
      })),
    }),
  ]
}

function noticed() {
  const firstArmed = `min by (${experiment}) (min_over_time(timestamp(${runnerMetric.faultArmed}${of} == 1)${second}))`
  const lastArmed = `max by (${experiment}) (max_over_time(timestamp(${runnerMetric.faultArmed}${of} == 1)${second}))`
  const firing = `timestamp(${runnerMetric.pageFiring}${of} == 1)`
  const by = `${experiment}, ${objective}`
  const since = `- on (${experiment}) group_left`
  return [
    timeline({
      title: 'Pages of the embedded evaluator',
      description:
        'When the objective’s page would fire, judged by the runner itself. One that Prometheus does not show beside it: its ' +
        'rules are not loaded, or older.',
      unit: 'none',
      width: 8,
      emptyWhile,
      queries: [{ expr: `max by (${by}) (${runnerMetric.pageFiring}${of})`, legend: `{{${objective}}}` }],
    }),
    timeline({
      title: 'Alerts of Prometheus',
      description:
        'What fired in reality. An alert that no experiment expects: find out whom it would have woken, and why.',
      unit: 'none',
      width: 8,
      emptyWhile: 'nothing fires',
      queries: [
        {
          expr: 'max by (alertname, severity, slo, job) (ALERTS{alertstate="firing"})',
          legend: '{{severity}} {{alertname}} {{slo}} {{job}}',
        },
      ],
    }),
    table({
      title: 'Detection and recovery',
      description:
        'Seconds from the arming of the first fault to the page, and from the end of the last one to the end of the page. ' +
        'Slow detection of a large fault: a window that is too long, or an objective that does not see what users see.',
      width: 8,
      emptyWhile: 'no page fired in an experiment of a scraped runner',
      rows: { [experiment]: 'Experiment', [objective]: 'Objective' },
      columns: [
        {
          title: 'Detected after',
          expr: `min by (${by}) (min_over_time(${firing}${second})) ${since} ${firstArmed}`,
          unit: 's',
        },
        {
          title: 'Over after',
          expr: `max by (${by}) (max_over_time(${firing}${second})) ${since} ${lastArmed}`,
          unit: 's',
        },
      ],
    }),
  ]
}
