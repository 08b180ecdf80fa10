import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { prometheus } from './panels.ts'

/** What all our dashboards share: tag, links to one another, refresh, and the data source as a variable. */
export function frame(uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['shaketable'])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('Shaketable')
        .type(DashboardLinkType.Dashboards)
        .tags(['shaketable'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
}

/** A variable whose values are those of a label, read again when the time range changes. */
export function labelVariable(name: string, words: string, query: string, all: boolean): QueryVariableBuilder {
  const variable = new QueryVariableBuilder(name)
    .label(words)
    .query(query)
    .datasource(prometheus)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
  return all ? variable.multi(true).includeAll(true).allValue('.*') : variable
}
