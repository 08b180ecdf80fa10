import { InvalidInput } from '@shaketable/slo'
import { describe, expect, test } from 'vitest'
import { fixtureReport, suiteNames } from '../../test/fixtures/reports/generate.ts'
import { json } from './json.ts'
import { readReport } from './read.ts'

function problemsOf(text: string) {
  try {
    readReport(text, 'report.json')
  } catch (error) {
    if (error instanceof InvalidInput) return error.problems
    throw error
  }
  throw new Error('it was read')
}

describe('reading report.json back', () => {
  test.each(suiteNames)('gives the same report (%s)', name => {
    const report = fixtureReport(name)
    expect(readReport(json.render(report), 'report.json')).toEqual(report)
  })

  test('a measure of nothing survives as NaN', () => {
    const report = fixtureReport('no-requests')
    report.experiments[0]!.objectives[0]!.ratio = Number.NaN
    expect(readReport(json.render(report), 'report.json')).toEqual(report)
  })

  test('a value of the wrong kind is named with its line and column', () => {
    const lines = json.render(fixtureReport('pass')).split('\n')
    const at = lines.findIndex(line => line.includes('"target":'))
    lines[at] = '          "target": "98%",'
    expect(problemsOf(lines.join('\n'))).toEqual([
      expect.objectContaining({
        file: 'report.json',
        line: at + 1,
        column: 21,
        message: expect.stringMatching(
          /^experiments\[0\]\.objectives\[0\]\.target: .*expected number, received string/,
        ),
      }),
    ])
  })

  test('everything that is wrong is said at once', () => {
    const report = { ...fixtureReport('pass'), kind: 'Experiment', verdict: 'green', seed: -1 }
    expect(problemsOf(JSON.stringify(report)).map(problem => problem.message.split(':')[0])).toEqual([
      'kind',
      'seed',
      'verdict',
    ])
  })

  test.each([
    ['', 1, 1],
    ['{"apiVersion": ', 1, 16],
    ['{\n  "kind": Report\n}', 2, 11],
  ])('what is not JSON is told where it breaks: %j', (text, line, column) => {
    expect(problemsOf(text)).toEqual([
      expect.objectContaining({ line, column, message: expect.stringContaining('not JSON') }),
    ])
  })

  test.each(['null', '[]', '3', '"report"'])('JSON that is no report is refused: %s', text => {
    expect(problemsOf(text)[0]).toMatchObject({ line: 1, column: 1, message: expect.stringContaining('not a report') })
  })
})
