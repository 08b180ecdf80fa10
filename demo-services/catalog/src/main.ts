import { hasBug } from '@shop/kit/bugs'
import { openDatabase } from '@shop/kit/database'
import { withFallback } from '@shop/kit/edge'
import { Refusal, serve } from '@shop/kit/serve'

interface Product {
  sku: string
  name: string
  cents: number
}

const database = await openDatabase(
  'catalog',
  `create table if not exists products (sku text primary key, name text not null, cents integer not null);
   insert into products values
     ('A1', 'Anchor bolt', 450), ('B2', 'Base isolator', 125000), ('C3', 'Cross brace', 8900), ('D4', 'Damper', 64000)
   on conflict do nothing`,
)

const freshMs = hasBug('cache-without-end') ? Number.POSITIVE_INFINITY : 5_000
let cached: { products: Promise<Product[]>; at: number } | undefined

/** Read at most once in five seconds, whatever the load; where the database fails, the last answer has to do. */
function products(): Promise<Product[]> {
  if (cached && performance.now() - cached.at < freshMs) return cached.products
  const last = cached?.products
  const read = () => database.query<Product>('select sku, name, cents from products order by sku').then(r => r.rows)
  const reading = withFallback(read, error => {
    if (!last) throw error
    return last
  })
  reading.catch(() => {
    cached = undefined
  })
  cached = { products: reading, at: performance.now() }
  return reading
}

await serve(app => {
  app.get('/products', async (_request, response) => {
    response.json(await products())
  })
  app.get('/products/:sku', async (request, response) => {
    const product = (await products()).find(each => each.sku === request.params.sku)
    if (!product) throw new Refusal(404, `no product ${request.params.sku}`)
    response.json(product)
  })
})
