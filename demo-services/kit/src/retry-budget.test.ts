import { expect, test } from 'vitest'
import { RetryBudget } from './retry-budget.ts'

test('when everything fails, retries add a fifth to the load and no more', () => {
  const budget = new RetryBudget({ ratio: 0.2, capacity: 10 })
  let retries = 0
  for (let n = 0; n < 1000; n++) {
    budget.deposit()
    if (budget.withdraw()) retries++
  }
  // A full bucket to begin with, then one for every five requests.
  expect(retries).toBeGreaterThanOrEqual(205)
  expect(retries).toBeLessThanOrEqual(210)
})

test('a quiet time saves up no more than the bucket holds', () => {
  const budget = new RetryBudget({ ratio: 0.5, capacity: 3 })
  for (let n = 0; n < 100; n++) budget.deposit()
  expect([1, 2, 3, 4].map(() => budget.withdraw())).toEqual([true, true, true, false])
})
