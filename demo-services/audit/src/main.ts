/**
 * The books balance: every confirmed order was charged once, taken from stock once and notified once, and nothing else was.
 * Exits 0 when so; otherwise 1, naming the first orders that differ. Reads the databases, not the services.
 */
import { connect } from '@shop/kit/database'
import { type Books, differences } from './differences.ts'

async function read<T extends object>(service: string, sql: string): Promise<T[]> {
  const pool = connect(service)
  try {
    return (await pool.query<T>(sql)).rows
  } finally {
    await pool.end()
  }
}

const books: Books = {
  orders: await read('orders', 'select id, sku, quantity, cents, status from orders'),
  waiting: await read('orders', 'select order_id as id, step from outbox'),
  charges: await read('payments', 'select order_id as id, cents from charges'),
  reservations: await read('inventory', 'select order_id as id, sku, quantity from reservations'),
  stock: await read('inventory', 'select sku, initial - available as taken from stock'),
  notifications: await read('notifications', 'select order_id as id from notifications'),
}

const found = differences(books)
for (const line of found) console.error(line)
if (found.length === 0) {
  const confirmed = books.orders.filter(each => each.status === 'confirmed').length
  console.log(`the books balance: ${confirmed} orders, each charged, taken from stock and notified once`)
}
process.exitCode = found.length === 0 ? 0 : 1
