import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { label } from '@shaketable/sdk/names'
import { spanLabel, spanMetric } from './collector-metrics.ts'
import { environmentVariable, frame, labelVariable, sourceVariable } from './frame.ts'
import { graph } from './panels.ts'
import { called, duration, failedLines, failedShare, requestRate } from './red.ts'
import { ofEnvironment, rate } from './scraped.ts'
import { serviceMap } from './signals.ts'
import { table } from './table.ts'

const destination = [label.serverAddress, label.serverPort]
const edge = ['job', ...destination]
const ofCallers = `job=~"$service",${ofEnvironment}`
const legend = `{{job}} to {{${label.serverAddress}}}:{{${label.serverPort}}}`

/** Who calls whom, and which edge is bad: by the callers' metrics, and by their spans. */
export function dependenciesDashboard(): DashboardBuilder {
  const dashboard = frame(
    'shaketable-dependencies',
    'Shaketable / Dependencies',
    'Who calls whom, and which edge fails or is slow: by the callers’ metrics, and by their spans.',
  )
    .withVariable(sourceVariable('traces', 'Traces', 'tempo'))
    .withVariable(environmentVariable())
    .withVariable(labelVariable('service', 'Caller', `label_values(${called}_count{${ofEnvironment}}, job)`, true))
  dashboard.withRow(new RowBuilder('By the callers’ metrics'))
  for (const panel of byMetrics()) dashboard.withPanel(panel)
  dashboard.withRow(new RowBuilder('By traces'))
  for (const panel of byTraces()) dashboard.withPanel(panel)
  return dashboard
}

function byMetrics() {
  const by = edge.join(', ')
  return [
    table({
      title: 'Edges',
      description:
        'Each caller’s calls to each destination, as the caller saw them. The worst edge whose destination has no bad edges ' +
        'of its own is where trouble begins; click its caller.',
      width: 24,
      rows: { job: 'Caller', [label.serverAddress]: 'Destination', [label.serverPort]: 'Port' },
      opens: 'shaketable-service',
      columns: [
        { title: 'Calls', expr: requestRate(called, by, ofCallers), unit: 'reqps' },
        { title: 'Failed', expr: failedShare(called, by, ofCallers), unit: 'percentunit', colours: failedLines },
        { title: 'p50', expr: duration(0.5, called, edge, ofCallers), unit: 's' },
        { title: 'p99', expr: duration(0.99, called, edge, ofCallers), unit: 's' },
      ],
    }),
    graph({
      title: 'Calls by edge',
      description: 'Calls a second. An edge that rises while its caller serves no more is a retry storm.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: requestRate(called, by, ofCallers), legend }],
    }),
    graph(
      {
        title: 'Failed calls by edge',
        description: 'The share answered with 5xx or not at all. Of several, begin with the innermost.',
        unit: 'percentunit',
        width: 8,
        queries: [{ expr: failedShare(called, by, ofCallers), legend }],
      },
      failedLines,
    ),
    graph({
      title: '99th percentile by edge',
      description:
        'Seconds, as the caller waited. A flat line at a round number is a time limit that strikes: open that destination’s dashboard.',
      unit: 's',
      width: 8,
      queries: [{ expr: duration(0.99, called, edge, ofCallers), legend, exemplars: true }],
    }),
  ]
}

function byTraces() {
  const { service, kind, status } = spanLabel
  const ofSpans = `${service}=~"$service",${kind}="SPAN_KIND_CLIENT"`
  const groups = [service, ...destination].join(', ')
  const calls = (matchers: string) => `sum by (${groups}) (rate(${spanMetric.calls}{${matchers}}${rate}))`
  const failed = `(${calls(`${ofSpans},${status}="STATUS_CODE_ERROR"`)} or 0 * ${calls(ofSpans)})`
  const slow = `histogram_quantile(0.99, sum by (le, ${groups}) (rate(${spanMetric.duration}_bucket{${ofSpans}}${rate})))`
  return [
    table({
      title: 'Edges by spans',
      description:
        'The same from every span, before traces are sampled; databases and queues too. An edge that is only here is no HTTP; ' +
        'one that is only above is not traced.',
      width: 12,
      emptyWhile: 'no gateway collector makes metrics of spans',
      rows: { [service]: 'Caller', [label.serverAddress]: 'Destination', [label.serverPort]: 'Port' },
      opens: 'shaketable-service',
      columns: [
        { title: 'Calls', expr: calls(ofSpans), unit: 'cps' },
        { title: 'Failed', expr: `${failed} / (${calls(ofSpans)} > 0)`, unit: 'percentunit', colours: failedLines },
        { title: 'p99', expr: slow, unit: 's' },
      ],
    }),
    serviceMap({
      title: 'Service graph',
      description: 'Circles are services, red their share of errors. Begin with the innermost red one.',
      width: 12,
      emptyWhile: 'nothing writes traces_service_graph_* for the data source of traces',
    }),
  ]
}
