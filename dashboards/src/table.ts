import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { DynamicConfigValue, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { described, type PanelWords, prometheus, type Step, steps, variable } from './panels.ts'

/** One query's newest values, as a column. */
export interface Column {
  title: string
  expr: string
  unit: string
  /** Colours the cell's ground from these values on. */
  colours?: Step[]
}

export interface TableWords extends Omit<PanelWords, 'queries' | 'unit'> {
  /** The labels that name a row, with what stands over them. The columns' queries are grouped by all of them. */
  rows: Record<string, string>
  columns: Column[]
  /** Makes the first label of each row a link to this dashboard, whose variable `service` it becomes. */
  opens?: string
}

/** A row for each combination of labels, with the newest value of each query. */
export function table({ rows, columns, opens, ...words }: TableWords): Builder<Panel> {
  const panel = described(new TableBuilder(), { ...words, unit: 'none' }, 8)
  for (const { expr } of columns)
    panel.withTarget(
      new DataqueryBuilder().expr(expr).instant().format(PromQueryFormat.Table).datasource(prometheus).legendFormat(''),
    )
  // Grafana calls the values after the query's letter, but where there is only one.
  const letter = (index: number) => (columns.length === 1 ? 'Value' : `Value #${String.fromCharCode(65 + index)}`)
  const titles = columns.map(({ title }, index) => [letter(index), title])
  panel.withTransformation({ id: 'merge', options: {} }).withTransformation({
    id: 'organize',
    options: { excludeByName: { Time: true }, renameByName: { ...rows, ...Object.fromEntries(titles) } },
  })
  for (const { title, unit, colours } of columns) panel.overrideByName(title, columnLooks(unit, colours))
  if (opens) panel.overrideByName(Object.values(rows)[0] ?? '', [{ id: 'links', value: [linkTo(opens)] }])
  return panel
}

function columnLooks(unit: string, colours: Step[] | undefined): DynamicConfigValue[] {
  const looks: DynamicConfigValue[] = [{ id: 'unit', value: unit }]
  if (colours === undefined) return looks
  return [
    ...looks,
    { id: 'thresholds', value: steps('transparent', colours).build() },
    { id: 'custom.cellOptions', value: { type: 'color-background' } },
  ]
}

/** Keeps the time, the data source and the environment. */
function linkTo(uid: string) {
  const kept = ['datasource:queryparam', 'environment:queryparam', '__url_time_range'].map(variable)
  return { title: 'Open', url: `/d/${uid}?var-service=${variable('__value.raw')}&${kept.join('&')}` }
}
