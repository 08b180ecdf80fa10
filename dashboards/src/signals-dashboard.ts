import { type DashboardBuilder, RowBuilder, TextBoxVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { logMember, metric } from '@shaketable/sdk/names'
import { collectorLabel, collectorLosses, collectorMetric, spanLabel, spanMetric } from './collector-metrics.ts'
import { environmentVariable, frame, labelVariable, sourceVariable } from './frame.ts'
import { graph } from './panels.ts'
import { served } from './red.ts'
import { ofEnvironment, ofService, rate } from './scraped.ts'
import { logGraph, logLines, traces } from './signals.ts'

const lines = '{service_name="$service"}'
const spans = 'resource.service.name = "$service"'

/** The logs and traces of one service, and whether what it tells arrives. */
export function signalsDashboard(): DashboardBuilder {
  const dashboard = frame(
    'shaketable-signals',
    'Shaketable / Logs and traces',
    'The logs and traces of one service, and whether all that it tells arrives.',
  )
    .withVariable(sourceVariable('logs', 'Logs', 'loki'))
    .withVariable(sourceVariable('traces', 'Traces', 'tempo'))
    .withVariable(environmentVariable())
    .withVariable(labelVariable('service', 'Service', `label_values(${served}_count{${ofEnvironment}}, job)`, false))
    .withVariable(new TextBoxVariableBuilder('slow').label('Slow from').defaultValue('500ms'))
    .withVariable(new TextBoxVariableBuilder('trace').label('Trace id').defaultValue(''))
  dashboard.withRow(new RowBuilder('Logs'))
  for (const panel of logs()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Traces'))
  for (const panel of traced()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('Does it arrive'))
  for (const panel of arrival()) dashboard.withPanel(panel)
  return dashboard
}

function logs() {
  return [
    logGraph({
      title: 'Lines by severity',
      description:
        'Lines a second. A burst of errors begins before users notice: read the first of them, not the last.',
      width: 8,
      logql: `sum by (detected_level) (rate(${lines}[$__auto]))`,
      legend: '{{detected_level}}',
    }),
    logLines({
      title: 'Errors',
      description: 'Lines of error and fatal. Open one: its trace id leads to the request that it belongs to.',
      width: 16,
      emptyWhile: 'the service logs no errors',
      logql: `${lines} | detected_level=~"error|fatal|critical"`,
    }),
    logLines({
      title: 'Lines of one trace',
      description:
        'What every service logged for the trace id in the variable above. None: the trace’s services log nothing.',
      width: 24,
      emptyWhile: 'no trace id is entered',
      logql: `{service_name=~".+"} | ${logMember.traceId}="$trace"`,
    }),
  ]
}

function traced() {
  return [
    traces({
      title: 'Traces with errors',
      description:
        'The newest ones that passed through the service. In a trace, the deepest span with an error is to blame.',
      width: 12,
      emptyWhile: 'no request fails',
      traceql: `{ ${spans} && status = error }`,
    }),
    traces({
      title: 'Slow traces',
      description:
        'Those with a span of this service that took longer than the variable says. The longest child is to blame.',
      width: 12,
      emptyWhile: 'no request is slow',
      traceql: `{ ${spans} && duration > $slow }`,
    }),
    graph({
      title: 'Spans by operation',
      description:
        'Spans a second, before traces are sampled. Names with ids in them make as many series as there are ids: name spans ' +
        'after routes.',
      unit: 'cps',
      width: 24,
      emptyWhile: 'no gateway collector makes metrics of spans',
      queries: [
        {
          expr: `topk(20, sum by (${spanLabel.span}, ${spanLabel.kind}) (rate(${spanMetric.calls}{${spanLabel.service}="$service"}${rate})))`,
          legend: `{{${spanLabel.span}}} {{${spanLabel.kind}}}`,
        },
      ],
    }),
  ]
}

function arrival() {
  const { exporter, receiver } = collectorLabel
  const emptyWhile = 'no collector is scraped'
  return [
    graph({
      title: 'Spans made, sent and dropped by the service',
      description:
        'Spans a second. Dropped ones: the bounded queue was full. Is the collector there, and does it refuse? See the panels below.',
      unit: 'cps',
      width: 12,
      queries: (['spansMade', 'spansSent', 'spansDropped'] as const).map(name => ({
        expr: `sum (rate(${metric[name]}{${ofService}}${rate}))`,
        legend: name.slice('spans'.length).toLowerCase(),
      })),
    }),
    graph({
      title: 'Failed pushes of the service’s metrics',
      description:
        'Pushes a second. While they fail the store keeps an old state. Does it answer others? Then this service has a wrong endpoint.',
      unit: 'cps',
      width: 12,
      queries: [
        {
          // Of a service that is only scraped there is no such counter.
          expr: `sum (rate(${metric.metricExportsFailed}{${ofService}}${rate})) or 0 * sum (rate(${metric.spansMade}{${ofService}}${rate}))`,
          legend: 'failed',
        },
      ],
    }),
    graph({
      title: 'Spans accepted and refused by the collector',
      description: 'Spans a second. Refused ones: its memory limit or its queue is reached; see what is behind it.',
      unit: 'cps',
      width: 8,
      emptyWhile,
      queries: (['accepted', 'refused'] as const).map(name => ({
        expr: `sum by (${receiver}) (rate(${collectorMetric[name]}${rate}))`,
        legend: `${name} {{${receiver}}}`,
      })),
    }),
    graph(
      {
        title: 'The collector’s queues, as a share of their size',
        description: 'What waits for what is behind it. One that only grows: that store is away, or too slow.',
        unit: 'percentunit',
        width: 8,
        emptyWhile,
        queries: [
          {
            expr: `max by (${exporter}) (${collectorMetric.queueSize} / ${collectorMetric.queueCapacity})`,
            legend: `{{${exporter}}}`,
          },
        ],
      },
      [{ value: 0.8, color: 'red' }],
    ),
    graph({
      title: 'What the collector loses',
      description:
        'Spans, points and log records a second. Its log names the exporter and the answer: a full queue, or a refusal that stays.',
      unit: 'cps',
      width: 8,
      emptyWhile,
      queries: collectorLosses.map(name => ({
        // There is no counter of what has never been lost.
        expr: `sum (rate(${name}${rate})) or 0 * sum (rate(${collectorMetric.accepted}${rate}))`,
        legend: name.replace('otelcol_exporter_', '').replaceAll('_', ' '),
      })),
    }),
  ]
}
