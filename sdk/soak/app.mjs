// The service that the soaks load: nothing of it knows the SDK.
import { metrics } from '@opentelemetry/api'
import express from 'express'

const paths = metrics.getMeter('soak').createCounter('soak.paths')
const app = express().disable('x-powered-by')
app.get('/orders/:id', (request, response) => response.json({ id: request.params.id }))
if (process.env.SOAK_COUNT_PATHS) {
  // What a careless author does: a label that its callers choose.
  app.use((request, _response, next) => {
    paths.add(1, { path: request.path })
    next()
  })
}
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
// Closing an idle connection at the moment of its next request would be an error of neither side.
server.keepAliveTimeout = 0
