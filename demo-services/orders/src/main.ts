import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasBug } from '@shop/kit/bugs'
import { openDatabase } from '@shop/kit/database'
import { Edge, withFallback } from '@shop/kit/edge'
import { log } from '@shop/kit/log'
import { Refusal, serve } from '@shop/kit/serve'
import { inTraceOf, traceparent } from '@shop/kit/trace'
import { type Order, OrderBook } from './order-book.ts'

const schema = readFileSync(new URL('schema.sql', import.meta.url), 'utf8')
const book = new OrderBook(await openDatabase('orders', schema))
const catalog = new Edge('catalog', { timeoutMs: 400, deadlineMs: 900, retries: 1 })
const inventory = new Edge('inventory', {
  timeoutMs: 250,
  deadlineMs: 1000,
  retries: 2,
  ...(hasBug('timeout-over-caller') ? { timeoutMs: 8000, deadlineMs: 8000, heedsCaller: false } : {}),
  ...(hasBug('retry-without-budget') ? { retries: 8, retryBudget: false, deadlineMs: 1400 } : {}),
})
// No retry: who is slow is not helped by more of it. The outbox asks again later.
const payments = new Edge('payments', {
  timeoutMs: 300,
  deadlineMs: 300,
  retries: 0,
  concurrency: 40,
  allEjected: 'refuse',
})

async function reserve({ id, sku, quantity }: Order): Promise<boolean> {
  const answer = await inventory.call('/reservations', { method: 'POST', json: { order: id, sku, quantity } })
  return answer.status === 201
}

async function charge({ id, cents }: Order): Promise<void> {
  const answer = await payments.call('/charges', { method: 'POST', json: { order: id, cents } })
  if (answer.status !== 201) throw new Error(`payments answered ${answer.status} for order ${id}`)
}

function warn(error: unknown, { id }: Order): void {
  const said = 'payment is left for later'
  if (hasBug('log-without-trace')) {
    // Past the logger, and so past the SDK, which would have added the trace id.
    process.stdout.write(
      `${JSON.stringify({ level: 40, time: Date.now(), msg: said, err: String(error), order: id })}\n`,
    )
  } else log.warn({ err: error, order: id }, said)
}

/** Takes the order as far as it goes; each step may be repeated. */
async function settle(order: Order): Promise<Order['status']> {
  if (!(await reserve(order))) {
    await book.reject(order.id)
    return 'rejected'
  }
  return withFallback<Order['status']>(
    async () => {
      await charge(order)
      await book.confirm(order.id)
      return 'confirmed'
    },
    async (error): Promise<Order['status']> => {
      warn(error, order)
      await book.leavePending(order.id)
      return 'payment-pending'
    },
  )
}

const batch = 20

/** What a crash, a freeze or a slow provider left on the way is finished here. */
async function finishLeftOvers(): Promise<never> {
  for (;;) {
    let settled = 0
    try {
      const orders = await book.claim(batch)
      const one = (order: (typeof orders)[number]) =>
        inTraceOf(order.traceparent, `settle ${order.status} order`, () => settle(order))
      const results = await Promise.allSettled(orders.map(one))
      settled = results.filter(each => each.status === 'fulfilled' && each.value !== 'payment-pending').length
    } catch (error) {
      log.warn({ err: error }, 'left-over orders could not be read')
    }
    if (settled < batch) await sleep(250)
  }
}

await serve(app => {
  app.post('/orders', async (request, response) => {
    const idempotencyKey = request.get('idempotency-key')
    if (!idempotencyKey) throw new Refusal(400, 'the header idempotency-key is missing')
    const { customer, sku, quantity } = request.body ?? {}
    if (typeof customer !== 'string' || typeof sku !== 'string') throw new Refusal(400, 'expected a customer and a sku')
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > 100) {
      throw new Refusal(400, `quantity: saw ${quantity}, expected 1 to 100`)
    }
    const product = await catalog.call(`/products/${encodeURIComponent(sku)}`)
    if (product.status !== 200) throw new Refusal(404, `no product ${sku}`)
    const cents = product.body.cents * quantity
    const order = await book.place({ customer, idempotencyKey, sku, quantity, cents, traceparent: traceparent() })
    const status = order.status === 'placing' ? await settle(order) : order.status
    if (status === 'rejected') throw new Refusal(409, `not enough ${sku} in stock`)
    response.status(201).json({ order: { ...order, status } })
  })
})
void finishLeftOvers()
