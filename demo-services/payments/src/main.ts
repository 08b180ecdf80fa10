import { hasBug } from '@shop/kit/bugs'
import { openDatabase } from '@shop/kit/database'
import { serve } from '@shop/kit/serve'

const once = !hasBug('missing-idempotency')
const database = await openDatabase(
  'payments',
  `create table if not exists charges (
     order_id uuid ${once ? 'primary key' : 'not null'}, cents integer not null, charged_at timestamptz not null default now())`,
)

/** The outside provider. It charges an order once, however often it is asked. */
await serve(app => {
  app.post('/charges', async (request, response) => {
    const { order, cents } = request.body
    await database.query('insert into charges (order_id, cents) values ($1, $2) on conflict do nothing', [order, cents])
    response.status(201).json({ order, cents })
  })
})
