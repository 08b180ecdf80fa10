/**
 * A new price is what the shop shows soon: changes one in the database, waits until the catalog tells it, and changes it back.
 * Exits 0 when so; otherwise 1.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { replicasOf } from '@shop/kit/config'
import { connect } from '@shop/kit/database'

const sku = 'D4'
const withinMs = 9_000

const database = connect('catalog', 1)
const priceIn = async (url: string) => {
  const answer = await fetch(new URL(`/products/${sku}`, url), { signal: AbortSignal.timeout(2_000) })
  return ((await answer.json()) as { cents: number }).cents
}
const [url] = replicasOf('catalog') as [string]
const change = (by: number) =>
  database.query('update products set cents = cents + $2 where sku = $1 returning cents', [sku, by])

// What is remembered must be the old price.
await priceIn(url)
const { rows } = await change(1)
const wanted = rows[0].cents
try {
  const giveUpAt = performance.now() + withinMs
  let seen = await priceIn(url)
  while (seen !== wanted && performance.now() < giveUpAt) {
    await sleep(250)
    seen = await priceIn(url)
  }
  if (seen === wanted) console.log(`a new price is shown within ${withinMs / 1000} s`)
  else console.error(`catalog: ${sku} costs ${wanted} cents and is still sold for ${seen} after ${withinMs / 1000} s`)
  process.exitCode = seen === wanted ? 0 : 1
} finally {
  await change(-1)
  await database.end()
}
