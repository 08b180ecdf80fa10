import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { json } from '../src/report/json.ts'
import { reportSchemaText } from '../src/report/schema.ts'
import { fixtureReport, suiteNames } from './fixtures/reports/generate.ts'

const published = await readFile(new URL('../schemas/report.schema.json', import.meta.url), 'utf8')
const validate = new Ajv({ strict: true, allErrors: true, strictTuples: false }).compile(JSON.parse(published))
const written = (name: (typeof suiteNames)[number]) => JSON.parse(json.render(fixtureReport(name)))

describe('schemas/report.schema.json', () => {
  test('is what the code generates', () => {
    expect(published).toBe(reportSchemaText())
  })

  test.each(suiteNames)('accepts the report.json of a run (%s)', name => {
    validate(written(name))
    expect(validate.errors ?? []).toEqual([])
  })

  test('promises the experiments, their objectives, intervals and verdicts', () => {
    const [experiment] = written('fail').experiments
    expect(experiment).toMatchObject({ name: expect.any(String), verdict: expect.any(String) })
    expect(Object.keys(experiment.objectives[0])).toEqual(
      expect.arrayContaining(['name', 'target', 'good', 'total', 'ratio', 'interval', 'verdict']),
    )
    for (const field of ['name', 'target', 'good', 'total', 'ratio', 'interval', 'verdict']) {
      const report = written('fail')
      delete report.experiments[0].objectives[0][field]
      expect(validate(report), `without ${field}`).toBe(false)
    }
  })

  test.each<[string, (report: ReturnType<typeof written>) => void]>([
    ['another kind', report => (report.kind = 'Experiment')],
    ['an unknown version', report => (report.apiVersion = 'shaketable.dev/v2')],
    ['no experiments', report => delete report.experiments],
    ['an unknown verdict', report => (report.experiments[0].verdict = 'green')],
    ['a ratio over one', report => (report.experiments[0].objectives[0].ratio = 1.2)],
    ['a ratio in words', report => (report.experiments[0].objectives[0].ratio = '98%')],
    ['half a request', report => (report.experiments[0].objectives[0].good = 0.5)],
    ['an interval of one end', report => (report.experiments[0].objectives[0].interval = [0.9])],
    ['an interval of three ends', report => (report.experiments[0].objectives[0].interval = [0.8, 0.9, 1])],
    ['an unknown field', report => (report.experiments[0].objectives[0].score = 1)],
    ['a phase of its own', report => (report.experiments[0].phases[0].name = 'warm-up')],
    ['a negative count', report => (report.experiments[0].series[0].errors = -1)],
    ['env that is not text', report => (report.env = { REPLICAS: 2 })],
  ])('refuses a report with %s', (_, spoil) => {
    const report = written('fail')
    spoil(report)
    expect(validate(report)).toBe(false)
  })
})
