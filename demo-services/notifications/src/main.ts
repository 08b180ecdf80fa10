import { readFileSync } from 'node:fs'
import { hasBug } from '@shop/kit/bugs'
import { openDatabase } from '@shop/kit/database'
import { log } from '@shop/kit/log'
import { serve } from '@shop/kit/serve'
import { inTraceOf } from '@shop/kit/trace'
import { type Message, Outbox } from './outbox.ts'

const ordersSchema = readFileSync(new URL('../../orders/src/schema.sql', import.meta.url), 'utf8')
const database = await openDatabase(
  'notifications',
  `create table if not exists notifications (
     order_id uuid primary key, customer text not null, sent_at timestamptz not null default now())`,
)
// One connection listens, for good.
const connections = hasBug('pool-too-small') ? 1 : 4
const outbox = new Outbox(await openDatabase('orders', ordersSchema, { connections }))

/** Delivered at least once, and of effect exactly once: the order's id is the key. */
const send = ({ order_id, customer, traceparent }: Message) =>
  inTraceOf(traceparent, 'notify customer', async () => {
    const values = [order_id, customer]
    await database.query(
      'insert into notifications (order_id, customer) values ($1, $2) on conflict do nothing',
      values,
    )
    log.info({ order: order_id }, 'customer notified')
    return order_id
  })

let wake = () => {}
/** Until there is news, or for a second: a lost NOTIFY costs no more than that. */
const news = () =>
  new Promise<void>(resolve => {
    wake = resolve
    setTimeout(resolve, 1000)
  })

async function work(): Promise<never> {
  for (;;) {
    const heard = news()
    try {
      const messages = await outbox.claim(20)
      const results = await Promise.allSettled(messages.map(send))
      const sent = results.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
      if (sent.length > 0) await outbox.finish(sent)
      if (sent.length === 20) continue
    } catch (error) {
      log.warn({ err: error }, 'the outbox could not be read')
    }
    await heard
  }
}

await serve(() => {})
void outbox.listen(() => wake())
void work()
