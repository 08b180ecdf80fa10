import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { label, metric, runnerLabel, runnerMetric } from '@shaketable/sdk/names'
import { prometheus } from './panels.ts'
import { rate, scraped } from './scraped.ts'

/** What all our dashboards share: tag, links to one another, refresh, the data source as a variable, the faults as regions. */
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
    .withVariable(sourceVariable('datasource', 'Data source', 'prometheus'))
    .annotation(faultsArmed())
    .annotation(faultsStruck())
}

/** A data source as a variable of the dashboard. */
export function sourceVariable(name: string, words: string, type: string): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder(name).label(words).type(type)
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

/** Where the services run, as the scrape configuration says it. */
export function environmentVariable(): QueryVariableBuilder {
  return labelVariable('environment', 'Environment', `label_values(up, ${scraped.environment})`, true)
}

/** As the runner of experiments tells it, where it is scraped. */
function faultsArmed(): AnnotationQueryBuilder {
  const { experiment, fault, kind, service } = runnerLabel
  return new AnnotationQueryBuilder()
    .name('Faults armed')
    .datasource(prometheus)
    .enable(true)
    .iconColor('red')
    .expr(`max by (${experiment}, ${fault}, ${kind}, ${service}) (${runnerMetric.faultArmed}) > 0`)
    .titleFormat(`{{${experiment}}}`)
    .textFormat(`{{${kind}}} on {{${service}}}`)
    .tagKeys([experiment, kind, service].join(','))
}

/** As the services tell it that were struck. */
function faultsStruck(): AnnotationQueryBuilder {
  const by = `${scraped.service}, ${label.faultId}, ${label.faultKind}`
  return new AnnotationQueryBuilder()
    .name('Faults that struck')
    .datasource(prometheus)
    .enable(true)
    .iconColor('orange')
    .expr(`sum by (${by}) (increase(${metric.faultsInjected}${rate})) > 0`)
    .titleFormat(`{{${label.faultId}}}`)
    .textFormat(`{{${label.faultKind}}} in {{${scraped.service}}}`)
    .tagKeys([label.faultKind, scraped.service].join(','))
}
