import { expect, test } from 'vitest'
import { Members, type Report, type Request } from './members.ts'

const counting = (value: number): Report => ({
  families: [
    { name: 'jobs_total', help: '', type: 'counter', samples: [{ name: 'jobs_total', labels: {}, value }] },
    { name: 'heap', help: '', type: 'gauge', samples: [{ name: 'heap', labels: {}, value }] },
  ],
  obstacles: [],
  telemetry: {},
})

test('two requests at once are answered each by its own answer', async () => {
  const members = new Members()
  const asked: Request[] = []
  members.joined({ name: 'thread 1', kind: 'thread', ask: request => asked.push(request) })
  let drained = false
  const drain = members.ask('drain', 60_000).then(() => (drained = true))
  const report = members.ask('report', 60_000)
  expect(asked).toEqual(['drain', 'report'])
  members.reported('thread 1', counting(1))
  await report
  expect(drained).toBe(false)
  members.reported('thread 1', counting(2), 'drain')
  await drain
})

test('who asks while an answer is awaited waits for the same one', async () => {
  const members = new Members()
  let asked = 0
  members.joined({ name: 'worker 1', kind: 'process', ask: () => asked++ })
  const both = Promise.all([members.ask('report', 60_000), members.ask('report', 60_000)])
  members.reported('worker 1', counting(1))
  await both
  expect(asked).toBe(1)
})

test('who does not answer is taken by its last words, and holds nobody up', async () => {
  const members = new Members()
  members.joined({ name: 'worker 1', kind: 'process', ask: () => {} })
  members.reported('worker 1', counting(3))
  await members.ask('report', 1)
  expect(members.families('process')).toEqual([{ name: 'worker 1', families: counting(3).families }])
})

test('who leaves is waited for no longer, and only its counts stay', async () => {
  const members = new Members()
  for (const name of ['worker 1', 'worker 2']) {
    members.joined({ name, kind: 'process', ask: () => {} })
    members.reported(name, counting(3))
  }
  const gathering = members.ask('report', 60_000)
  members.left('worker 1')
  members.left('worker 2')
  await gathering
  const [departed, ...others] = members.families('process')
  expect(others).toEqual([])
  expect(departed!.families.map(({ name, samples }) => [name, samples[0]!.value])).toEqual([['jobs_total', 6]])
  expect(members.reports().size).toBe(0)
})

test('processes are not asked to drain: they end by themselves', async () => {
  const members = new Members()
  const asked: Request[] = []
  members.joined({ name: 'worker 1', kind: 'process', ask: request => asked.push(request) })
  await members.ask('drain', 60_000)
  expect(asked).toEqual([])
})
