import { expect, test } from 'vitest'
import type { ExperimentReport } from '../report/model.ts'
import { type Measured, measure } from './measure.ts'

const late = 'the load was late'

/** Measures a system whose measurements turn out as told, one after the other. */
async function measured(attempts: number, ...turns: (Partial<Measured> & { verdict: ExperimentReport['verdict'] })[]) {
  let turn = 0
  const { report } = await measure(attempts, async discarded => {
    const { verdict, ...rest } = turns[turn++]!
    const report = { verdict, reasons: verdict === 'pass' ? [] : [late], discarded } as unknown as ExperimentReport
    return { report, notUndone: [], aborted: false, ...rest }
  })
  return { verdict: report.verdict, discarded: report.discarded, turns: turn }
}

test('a void measurement is made again, and why is kept', async () => {
  const sound = await measured(3, { verdict: 'void' }, { verdict: 'pass' })
  expect(sound).toEqual({ verdict: 'pass', discarded: [[late]], turns: 2 })
})

test('as often as was asked for, and no more', async () => {
  expect(await measured(1, { verdict: 'void' })).toEqual({ verdict: 'void', discarded: [], turns: 1 })
  const twice = await measured(2, { verdict: 'void' }, { verdict: 'void' })
  expect(twice).toEqual({ verdict: 'void', discarded: [[late]], turns: 2 })
})

test('a sound measurement stands, whatever it says', async () => {
  expect(await measured(3, { verdict: 'fail' })).toMatchObject({ verdict: 'fail', turns: 1 })
  expect(await measured(3, { verdict: 'inconclusive' })).toMatchObject({ verdict: 'inconclusive', turns: 1 })
})

test('nothing is measured again once the run was ended, or a fault could not be undone', async () => {
  expect(await measured(3, { verdict: 'void', aborted: true })).toMatchObject({ turns: 1 })
  expect(await measured(3, { verdict: 'void', notUndone: ['freeze orders-1'] })).toMatchObject({ turns: 1 })
})
