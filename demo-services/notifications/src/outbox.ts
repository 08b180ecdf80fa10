import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { log } from '@shop/kit/log'
import type pg from 'pg'

export interface Message {
  order_id: string
  customer: string
  traceparent: string | null
}

/** The notifications that wait in the outbox of orders. A message that nobody finishes comes again after five seconds. */
export class Outbox {
  readonly #orders: pg.Pool

  constructor(orders: pg.Pool) {
    this.#orders = orders
  }

  async claim(limit: number): Promise<Message[]> {
    const { rows } = await this.#orders.query<Message>(
      `with due as (
         select order_id from outbox where step = 'notify' and due_at <= now()
         order by due_at limit $1 for update skip locked),
       claimed as (
         update outbox set due_at = now() + interval '5 s' from due where outbox.order_id = due.order_id
         returning outbox.order_id, traceparent)
       select order_id, customer, traceparent from claimed join orders on id = order_id`,
      [limit],
    )
    return rows
  }

  async finish(ids: readonly string[]): Promise<void> {
    await this.#orders.query(`delete from outbox where step = 'notify' and order_id = any($1)`, [ids])
  }

  /** Calls `wake` whenever orders says that there is something; for ever, through lost connections. */
  async listen(wake: () => void): Promise<never> {
    for (;;) {
      try {
        const client = await this.#orders.connect()
        client.on('error', () => {})
        const ended = once(client, 'end')
        client.on('notification', wake)
        await client.query('listen outbox')
        await ended
        client.release(true)
      } catch (error) {
        log.warn({ err: error }, 'cannot listen; polling goes on')
      }
      await sleep(1000)
    }
  }
}
