import { afterAll, expect, test } from 'vitest'
import { missed, outage } from '../soak/outage.ts'
import { stopEngines } from './processes.ts'

afterAll(stopEngines)

test('a collector that is away costs the shop nothing but the spans that find no room, and each of those is counted', async () => {
  // With so little room there are spans that find none.
  const env = { OTEL_BSP_MAX_QUEUE_SIZE: '64', SHAKETABLE_OUTAGE_BUFFER: '0' }
  const found = await outage({ downMs: 6000, upMs: 1000, rate: 10, env })
  expect(missed(found)).toEqual([])
  expect(found.counted.dropped).toBeGreaterThan(0)
  expect(found.mostWaiting).toBeLessThanOrEqual(64)
})
