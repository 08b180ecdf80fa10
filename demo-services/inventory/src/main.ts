import { setTimeout as sleep } from 'node:timers/promises'
import { hasBug } from '@shop/kit/bugs'
import { openDatabase } from '@shop/kit/database'
import { Refusal, serve } from '@shop/kit/serve'
import type { Pool } from 'pg'

const schema = `create table if not exists stock (
     sku text primary key, initial integer not null, available integer not null check (available >= 0));
   create table if not exists reservations (
     order_id uuid primary key, sku text not null references stock, quantity integer not null check (quantity > 0));
   insert into stock select sku, 1000000, 1000000 from unnest(array['A1', 'B2', 'C3', 'D4']) sku on conflict do nothing`

let database: Pool | undefined
async function open(): Promise<void> {
  const opened = await openDatabase('inventory', schema)
  if (hasBug('lying-health')) {
    const { rowCount } = await opened.query('select from reservations limit 1')
    // As if there were much to read before it can work: never at the very first start.
    if (rowCount) await sleep(6000)
  }
  database = opened
}
// Listens before it can work, and its health check says nothing of that.
if (hasBug('lying-health')) void open()
else await open()

/**
 * One statement, so that the row lock lives and dies on the server: a process that is frozen at any moment holds nothing. A
 * second reservation for the same order takes nothing.
 */
const reserve = `
  with reserved as (
    insert into reservations values ($1, $2, $3) on conflict do nothing returning sku, quantity)
  update stock set available = available - reserved.quantity from reserved where stock.sku = reserved.sku`

const refusals: Record<string, [status: number, message: string]> = {
  '23514': [409, 'not enough in stock'],
  '23503': [404, 'no such product'],
}

await serve(app => {
  app.post('/reservations', async (request, response) => {
    const { order, sku, quantity } = request.body
    if (!database) throw new Refusal(503, 'the stock is not loaded yet')
    try {
      await database.query(reserve, [order, sku, quantity])
    } catch (error) {
      const refusal = refusals[(error as { code?: string }).code ?? '']
      throw refusal ? new Refusal(...refusal) : error
    }
    response.status(201).json({ order, sku, quantity })
  })
})
