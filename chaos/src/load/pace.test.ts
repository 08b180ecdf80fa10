import { expect, test } from 'vitest'
import type { Arrivals } from './arrivals.ts'
import { keepPace } from './pace.ts'

/** One arrival a ms, each of which takes two. */
function tooMuch(count: number, began = performance.now()) {
  const ended = Promise.withResolvers<void>()
  const plan = {
    arrived: 0,
    inFlight: 0,
    get due() {
      return plan.arrived < count ? began + plan.arrived : Number.POSITIVE_INFINITY
    },
    arrive() {
      plan.arrived++
      const end = performance.now() + 2
      while (performance.now() < end);
      if (plan.arrived === count) ended.resolve()
    },
  }
  return { plan, ended: ended.promise, arrivals: plan as unknown as Arrivals }
}

test('whoever cannot keep pace still reads answers while it catches up', async () => {
  const { arrivals, ended, plan } = tooMuch(50)
  const readAfter: number[] = []
  const read = () => {
    readAfter.push(plan.arrived)
    if (plan.arrived < 50) setImmediate(read)
  }
  setImmediate(read)
  keepPace([arrivals])
  await ended
  expect(readAfter.filter(count => count > 0 && count < 50).length).toBeGreaterThan(5)
})

test('the earliest of all plans comes first, and none once too many are in flight', async () => {
  const order: string[] = []
  const began = performance.now() - 100
  const plan = (name: string, everyMs: number, inFlight: number) => {
    let planned = 0
    return {
      inFlight,
      get due() {
        return planned < 3 ? began + planned * everyMs : Number.POSITIVE_INFINITY
      },
      arrive: (_now: number, room: boolean) => void order.push(`${name}${planned++}${room ? '' : ' dropped'}`),
    } as unknown as Arrivals
  }
  keepPace([plan('slow', 10, 0), plan('fast', 4, 9_999)])
  expect(order).toEqual(['slow0', 'fast0', 'fast1', 'fast2', 'slow1', 'slow2'])
  order.length = 0
  keepPace([plan('slow', 10, 5_000), plan('fast', 4, 5_000)])
  expect(new Set(order.map(each => each.replace(/^\w+/, '')))).toEqual(new Set([' dropped']))
})
