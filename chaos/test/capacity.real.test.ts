/** What a service takes at most, against small servers whose limits are known. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type CapacityOptions, type CapacityStep, measureCapacity } from '../src/load/capacity.ts'

let close = async () => {}
afterEach(() => close())

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  close = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function measure(url: string, more: Partial<CapacityOptions> = {}, signal = new AbortController().signal) {
  const steps: CapacityStep[] = []
  const options: CapacityOptions = {
    url,
    method: 'GET',
    headers: {},
    body: undefined,
    secondsPerStep: 1,
    maxConnections: 4,
    p99BoundMs: 1000,
    errorBound: 0.01,
    ...more,
  }
  const capacity = await measureCapacity(options, { signal }, step => steps.push(step))
  expect(capacity.steps).toEqual(steps)
  return capacity
}

/** One request at a time, each for so long: more connections bring no more throughput. */
function oneAtATime(ms: number): RequestListener {
  let free = Promise.resolve()
  return (_, response) => {
    free = free.then(async () => {
      await new Promise(resolve => setTimeout(resolve, ms))
      response.end('ok')
    })
  }
}

test('connections are doubled until throughput stops rising', async () => {
  const { best, steps, ended } = await measure(await serve(oneAtATime(20)), { maxConnections: 64 })
  expect(ended).toBe('throughput stopped rising')
  expect(steps.map(step => step.connections)).toEqual(steps.map((_, index) => 2 ** index))
  expect(steps.length).toBeLessThan(6)
  expect(best?.requestsPerSecond).toBeLessThanOrEqual(55)
  expect(best?.errorRatio).toBe(0)
})

test('where each connection brings more, it goes on to the most it may open, with what the request asks', async () => {
  const asked = new Set<string>()
  const url = await serve(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    asked.add(`${request.method} ${request.headers.authorization} ${body}`)
    setTimeout(() => response.end('ok'), 50)
  })
  const { best, ended } = await measure(url, {
    method: 'POST',
    headers: { authorization: 'Bearer t' },
    body: '{"sku":"A1"}',
  })
  expect(ended).toBe('most connections')
  expect(best?.connections).toBe(4)
  expect([...asked]).toEqual(['POST Bearer t {"sku":"A1"}'])
})

test('it ends where the 99th percentile passes its bound, and what did is not the best', async () => {
  const { best, ended } = await measure(await serve(oneAtATime(20)), { p99BoundMs: 10 })
  expect({ best, ended }).toEqual({ best: undefined, ended: 'p99 over its bound' })
})

test('it ends where errors pass their bound', async () => {
  let count = 0
  const url = await serve((_, response) => {
    setTimeout(() => response.writeHead(count++ % 2 === 0 ? 200 : 500).end(), 5)
  })
  const { best, steps, ended } = await measure(url)
  expect({ best, ended }).toEqual({ best: undefined, ended: 'errors over their bound' })
  expect(steps[0]?.errorRatio).toBeCloseTo(0.5, 1)
})

test('an interruption ends it at once, without a number for the step under way', async () => {
  const interruption = new AbortController()
  let first = () => interruption.abort('SIGINT')
  const url = await serve((_, response) => {
    first()
    first = () => {}
    response.end()
  })
  const { steps, ended } = await measure(url, { secondsPerStep: 30 }, interruption.signal)
  expect({ steps, ended }).toEqual({ steps: [], ended: 'interrupted' })
})
