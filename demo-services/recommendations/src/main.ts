import { serve } from '@shop/kit/serve'

const goesWith: Record<string, string[]> = { A1: ['C3', 'B2'], B2: ['D4', 'A1'], C3: ['A1', 'D4'], D4: ['B2', 'C3'] }

await serve(app => {
  app.get('/recommendations', (request, response) => {
    response.json(goesWith[String(request.query.sku)] ?? Object.keys(goesWith).slice(0, 2))
  })
})
