import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fixtureReport, suiteNames } from '../../test/fixtures/reports/generate.ts'
import { type Element, parseXml } from '../../test/fixtures/reports/well-formed.ts'
import { junit } from './junit.ts'

const rendered = (name: (typeof suiteNames)[number]) => parseXml(junit.render(fixtureReport(name)))
const cases = (suite: Element) => suite.children.filter(child => child.name === 'testcase')
const outcomes = (root: Element) =>
  root.children.map(suite =>
    cases(suite).map(one => `${one.children[0]!.name} ${one.children[0]!.attributes.type ?? ''}`.trim()),
  )

describe('junit.xml', () => {
  test.each(suiteNames)('is well-formed and counts its own cases (%s)', name => {
    const root = rendered(name)
    const all = root.children.flatMap(cases)
    const having = (kind: string) => all.filter(one => one.children.some(child => child.name === kind)).length
    expect(root.attributes).toMatchObject({
      tests: String(all.length),
      failures: String(having('failure')),
      errors: String(having('error')),
    })
  })

  test('has a suite an experiment and a case an objective and expectation', () => {
    const root = rendered('fail')
    expect(root.children.map(suite => suite.attributes.name)).toEqual([
      'slow-payments',
      'crashed-orders',
      'failing-recommendations',
      'frozen-inventory',
    ])
    expect(cases(root.children[0]!).map(one => one.attributes.name)).toEqual([
      'objective checkout-availability',
      'objective checkout-latency',
      'recovery within 1 s',
      'no alert',
      'invariant books-balance',
    ])
  })

  test('a fail is a failure, void an error, inconclusive a failure of that type', () => {
    const [, fail, inconclusive, unsound] = outcomes(rendered('fail'))
    expect(fail![0]).toBe('failure fail')
    expect(inconclusive![0]).toBe('failure inconclusive')
    expect(unsound![0]).toBe('error void')
  })

  test('an objective that was only observed is skipped, whatever it measured', () => {
    const report = fixtureReport('fail')
    const objective = report.experiments[1]!.objectives[0]!
    objective.judged = false
    expect(outcomes(parseXml(junit.render(report)))[1]![0]).toBe('skipped')
  })

  test('a verdict that no objective or expectation carries gets a case of its own', () => {
    const report = fixtureReport('pass')
    report.experiments[0]!.verdict = 'void'
    report.experiments[0]!.reasons = ['the load generator was late']
    const last = cases(parseXml(junit.render(report)).children[0]!).at(-1)!
    expect(last.attributes.name).toBe('the experiment as a whole')
    expect(last.children[0]).toMatchObject({ name: 'error', text: 'the load generator was late' })
  })

  test('stays well-formed for any name, reason and detail', () => {
    const report = fixtureReport('fail')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), text => {
        const experiment = report.experiments[1]!
        experiment.name = experiment.file = experiment.objectives[0]!.name = experiment.expectations[0]!.detail = text
        parseXml(junit.render(report))
      }),
      { seed: 5, numRuns: 500 },
    )
  })
})
