import { expect, test } from 'vitest'
import { objectiveOf } from '../test/objective-of.ts'
import { explain } from './explain.ts'

test('an objective is explained in plain numbers', () => {
  expect(explain(objectiveOf())).toMatchInlineSnapshot(`
    "checkout-latency: 99 % of the events of gateway are good, over 30d.
    An event is a POST request to gateway /checkout, good if answered with a status below 500 and within 500 ms.
    The error budget is 1 %: one bad event in 100, or 432 minutes of outage in 30d at steady traffic.
    It alerts when the error ratio over both windows exceeds the threshold:
      page   5m/1h  over 14.4 %, 14.4 times what the budget allows; in an outage after 8.64 minutes
      page   30m/6h over 6 %, 6 times what the budget allows; in an outage after 21.6 minutes
      ticket 2h/1d  over 3 %, 3 times what the budget allows; in an outage after 43.2 minutes
      ticket 6h/3d  over 1 %, just what the budget allows; in an outage after 43.2 minutes"
  `)
})
