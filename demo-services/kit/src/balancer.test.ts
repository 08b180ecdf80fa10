import { CircuitState } from 'cockatiel'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Balancer, type Replica } from './balancer.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const failOnce = (replica: Replica) => replica.breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {})
const picks = (balancer: Balancer, count = 4) =>
  Array.from({ length: count }, () => balancer.pick({ ejected: 'leave-out' })?.url)

test('replicas take turns', () => {
  const balancer = new Balancer(['a', 'b'], { probe: async () => {} })
  expect(picks(balancer)).toEqual(['a', 'b', 'a', 'b'])
})

test('the replica that has just failed is avoided while there is another', () => {
  const balancer = new Balancer(['a', 'b'], { probe: async () => {} })
  const [a] = balancer.replicas
  for (let n = 0; n < 4; n++) expect(balancer.pick({ ejected: 'leave-out', avoid: a })?.url).toBe('b')
  const alone = new Balancer(['a'], { probe: async () => {} })
  expect(alone.pick({ ejected: 'leave-out', avoid: alone.replicas[0] })?.url).toBe('a')
})

test('three failures in a row eject a replica, and a health check brings it back', async () => {
  let healthy = false
  const probe = vi.fn(async () => {
    if (!healthy) throw new Error('still down')
  })
  const balancer = new Balancer(['a', 'b'], { ejectMs: 1000, probe })
  for (let n = 0; n < 3; n++) await failOnce(balancer.replicas[0]!)
  expect(picks(balancer)).toEqual(['b', 'b', 'b', 'b'])

  await vi.advanceTimersByTimeAsync(1100)
  expect(probe).toHaveBeenCalledTimes(1)
  expect(picks(balancer)).toEqual(['b', 'b', 'b', 'b'])

  healthy = true
  await vi.advanceTimersByTimeAsync(1100)
  expect(probe).toHaveBeenCalledTimes(2)
  const first = picks(balancer, 40)
  expect(first).toContain('a')
  expect(first.filter(url => url === 'a').length, 'it is cold, and spared').toBeLessThanOrEqual(10)
  await vi.advanceTimersByTimeAsync(4000)
  expect(picks(balancer, 40).filter(url => url === 'a')).toHaveLength(20)
})

test('when all are ejected there is none to pick, unless ejection is off', async () => {
  const balancer = new Balancer(['a'], { probe: () => Promise.reject(new Error('down')) })
  for (let n = 0; n < 3; n++) await failOnce(balancer.replicas[0]!)
  expect(balancer.replicas[0]!.breaker.state).toBe(CircuitState.Open)
  expect(balancer.pick({ ejected: 'leave-out' })).toBeUndefined()
  expect(balancer.pick({ ejected: 'keep' })?.url).toBe('a')
})
