/** What a report holds, and how reports add up. */
import { expect, test } from 'vitest'
import { random } from '../src/random.ts'
import { suiteReport } from '../src/report/schema.ts'
import { concludeSuite } from '../src/verdict/suite.ts'
import { during, failed, judge } from './judged.ts'

test('the report of a run is what the schema of reports says, its timeline in order', () => {
  const report = judge({ answer: during(4000, 6000, failed), pages: [{ ms: 5000, objective: 'available' }] })
  const suite = concludeSuite({ ...suiteOf([]), experiments: [report] })
  expect(suiteReport.safeParse(suite).error).toBeUndefined()
  expect(report.timeline.map(event => event.kind)).toEqual([
    'phase',
    'phase',
    'error',
    'fault',
    'alert',
    'alert',
    'phase',
    'fault',
    'recovery',
  ])
  expect(report.series).toHaveLength(44)
  expect(report.series[8]).toMatchObject({ atMs: 4000, requests: 30, errors: 30, p50Ms: 5 })
  expect(Object.values(report.series[8]?.burn ?? {})).toEqual([expect.closeTo(100)])
})

const suiteOf = (verdicts: ('pass' | 'fail' | 'inconclusive' | 'void')[], notUndone: string[] = []) => ({
  version: '0.1.0',
  experiments: verdicts.map(verdict => ({ ...judge(), verdict })),
  startedAtWall: 0,
  durationMs: 1,
  seed: 1,
  system: 'shop',
  env: {},
  notUndone,
})

test.each([
  [['pass', 'pass'], [], 'pass', 0],
  [['pass', 'inconclusive'], [], 'inconclusive', 3],
  [['inconclusive', 'void'], [], 'void', 5],
  [['void', 'fail', 'pass'], [], 'fail', 1],
  [['pass'], ['error-back: connection refused'], 'pass', 4],
  [['fail'], ['error-back: connection refused'], 'fail', 4],
  [[], [], 'void', 5],
] as const)('a suite of %o, not undone %o, is %s and exits %d', (verdicts, notUndone, verdict, code) => {
  expect(concludeSuite(suiteOf([...verdicts], [...notUndone]))).toMatchObject({ verdict, exitCode: code })
})

test('the effect of the fault is told against the baseline, with intervals', () => {
  const next = random(5)
  const answer = (ms: number) => ({ latencyMs: (ms >= 4000 && ms < 16_000 ? 60 : 20) * (0.5 + next()) })
  const [effect] = judge({ answer }).effects
  expect(effect?.p50Ms).toBeCloseTo(40, -1)
  expect(effect?.p50Interval[0]).toBeGreaterThan(20)
  expect(effect?.slower).toBeGreaterThan(0.9)
  expect(effect).toMatchObject({ failedRatio: 0 })
})
