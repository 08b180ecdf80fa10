import { expect, test } from 'vitest'
import { objectiveOf } from '../test/objective-of.ts'
import { parsePolicy } from './burn-rate.ts'
import { formatProblem, InvalidInput } from './error.ts'
import { explain } from './explain.ts'
import { readObjectives } from './openslo.ts'
import { trafficWarnings } from './traffic.ts'
import { writeOpenSlo } from './write-openslo.ts'

const told = (annotation: string) => `apiVersion: openslo/v1
kind: SLO
metadata:
  name: refunds
  annotations: { team: money, ${annotation} }
spec:
  service: payments
  budgetingMethod: Occurrences
  timeWindow: [{ duration: 30d, isRolling: true }]
  objectives: [{ target: 0.999 }]
  indicator:
    metadata: { name: refunds }
    spec:
      ratioMetric:
        total: { metricSource: { type: shaketable, spec: { signal: http-server, service: payments, route: /refunds } } }
        good: { metricSource: { spec: { status: "<500" } } }
`
const read = (annotation: string) => readObjectives(told(annotation), 'refunds.yaml')
const quiet = read('shaketable.dev/traffic: 6/h')

test('too little traffic is warned of where the document tells it', () => {
  expect(trafficWarnings(quiet).map(formatProblem)).toEqual([
    'refunds.yaml:5:31: warning: refunds has too little traffic at 0.001667 events a second: ' +
      'the whole budget of 30d is 4.32 events; ' +
      '5m/1h fires from 83.33 % only: 1h holds 6 events, and it takes 5 bad ones; ' +
      '5m/1h comes and goes: 5m holds 0.5 events; ' +
      '30m/6h fires from 13.89 % only: 6h holds 36 events, and it takes 5 bad ones; ' +
      '2h/1d fires from 3.472 % only: 1d holds 144 events, and it takes 5 bad ones; ' +
      '6h/3d fires from 1.157 % only: 3d holds 432 events, and it takes 5 bad ones\n' +
      '  hint: More traffic (a probe counts too), a lower target or one objective over several services would help.',
  ])
})

test('where the traffic suffices, or nobody told it, there is no warning', () => {
  expect(trafficWarnings(read('shaketable.dev/traffic: 20/s'))).toEqual([])
  expect(trafficWarnings(read('on-call: nobody'))).toEqual([])
})

test('traffic that is given goes before what the document tells, and the conditions are those that are given', () => {
  expect(trafficWarnings(quiet, { ratePerSecond: 20 })).toEqual([])
  const policies = [parsePolicy('page:1m/5m:2%')!]
  const [warning] = trafficWarnings([objectiveOf({ target: 0.9999 })], { ratePerSecond: 0.01, policies })
  expect(warning).toMatchObject({ file: 'objectives.yaml', line: 1, column: 1 })
  expect(warning!.message).toContain('1m/5m can never fire: 5m holds 3 events, and it takes 5 bad ones')
})

test('slices of time weigh as much with little traffic', () => {
  expect(
    trafficWarnings([objectiveOf({ slices: { windowMs: 60_000, target: 0.9 } })], { ratePerSecond: 0.01 }),
  ).toEqual([])
})

test('an explanation knows the traffic that the document tells', () => {
  expect(explain(quiet[0]!)).toContain('Warning, low traffic: the whole budget of 30d is 4.32 events.')
  expect(explain(quiet[0]!, { ratePerSecond: 20 })).not.toContain('Warning')
})

test('the traffic is written down again', () => {
  expect(writeOpenSlo(quiet)).toContain('shaketable.dev/traffic: "6/h"')
  expect(writeOpenSlo(read('shaketable.dev/traffic: 300/m'))).toContain(`shaketable.dev/traffic: "5/s"`)
})

test.each([
  [
    'shaketable.dev/traffic: much',
    'refunds.yaml:5:55: metadata.annotations.shaketable.dev/traffic: expected a rate such as "60/s" or "300/m", saw "much"',
  ],
  [
    'shaketable.dev/trafic: 1/s',
    'refunds.yaml:5:31: metadata.annotations.shaketable.dev/trafic: unknown annotation "shaketable.dev/trafic"; did you mean "shaketable.dev/traffic"?',
  ],
])('the annotation %j is refused with its place', (annotation, words) => {
  expect(() => read(annotation)).toThrow(InvalidInput)
  expect(() => read(annotation)).toThrow(words)
})
