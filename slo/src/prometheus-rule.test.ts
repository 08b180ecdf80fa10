import { expect, test } from 'vitest'
import { objectiveOf } from '../test/objective-of.ts'
import { prometheusRuleResources } from './prometheus-rule.ts'
import { prometheusRules } from './rules.ts'

test('each objective is a PrometheusRule resource, and together they hold the rules of the file', () => {
  const objectives = [objectiveOf(), objectiveOf({ name: 'availability' })]
  const resources = prometheusRuleResources(objectives, { labels: { role: 'alert-rules' } })
  expect(resources.map(({ spec: _, ...head }) => head)).toEqual(
    ['slo-checkout-latency', 'slo-availability'].map(name => ({
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name, labels: { role: 'alert-rules' } },
    })),
  )
  expect(resources.flatMap(({ spec }) => spec.groups)).toEqual(prometheusRules(objectives).groups)
})

test('two objectives of one name are refused', () => {
  expect(() => prometheusRuleResources([objectiveOf(), objectiveOf()])).toThrow('Two objectives are named')
})
