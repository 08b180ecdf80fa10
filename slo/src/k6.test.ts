import { expect, test } from 'vitest'
import { checkout, objectiveOf } from '../test/objective-of.ts'
import { k6Module, k6Thresholds } from './k6.ts'

const objectives = [
  objectiveOf(),
  objectiveOf({ name: 'checkout-availability', target: 0.999, indicator: checkout({ status: { below: 500 } }) }),
]

test('thresholds are rates of good events of each objective, which must select some, and the load must have been made', () => {
  expect(k6Thresholds(objectives)).toEqual({
    'shaketable_good{objective:checkout-latency}': ['rate>=0.99'],
    'shaketable_selected{objective:checkout-latency}': ['rate>0'],
    'shaketable_good{objective:checkout-availability}': ['rate>=0.999'],
    'shaketable_selected{objective:checkout-availability}': ['rate>0'],
    dropped_iterations: ['count==0'],
  })
})

/** Runs the generated module with a stand-in for k6's own metrics module, and returns what it counted. */
async function judgeAll(calls: [object, object][]) {
  const standIn =
    'export const added = []; export class Rate { constructor(name) { this.name = name } add(value, tags) { added.push([this.name, tags.objective, value]) } }'
  const metrics = `data:text/javascript,${encodeURIComponent(standIn)}`
  const text = k6Module(objectives).replace("'k6/metrics'", `'${metrics}'`)
  const load = (url: string) => import(/* @vite-ignore */ url)
  const { judge, thresholds } = await load(`data:text/javascript,${encodeURIComponent(text)}`)
  expect(thresholds).toEqual(k6Thresholds(objectives))
  for (const [response, request] of calls) judge(response, request)
  const added: [string, string, boolean][] = (await load(metrics)).added
  return (metric: string) => added.filter(([name]) => name === metric).map(([, ...rest]) => rest)
}

test('the module counts a response for the objectives that select it, by their own predicates', async () => {
  const request = { service: 'gateway', method: 'POST', route: '/checkout' }
  const counted = await judgeAll([
    [{ status: 201, timings: { duration: 500 } }, request],
    [{ status: 201, timings: { duration: 501 } }, request],
    [{ status: 503, timings: { duration: 3 } }, request],
    [{ status: 0, timings: { duration: 0 } }, request],
    [
      { status: 200, timings: { duration: 1 } },
      { ...request, route: '/' },
    ],
  ])
  expect(counted('shaketable_good')).toEqual([
    ['checkout-latency', true],
    ['checkout-availability', true],
    ['checkout-latency', false],
    ['checkout-availability', true],
    ['checkout-latency', false],
    ['checkout-availability', false],
    ['checkout-latency', false],
    ['checkout-availability', false],
  ])
  const selected = counted('shaketable_selected').filter(([name]) => name === 'checkout-latency')
  expect(selected.map(([, value]) => value)).toEqual([true, true, true, true, false])
})

test('an objective of raw Prometheus queries is refused', () => {
  const raw = { type: 'prometheus', goodQuery: 'a', badQuery: undefined, totalQuery: 'b' } as const
  expect(() => k6Module([objectiveOf({ indicator: raw })])).toThrow(/checkout-latency: k6 sees responses/)
})
