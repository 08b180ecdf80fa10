import { resilience } from '@shop/kit/resilience'
import type { RequestHandler } from 'express'
import { RateLimiterMemory } from 'rate-limiter-flexible'

const limiter = new RateLimiterMemory({ points: Number(process.env.RATE_LIMIT ?? 1000), duration: 1 })

/** At most `RATE_LIMIT` (1000) requests a second for each user. */
export const rateLimit: RequestHandler = async (_request, response, next) => {
  if (resilience.has('rate-limit')) {
    const allowed = await limiter.consume(response.locals.user).catch(() => undefined)
    if (!allowed) {
      response.status(429).set('retry-after', '1').json({ error: 'too many requests' })
      return
    }
  }
  next()
}
