import { expect, test } from 'vitest'
import { checkout, objectiveOf } from '../test/objective-of.ts'
import { k6Module, k6Thresholds } from './k6.ts'

const objectives = [
  objectiveOf(),
  objectiveOf({ name: 'checkout-availability', target: 0.999, indicator: checkout({ status: { below: 500 } }) }),
]

test('thresholds are rates of good events, one per objective', () => {
  expect(k6Thresholds(objectives)).toEqual({
    'shaketable_good{objective:checkout-latency}': ['rate>=0.99'],
    'shaketable_good{objective:checkout-availability}': ['rate>=0.999'],
  })
})

/** Runs the generated module with a stand-in for k6's own metrics module, and returns what it counted. */
async function judgeAll(calls: [object, object][]) {
  const standIn =
    'export const added = []; export class Rate { add(value, tags) { added.push([tags.objective, value]) } }'
  const metrics = `data:text/javascript,${encodeURIComponent(standIn)}`
  const text = k6Module(objectives).replace("'k6/metrics'", `'${metrics}'`)
  const load = (url: string) => import(/* @vite-ignore */ url)
  const { judge, thresholds } = await load(`data:text/javascript,${encodeURIComponent(text)}`)
  expect(thresholds).toEqual(k6Thresholds(objectives))
  for (const [response, request] of calls) judge(response, request)
  return (await load(metrics)).added
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
  expect(counted).toEqual([
    ['checkout-latency', true],
    ['checkout-availability', true],
    ['checkout-latency', false],
    ['checkout-availability', true],
    ['checkout-latency', false],
    ['checkout-availability', false],
    ['checkout-latency', false],
    ['checkout-availability', false],
  ])
})

test('an objective of raw Prometheus queries is refused', () => {
  const raw = { type: 'prometheus', goodQuery: 'a', badQuery: undefined, totalQuery: 'b' } as const
  expect(() => k6Module([objectiveOf({ indicator: raw })])).toThrow(/checkout-latency: k6 sees responses/)
})
