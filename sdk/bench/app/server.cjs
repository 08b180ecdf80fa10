// The app of every contender: Express 5 as CommonJS, where hand-assembled instrumentation is at its best.
const express = require('express')

/** `before` are the middlewares of a contender. */
function serve(before = []) {
  const app = express()
  app.disable('x-powered-by')
  for (const middleware of before) app.use(middleware)
  app.get('/hello', (_request, response) => response.json({ hello: 'world' }))
  app.get('/orders', async (_request, response) => {
    const stock = await fetch(process.env.STUB_URL)
    response.json({ order: 1, stock: await stock.json() })
  })
  const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
  process.on('message', () => process.send({ cpu: process.cpuUsage(), rssBytes: process.memoryUsage.rss() }))
  process.on('disconnect', () => process.exit())
}

module.exports = { serve }
if (require.main === module) serve()
