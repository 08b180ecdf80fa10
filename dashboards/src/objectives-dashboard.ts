import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { burnRateFactor, burnRatePolicies } from '@shaketable/slo'
import { frame, labelVariable } from './frame.ts'
import { graph, number, timeline } from './panels.ts'

const of = '{slo=~"$slo",service=~"$service"}'
const legend = '{{slo}}'
const colours = ['dark-red', 'red', 'orange', 'yellow']
const thirtyDaysMs = 30 * 86_400_000

const burnOver = (window: string) =>
  `slo:sli_error:ratio_rate${window}${of} / on (slo, service) slo:error_budget:ratio${of}`

/** 14.4, 6, 3 and 1: where the alerts of a 30-day objective stand. */
const alertLines = burnRatePolicies.map((policy, index) => ({
  value: burnRateFactor(policy, thirtyDaysMs),
  color: colours[index] ?? 'yellow',
}))

/** The objectives: what is promised, what is left of the budget, how fast it burns, and which alerts fire. */
export function objectivesDashboard(): DashboardBuilder {
  const dashboard = frame(
    'shaketable-objectives',
    'Shaketable / Objectives',
    'What is promised, what is left of the error budget, how fast it burns, and what fires.',
  )
    .withVariable(labelVariable('service', 'Service', 'label_values(slo:objective:ratio, service)', true))
    .withVariable(
      labelVariable('slo', 'Objective', 'label_values(slo:objective:ratio{service=~"$service"}, slo)', true),
    )
  dashboard.withRow(new RowBuilder('Now'))
  for (const panel of now()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Over time'))
  for (const panel of overTime()) dashboard.withPanel(panel)
  return dashboard
}

function now() {
  return [
    number(
      {
        title: 'Objective',
        description: 'The promised share of good events. A change of it is a change of its OpenSLO document.',
        unit: 'percentunit',
        width: 6,
        queries: [{ expr: `slo:objective:ratio${of}`, legend }],
      },
      'blue',
      [],
    ),
    number(
      {
        title: 'Budget left',
        description:
          'The share of the period’s error budget that is left. Under zero: stop risky releases and mend first.',
        unit: 'percentunit',
        width: 6,
        queries: [{ expr: `slo:period_error_budget_remaining:ratio${of}`, legend }],
      },
      'red',
      [
        { value: 0.0001, color: 'orange' },
        { value: 0.25, color: 'green' },
      ],
    ),
    number(
      {
        title: 'Burn rate of the last 5 minutes',
        description: 'At 1 the budget lasts exactly its period. Over 14.4 with a page: follow the alert’s runbook.',
        unit: 'none',
        width: 6,
        queries: [{ expr: `slo:current_burn_rate:ratio${of}`, legend }],
      },
      'green',
      [...alertLines],
    ),
    number(
      {
        title: 'Time until the budget is spent',
        description:
          'At the burn rate of the last hour. Under a day: somebody has to look today, whether or not it pages. Nothing new ' +
          'spoils an objective of which no budget is spent.',
        unit: 's',
        width: 6,
        emptyWhile: 'no event was bad in the last hour',
        queries: [
          {
            expr:
              `clamp_min(slo:period_error_budget_remaining:ratio${of}, 0) ` +
              `* on (slo, service) slo:time_period:days${of} * 86400 / on (slo, service) (${burnOver('1h')} > 0)`,
            legend,
          },
        ],
      },
      'red',
      [
        { value: 86_400, color: 'orange' },
        { value: 7 * 86_400, color: 'green' },
      ],
    ),
  ]
}

function overTime() {
  return [
    graph(
      {
        title: 'Burn rate',
        description:
          'How many times too fast the budget is spent. Dashed at 14.4, 6 (page), 3 and 1 (ticket), the thresholds of a ' +
          '30-day objective: an alert needs its short and its long window over the line.',
        unit: 'none',
        width: 24,
        queries: ['5m', '1h', '6h', '3d'].map(window => ({ expr: burnOver(window), legend: `{{slo}} ${window}` })),
      },
      alertLines,
    ),
    graph({
      title: 'Budget left over time',
      description: 'A cliff is an incident, a slope a chronic fault: both start with the error ratio at that time.',
      unit: 'percentunit',
      width: 12,
      belowZero: true,
      queries: [{ expr: `slo:period_error_budget_remaining:ratio${of}`, legend }],
    }),
    timeline({
      title: 'Alerts',
      description: 'When which alert fired. Each has a section in RUNBOOKS.md.',
      unit: 'none',
      width: 12,
      emptyWhile: 'nothing fires',
      queries: [
        {
          expr: `max by (alertname, severity, slo, window) (ALERTS{alertstate="firing",slo=~"$slo",service=~"$service"})`,
          legend: '{{severity}} {{slo}} {{alertname}} {{window}}',
        },
      ],
    }),
    graph({
      title: 'Error ratio',
      description: 'The share of bad events over 5 minutes. Open the service’s dashboard to see routes and callees.',
      unit: 'percentunit',
      width: 12,
      queries: [{ expr: `slo:sli_error:ratio_rate5m${of}`, legend }],
    }),
    graph({
      title: 'Events',
      description: 'Events a second, and the bad ones. None at all is no success: see ObjectiveWithoutTraffic.',
      unit: 'cps',
      width: 12,
      queries: [
        { expr: `slo:sli_total:rate5m${of}`, legend: '{{slo}} all' },
        { expr: `slo:sli_bad:rate5m${of}`, legend: '{{slo}} bad' },
      ],
    }),
  ]
}
