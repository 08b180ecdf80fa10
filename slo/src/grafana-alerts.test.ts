import { expect, test } from 'vitest'
import { objectiveOf } from '../test/objective-of.ts'
import { grafanaAlerts } from './grafana-alerts.ts'
import { prometheusRules } from './rules.ts'
import { toYaml } from './to-yaml.ts'

test('every alert becomes a rule of its own in Grafana, and no recording rule does', () => {
  const file = prometheusRules([objectiveOf(), objectiveOf({ name: 'other' })])
  const { groups } = grafanaAlerts(file, { datasource: 'mimir' })
  expect(groups.map(({ name, rules }) => [name, rules.length])).toEqual([
    ['slo-alerts-checkout-latency', 5],
    ['slo-alerts-other', 5],
  ])
  const rules = groups.flatMap(group => group.rules)
  expect(new Set(rules.map(({ uid }) => uid)).size).toBe(10)
  const [page] = rules
  const alert = file.groups[2]!.rules[0]!
  expect(page).toMatchObject({
    title: 'ErrorBudgetBurn checkout-latency 5m/1h',
    labels: { severity: 'page', slo: 'checkout-latency' },
    for: '0s',
    noDataState: 'OK',
    data: [{ datasourceUid: 'mimir', model: { expr: alert.expr, instant: true } }, { datasourceUid: '__expr__' }],
  })
  expect(page!.annotations.description).toContain('{{ .Values.A.Value | humanizePercentage }} of the events')
})

test('nothing in it has a dollar sign, which Grafana would replace', () => {
  expect(toYaml(grafanaAlerts(prometheusRules([objectiveOf()])))).not.toContain('$')
})
