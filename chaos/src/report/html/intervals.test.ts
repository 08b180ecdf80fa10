import { expect, test } from 'vitest'
import { fixtureReport } from '../../../test/fixtures/reports/generate.ts'
import type { TimelineEvent } from '../model.ts'
import { alertFirings, instanceOutages } from './intervals.ts'

const experiment = fixtureReport('pass').experiments[0]!
const withEvents = (kind: TimelineEvent['kind'], texts: [atMs: number, text: string][]) => ({
  ...experiment,
  timeline: texts.map(([atMs, text]) => ({ atMs, kind, subject: 'x', text })),
})

test('an instance is gone from its exit until it is ready, not only until it is started', () => {
  const lanes = instanceOutages(
    withEvents('instance', [
      [10, 'exited: SIGKILL'],
      [20, 'started'],
      [30, 'ready'],
    ]),
    100,
  )
  expect(lanes).toEqual([
    { instance: 'x', outages: [{ startMs: 10, endMs: 30, open: false, text: 'exited: SIGKILL' }], returns: [30] },
  ])
})

test('an instance that never came back is gone to the end of the run', () => {
  expect(instanceOutages(withEvents('instance', [[10, 'frozen']]), 100)[0]).toMatchObject({
    outages: [{ startMs: 10, endMs: 100, open: true }],
    returns: [],
  })
})

test('an instance that only started and became ready was never gone', () => {
  expect(
    instanceOutages(
      withEvents('instance', [
        [1, 'started'],
        [2, 'ready'],
      ]),
      100,
    ),
  ).toEqual([])
})

test('what happens to an instance after the run is not a part of it', () => {
  expect(instanceOutages(withEvents('instance', [[101, 'exited: SIGTERM']]), 100)).toEqual([])
})

test('an instance that exited before it was ready is gone, not back', () => {
  const [lane] = instanceOutages(withEvents('instance', [[10, 'exited before it was ready']]), 100)
  expect(lane).toMatchObject({ outages: [{ startMs: 10, open: true }], returns: [] })
})

test('alerts of one objective that overlap are one firing, until the last of them resolves', () => {
  const events = withEvents('alert', [
    [10, 'page 5m/1h firing'],
    [20, 'page 30m/6h firing'],
    [30, 'page 5m/1h resolved'],
    [40, 'page 30m/6h resolved'],
  ])
  expect(alertFirings(events, 100)).toEqual([['x', [expect.objectContaining({ startMs: 10, endMs: 40, open: false })]]])
})
