import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as LogsBuilder } from '@grafana/grafana-foundation-sdk/logs'
import { DataqueryBuilder as LokiQueryBuilder } from '@grafana/grafana-foundation-sdk/loki'
import { PanelBuilder as NodeGraphBuilder } from '@grafana/grafana-foundation-sdk/nodegraph'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { SearchTableType, DataqueryBuilder as TempoQueryBuilder } from '@grafana/grafana-foundation-sdk/tempo'
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { described, type PanelWords, variable } from './panels.ts'

/** The data sources of logs and of traces: variables of the dashboards that have such panels. */
export const loki = { type: 'loki', uid: variable('logs') }
export const tempo = { type: 'tempo', uid: variable('traces') }

type Words = Omit<PanelWords, 'queries' | 'unit'>

/** Lines of log, the newest first. */
export function logLines(words: Words & { logql: string }): Builder<Panel> {
  const panel = new LogsBuilder().showTime(true).wrapLogMessage(true).enableLogDetails(true)
  panel.withTarget(new LokiQueryBuilder().expr(words.logql).queryType('range').maxLines(200).datasource(loki))
  return described(panel, { ...words, unit: 'none' }, 10, loki)
}

/** A count of lines over time. */
export function logGraph(words: Words & { logql: string; legend: string }): Builder<Panel> {
  const panel = new TimeSeriesBuilder().fillOpacity(8).min(0)
  panel.withTarget(
    new LokiQueryBuilder().expr(words.logql).legendFormat(words.legend).queryType('range').datasource(loki),
  )
  return described(panel, { ...words, unit: 'cps' }, 8, loki)
}

/** A table of traces, each a link to its own page. */
export function traces(words: Words & { traceql: string }): Builder<Panel> {
  const query = new TempoQueryBuilder().query(words.traceql).queryType('traceql').limit(20)
  const panel = new TableBuilder().withTarget(query.tableType(SearchTableType.Traces).datasource(tempo))
  return described(panel, { ...words, unit: 'none' }, 10, tempo)
}

/** Who calls whom, as the data source of traces draws it. */
export function serviceMap(words: Words): Builder<Panel> {
  const panel = new NodeGraphBuilder()
  panel.withTarget(new TempoQueryBuilder().queryType('serviceMap').datasource(tempo))
  return described(panel, { ...words, unit: 'none' }, 12, tempo)
}
