import { hasBug } from '@shop/kit/bugs'
import { Edge, withFallback } from '@shop/kit/edge'
import { log } from '@shop/kit/log'
import { Refusal, serve } from '@shop/kit/serve'
import { rateLimit } from './rate-limit.ts'
import { signedIn, tokenFor } from './sign-in.ts'

const catalog = new Edge('catalog', { timeoutMs: 400, deadlineMs: 900, retries: 1 })
const orders = new Edge('orders', { timeoutMs: 1500, deadlineMs: 3000, retries: 2, concurrency: 200 })
const recommendations = new Edge('recommendations', {
  timeoutMs: 150,
  deadlineMs: 150,
  retries: 0,
  concurrency: 40,
  allEjected: 'refuse',
})

const picks = async (): Promise<string[]> => {
  const answer = await recommendations.call('/recommendations?sku=A1')
  return answer.body
}

await serve(app => {
  app.post('/login', async (request, response) => {
    const user = request.body?.user
    if (typeof user !== 'string' || user === '') throw new Refusal(400, 'expected {"user": "<name>"}')
    response.json({ token: await tokenFor(user) })
  })
  app.get('/', signedIn, rateLimit, async (_request, response) => {
    const [products, recommended] = await Promise.all([
      catalog.call('/products').then(answer => answer.body),
      // The page lives without them.
      withFallback(picks, error => {
        if (!hasBug('swallowed-error')) log.warn({ err: error }, 'no recommendations')
        return []
      }),
    ])
    response.json({ products, recommended })
  })
  app.post('/checkout', signedIn, rateLimit, async (request, response) => {
    const idempotencyKey = request.get('idempotency-key')
    if (!idempotencyKey) throw new Refusal(400, 'the header idempotency-key is missing')
    const { sku, quantity } = request.body ?? {}
    const answer = await orders.call('/orders', {
      method: 'POST',
      headers: { 'idempotency-key': idempotencyKey },
      json: { customer: response.locals.user, sku, quantity },
    })
    response.status(answer.status).json(answer.body)
  })
})
