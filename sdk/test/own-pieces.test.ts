import { afterEach, expect, test } from 'vitest'
import { startService, stopServices } from './service.ts'

afterEach(stopServices)

test("a user's own sampler, processor and exporter receive the same spans, and shutdown leaves nothing open", async () => {
  const service = await startService('own.mjs', { bare: true, env: { SHAKETABLE_ACCESS_LOG: 'off' } })
  expect(await service.ended).toEqual([0, null])
  const lines = service.lines()
  expect(lines.at(-1)).toEqual({ seen: ['processed work', 'processed GET', 'processed GET'] })
  expect(lines.slice(0, -1).map(line => line.name)).toEqual(['work', 'GET', 'GET'])
  for (const line of lines.slice(0, -1)) {
    expect(line).toMatchObject({ service: 'own', attributes: { by: 'my sampler', 'by.processor': true } })
  }
})
