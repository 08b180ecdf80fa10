import { metric } from '@shaketable/sdk/names'
import type { AlertRule, RulesFile } from '@shaketable/slo'
import { runtimeMetric } from './runtime-metrics.ts'

/** Alerts that belong to no objective: whether services are there, and whether what they tell can be trusted. */
export function healthAlerts(): RulesFile {
  return {
    groups: [
      {
        name: 'shaketable-health',
        rules: [
          alert('ServiceDown', 'page', '1m', 'sum by (job) (up) == 0', {
            summary: 'No instance of {{ $labels.job }} answers',
            description: 'Every instance of {{ $labels.job }} has failed its scrapes for a minute.',
          }),
          alert('InstanceDown', 'ticket', '5m', 'up == 0', {
            summary: '{{ $labels.instance }} of {{ $labels.job }} does not answer',
            description:
              'The instance has failed its scrapes for five minutes: it is gone, hangs, or cannot be reached.',
          }),
          alert('EventLoopBlocked', 'ticket', '5m', `${runtimeMetric.eventLoopLagP99} > 0.25`, {
            summary: 'The event loop of {{ $labels.instance }} ({{ $labels.job }}) is blocked',
            description:
              'Its 99th percentile of delay is {{ $value | humanizeDuration }}; every request waits as long.',
          }),
          alert('TelemetryDropping', 'ticket', '5m', `sum by (job, instance) (rate(${metric.spansDropped}[5m])) > 0`, {
            summary: '{{ $labels.instance }} ({{ $labels.job }}) drops spans',
            description:
              '{{ $value | humanize }} spans a second are lost: traces have holes, metrics and logs are whole.',
          }),
        ],
      },
    ],
  }
}

function alert(
  name: string,
  severity: 'page' | 'ticket',
  after: string,
  expr: string,
  words: { summary: string; description: string },
): AlertRule {
  const links = {
    dashboard: '/d/shaketable-service?var-service={{ $labels.job }}',
    runbook: `dashboards/RUNBOOKS.md#${name.toLowerCase()}`,
  }
  return { alert: name, expr, for: after, labels: { severity }, annotations: { ...words, ...links } }
}
