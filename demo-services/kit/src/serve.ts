import { once } from 'node:events'
import { createServer } from 'node:http'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { listenAt } from './config.ts'
import { readDeadline } from './deadline.ts'
import { Unavailable } from './edge.ts'
import { log } from './log.ts'
import { resilience } from './resilience.ts'

/** An error that the client has made or may know of: its status, and what is said of it. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  const status = error instanceof Unavailable ? 503 : typeof error.status === 'number' ? error.status : 500
  if (status >= 500) log.error({ err: error }, 'request failed')
  response.status(status).json({ error: status === 500 ? 'internal error' : error.message })
}

/** Starts a service: its own `routes` between what all share (JSON, deadline, /health, /resilience, errors). */
export async function serve(routes: (app: Express) => void): Promise<void> {
  const app = express()
  app.disable('x-powered-by')
  app.use(readDeadline, express.json())
  app.get('/health', (_request, response) => {
    response.json({ status: 'up' })
  })
  app.get('/resilience', (_request, response) => {
    response.json(resilience)
  })
  app.put('/resilience', (request, response) => {
    try {
      resilience.set(String(request.body?.patterns))
    } catch (error) {
      throw new Refusal(400, (error as Error).message)
    }
    log.info({ resilience }, 'resilience was switched')
    response.json(resilience)
  })
  routes(app)
  app.use(answerError)
  const server = createServer(app).listen(listenAt.port, listenAt.host)
  await once(server, 'listening')
  log.info({ address: server.address() }, 'listening')
}
