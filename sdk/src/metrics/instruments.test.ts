import { expect, test } from 'vitest'
import { counter, gauge, histogram } from './instruments.ts'

test('the compiler refuses a label that the metric does not have, and a value that lacks one', () => {
  const orders = counter('shop.orders', { labels: ['kind', 'region'] })
  orders.add(1, { kind: 'gift', region: 'eu' })
  // @ts-expect-error: region is missing
  orders.add(1, { kind: 'gift' })
  // @ts-expect-error: there is no label customer
  orders.add(1, { kind: 'gift', region: 'eu', customer: 'x' })
  // @ts-expect-error: the labels are missing
  orders.add(1)
  const waiting = gauge('shop.waiting')
  waiting.record(1)
  // @ts-expect-error: it has no labels
  waiting.record(1, { kind: 'gift' })
  const size = histogram('shop.basket.size', { labels: ['kind'], boundaries: [1, 2] })
  // @ts-expect-error: a label's value is no object
  size.record(1, { kind: {} })
})

test('without a running SDK a metric may be used, and does nothing', () => {
  expect(() => counter('shop.lost').add(1)).not.toThrow()
})
