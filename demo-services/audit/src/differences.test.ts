import { expect, test } from 'vitest'
import { type Books, differences } from './differences.ts'

const books = (): Books => ({
  orders: [
    { id: 'a', sku: 'A1', quantity: 2, cents: 900, status: 'confirmed' },
    { id: 'r', sku: 'A1', quantity: 9, cents: 4050, status: 'rejected' },
  ],
  waiting: [],
  charges: [{ id: 'a', cents: 900 }],
  reservations: [{ id: 'a', sku: 'A1', quantity: 2 }],
  stock: [{ sku: 'A1', taken: 2 }],
  notifications: [{ id: 'a' }],
})

test('books that balance have no differences', () => {
  expect(differences(books())).toEqual([])
})

test.each<[string, (b: Books) => void, string]>([
  ['a lost charge', b => b.charges.pop(), 'payments: 1 orders were not charged: a'],
  ['a lost notification', b => b.notifications.pop(), 'notifications: 1 orders were not notified: a'],
  [
    'a second notification',
    b => b.notifications.push({ id: 'a' }),
    'notifications: 1 orders were notified more than once: a',
  ],
  [
    'a charge for nothing',
    b => b.charges.push({ id: 'x', cents: 1 }),
    'payments: 1 were charged without a confirmed order: x',
  ],
  ['a wrong sum', b => (b.charges[0]!.cents = 1), 'payments: 1 orders were charged the wrong sum: a'],
  ['stock that went twice', b => (b.stock[0]!.taken = 4), 'inventory: of A1 4 were taken from stock and 2 were sold'],
  [
    'stock taken for a rejected order',
    b => b.reservations.push({ id: 'r', sku: 'A1', quantity: 9 }),
    'inventory: 1 were taken from stock without a confirmed order: r',
  ],
  [
    'work that waits',
    b => b.waiting.push({ id: 'a', step: 'notify' }),
    'notifications: 1 messages wait in the outbox: a (notify)',
  ],
])('%s is found', (_what, spoil, message) => {
  const spoilt = books()
  spoil(spoilt)
  expect(differences(spoilt)).toEqual([message])
})

test('one lost and one doubled do not cancel out', () => {
  const spoilt = books()
  spoilt.orders.push({ id: 'b', sku: 'B2', quantity: 1, cents: 5, status: 'confirmed' })
  spoilt.charges.push({ id: 'a', cents: 900 })
  expect(differences(spoilt)).toContain('payments: 1 orders were not charged: b')
  expect(differences(spoilt)).toContain('payments: 1 orders were charged more than once: a')
})
