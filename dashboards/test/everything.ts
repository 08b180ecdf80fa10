import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { prometheusRules } from '@shaketable/slo'
import { dashboards, healthAlerts } from '../src/index.ts'
import { everyPanel } from '../src/mend.ts'

/** A query of a panel, of whatever language: PromQL and LogQL stand in `expr`, TraceQL in `query`. */
export interface Target {
  expr?: string
  query?: string
  queryType?: string
  format?: string
  instant?: boolean
  refId: string
  datasource: { type: 'prometheus' | 'loki' | 'tempo'; uid: string }
}

/** Every panel that asks something, with what it asks. */
export const panels = dashboards().flatMap(dashboard =>
  everyPanel(dashboard.panels ?? []).flatMap(panel =>
    panel.type === 'row' || !('targets' in panel)
      ? []
      : [{ dashboard, panel: panel as Panel, targets: (panel.targets ?? []) as unknown as Target[] }],
  ),
)

/** Of one objective, so that its rules are there to be checked. */
const objective = {
  name: 'checkout-latency',
  title: 'Checkout latency',
  description: undefined,
  service: 'gateway',
  target: 0.99,
  windowMs: 30 * 86_400_000,
  indicator: {
    type: 'shaketable',
    selector: { signal: 'http-server', service: 'gateway', method: 'POST', route: '/checkout' },
    good: { status: { below: 500 }, underSeconds: 0.5 },
  },
  labels: {},
  place: { file: 'objectives.yaml', line: 1, column: 1 },
} as const

export const rules = [prometheusRules([objective]), healthAlerts()].flatMap(file =>
  file.groups.flatMap(group => group.rules),
)

/** Every PromQL query, with what it is called: of panels, annotations and rules. */
export const promql = [
  ...panels.flatMap(({ dashboard, panel, targets }) =>
    targets.flatMap(({ datasource, expr }) =>
      datasource.type === 'prometheus' ? [{ where: `${dashboard.title}: ${panel.title}`, expr: expr ?? '' }] : [],
    ),
  ),
  ...dashboards().flatMap(({ title, annotations }) =>
    (annotations?.list ?? []).map(({ name, expr }) => ({ where: `${title}: ${name}`, expr: expr ?? '' })),
  ),
  ...rules.map(rule => ({ where: 'alert' in rule ? rule.alert : rule.record, expr: rule.expr })),
]

/** The selectors that variables list the values of a label of. */
export const listed = dashboards().flatMap(dashboard =>
  variables(dashboard).flatMap(({ name, type, query }) => {
    const found = /^label_values\((.*), (\w+)\)$/.exec(String(query))
    return type === 'query' ? [{ where: `${dashboard.title}: ${name}`, expr: found![1]!, label: found![2]! }] : []
  }),
)

export function variables(dashboard: Dashboard) {
  return dashboard.templating?.list ?? []
}
