import type pg from 'pg'

export interface Order {
  id: string
  sku: string
  quantity: number
  cents: number
  status: 'placing' | 'payment-pending' | 'confirmed' | 'rejected'
}

export interface NewOrder {
  customer: string
  idempotencyKey: string
  sku: string
  quantity: number
  cents: number
  /** W3C trace context of the checkout; what happens later belongs to the same trace. */
  traceparent: string | undefined
}

const columns = 'id, sku, quantity, cents, status'

/**
 * Orders and their outbox. Each change is one statement, and so one transaction: an order never stands there without its
 * next step.
 */
export class OrderBook {
  readonly #database: pg.Pool

  constructor(database: pg.Pool) {
    this.#database = database
  }

  /** Writes the order down before anything is done for it; the same key again gives the same order. */
  async place(order: NewOrder): Promise<Order> {
    const { rows } = await this.#database.query<Order>(
      `with placed as (
         insert into orders (customer, idempotency_key, sku, quantity, cents) values ($1, $2, $3, $4, $5)
         on conflict do nothing returning ${columns}),
       next as (
         insert into outbox (order_id, due_at, traceparent) select id, now() + interval '3 s', $6 from placed)
       select ${columns} from placed`,
      [order.customer, order.idempotencyKey, order.sku, order.quantity, order.cents, order.traceparent],
    )
    return rows[0] ?? this.#find(order)
  }

  async #find({ customer, idempotencyKey }: NewOrder): Promise<Order> {
    const { rows } = await this.#database.query<Order>(
      `select ${columns} from orders where customer = $1 and idempotency_key = $2`,
      [customer, idempotencyKey],
    )
    return rows[0]!
  }

  /** Stock and payment are done: the notification is next. */
  async confirm(id: string): Promise<void> {
    await this.#database.query(
      `with confirmed as (
         update orders set status = 'confirmed' where id = $1 and status in ('placing', 'payment-pending') returning id),
       next as (
         update outbox set step = 'notify', due_at = now() from confirmed where order_id = id returning order_id)
       select pg_notify('outbox', '') from next`,
      [id],
    )
  }

  /** The order stands and is charged later. */
  async leavePending(id: string): Promise<void> {
    await this.#database.query(
      `with pending as (update orders set status = 'payment-pending' where id = $1 and status = 'placing' returning id)
       update outbox set due_at = now() + interval '1 s' from pending where order_id = id`,
      [id],
    )
  }

  /** There is nothing in stock: nothing was taken and nothing will be. */
  async reject(id: string): Promise<void> {
    await this.#database.query(
      `with rejected as (update orders set status = 'rejected' where id = $1 and status = 'placing' returning id)
       delete from outbox using rejected where order_id = id`,
      [id],
    )
  }

  /** Orders that were left on the way, each for one worker for five seconds. */
  async claim(limit: number): Promise<(Order & { traceparent: string | null })[]> {
    const { rows } = await this.#database.query<Order & { traceparent: string | null }>(
      `with due as (
         select order_id from outbox where step = 'settle' and due_at <= now()
         order by due_at limit $1 for update skip locked),
       claimed as (
         update outbox set due_at = now() + interval '5 s' from due where outbox.order_id = due.order_id
         returning outbox.order_id, traceparent)
       select ${columns}, traceparent from claimed join orders on id = order_id`,
      [limit],
    )
    return rows
  }
}
