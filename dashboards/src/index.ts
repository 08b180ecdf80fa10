import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { toYaml } from '@shaketable/slo'
import { healthAlerts } from './alert-rules.ts'
import { chaosDashboard } from './chaos-dashboard.ts'
import { dependenciesDashboard } from './dependencies-dashboard.ts'
import { mend } from './mend.ts'
import { objectivesDashboard } from './objectives-dashboard.ts'
import { overviewDashboard } from './overview-dashboard.ts'
import { runtimeDashboard } from './runtime-dashboard.ts'
import { serviceDashboard } from './service-dashboard.ts'
import { signalsDashboard } from './signals-dashboard.ts'

export { healthAlerts } from './alert-rules.ts'

/** All dashboards as Grafana reads them (schema 42), in a stable order. */
export function dashboards(): Dashboard[] {
  return [
    overviewDashboard(),
    serviceDashboard(),
    objectivesDashboard(),
    dependenciesDashboard(),
    runtimeDashboard(),
    signalsDashboard(),
    chaosDashboard(),
  ].map(builder => mend(builder.build()))
}

/** Every generated file by its name: a JSON file for each dashboard, and the alert rules for Prometheus. */
export function generatedFiles(): Record<string, string> {
  const files = dashboards().map(dashboard => [`${dashboard.uid}.json`, `${JSON.stringify(dashboard, null, 2)}\n`])
  return Object.fromEntries([...files, ['alerts.yaml', toYaml(healthAlerts())]])
}
