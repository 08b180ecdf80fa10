import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, LocalShop } from './local-shop.ts'

let shop: LocalShop
let token: string
/** Stands between orders and payments, and takes its time. */
let paymentDelayMs = 0
let payments: Server

beforeAll(async () => {
  payments = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      setTimeout(async () => {
        const answer = await fetch(new URL(request.url ?? '/', shop.urls('payments')[0]), {
          method: request.method ?? 'GET',
          headers: { 'content-type': 'application/json' },
          ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
        }).catch(() => undefined)
        response.writeHead(answer?.status ?? 502, { 'content-type': 'application/json' })
        response.end(answer ? await answer.text() : '{}')
      }, paymentDelayMs)
    })
  }).listen(0, '127.0.0.1')
  await once(payments, 'listening')
  const { port } = payments.address() as { port: number }
  shop = await LocalShop.start({ paymentsUrl: `http://127.0.0.1:${port}` })
  const answer = await post('/login', { user: 'ada' })
  token = ((await answer.json()) as { token: string }).token
  // Its first orders may take longer on a busy machine than its own patience, and be pending.
  await shop.resilience('off')
})

afterAll(async () => {
  await shop?.stop()
  payments?.closeAllConnections()
  payments?.close()
})

function post(path: string, json: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(new URL(path, shop.urls('gateway')[0]), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify(json),
    signal: AbortSignal.timeout(5_000),
  })
}

interface Checkout {
  status: number
  order: { id: string; status: string }
}

async function checkout(key: string = randomUUID()): Promise<Checkout> {
  const answer = await post('/checkout', { sku: 'A1', quantity: 1 }, { 'idempotency-key': key })
  return { status: answer.status, order: ((await answer.json()) as Checkout).order }
}

const balanced = () =>
  eventually(async () => {
    const { code, output } = await shop.audit()
    if (code !== 0) throw new Error(output)
    return output
  })

const statuses = (answers: { status: number }[]) => [...new Set(answers.map(each => each.status))]

test('a checkout asked for twice with one key is one order, charged, taken and notified once', async () => {
  const key = randomUUID()
  const [first, second] = [await checkout(key), await checkout(key)]
  expect(first).toMatchObject({ status: 201, order: { status: 'confirmed' } })
  expect(second).toEqual(first)
  expect(await balanced()).toContain('the books balance: 1 orders')
})

test('the same key at the same moment is one order as well', async () => {
  const key = randomUUID()
  const answers = await Promise.all(Array.from({ length: 8 }, () => checkout(key)))
  expect(statuses(answers)).toEqual([201])
  expect(new Set(answers.map(each => each.order.id)).size).toBe(1)
  expect(await balanced()).toContain('the books balance: 2 orders')
  await shop.resilience('on')
})

test('nobody gets in without a token, and what is not there is not sold', async () => {
  const anonymous = await post('/checkout', { sku: 'A1', quantity: 1 }, { authorization: 'Bearer no' })
  expect(anonymous.status).toBe(401)
  const unknown = await post('/checkout', { sku: 'Z9', quantity: 1 }, { 'idempotency-key': randomUUID() })
  expect(unknown.status).toBe(404)
})

test('orders that an orders replica took to its grave are finished by the other', async () => {
  const answers = Array.from({ length: 16 }, () => checkout())
  await Promise.race(answers)
  shop.signal('orders-1', 'SIGKILL')
  try {
    expect(statuses(await Promise.all(answers))).toEqual([201])
    await balanced()
  } finally {
    shop.startInstance('orders', 1)
    await eventually(async () => (await fetch(`${shop.urls('orders')[0]}/health`)).ok)
  }
})

test('a frozen inventory replica holds nobody up', async () => {
  shop.signal('inventory-1', 'SIGSTOP')
  try {
    const answers = []
    for (let n = 0; n < 12; n++) answers.push(await checkout())
    expect(statuses(answers)).toEqual([201])
  } finally {
    shop.signal('inventory-1', 'SIGCONT')
  }
  await balanced()
})

test('while payments is slow orders are taken as pending, and charged afterwards', async () => {
  paymentDelayMs = 1_000
  try {
    expect(await checkout()).toMatchObject({ status: 201, order: { status: 'payment-pending' } })
    await shop.resilience('off')
    expect(await checkout()).toMatchObject({ status: 201, order: { status: 'confirmed' } })
  } finally {
    paymentDelayMs = 0
    await shop.resilience('on')
  }
  await balanced()
})

test('without resilience the home page needs its recommendations', async () => {
  const home = () => fetch(shop.urls('gateway')[0]!, { headers: { authorization: `Bearer ${token}` } })
  shop.signal('recommendations-1', 'SIGKILL')
  const page = await home()
  expect(page.status).toBe(200)
  expect(await page.json()).toMatchObject({ products: { length: 4 }, recommended: [] })
  await shop.resilience('off')
  expect((await home()).status).toBe(503)
  await shop.resilience('on')
})
