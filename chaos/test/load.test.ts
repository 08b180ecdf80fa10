/** The load as the runner starts it: a process of its own, against a small server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Step } from '../src/experiment/model.ts'
import type { LoadPlan, LoadSample, RunningLoad } from '../src/load/load.ts'
import { startLoad } from '../src/load/open-loop.ts'
import { processWorld } from '../src/world.ts'

interface Seen {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map(close => close()))
})

/** A server that keeps what it saw; `answer` undefined: 200 with `{}`. */
async function serve(answer?: (seen: Seen, response: ServerResponse) => void) {
  const seen: Seen[] = []
  let more = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
    seen.push(one)
    more.resolve()
    more = Promise.withResolvers()
    if (answer) answer(one, response)
    else response.end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    seen,
    /** Resolves once there were so many requests in all. */
    async saw(count: number): Promise<void> {
      while (seen.length < count) await more.promise
    },
  }
}

function step(
  path: string,
  more: Partial<Step['request']> & { expect?: number; capture?: Step['capture'] } = {},
): Step {
  const { expect = 200, capture = {}, ...request } = more
  return {
    request: { method: 'GET', to: 'shop', path, headers: {}, json: undefined, ...request },
    expect: { status: [expect] },
    capture,
  }
}

function plan(
  urls: string[],
  steps: Step[],
  more: Partial<LoadPlan> & { setup?: Step[]; name?: string } = {},
): LoadPlan {
  const { setup = [], name = 'buy', ...rest } = more
  return {
    journey: { name, setup, steps, place: { file: 'x.yaml', line: 1, column: 1 } },
    ratePerSecond: 100,
    timeoutMs: 2000,
    urls: { shop: urls },
    ...rest,
  }
}

async function begin(plans: LoadPlan[]): Promise<{ load: RunningLoad; samples: LoadSample[] }> {
  const load = await startLoad(plans, processWorld(new AbortController().signal))
  closing.push(() => load.stop().catch(() => {}))
  const samples: LoadSample[] = []
  load.onSamples(batch => samples.push(...batch))
  return { load, samples }
}

/** Load processes that this process has started (Linux). */
async function workers(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  const mine = await Promise.all(
    pids.map(async pid => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
      const [stat, command] = await Promise.all([read('stat'), read('cmdline')])
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      return parent === process.pid && command.includes('load/worker') ? [pid] : []
    }),
  )
  return mine.flat()
}

test('each arrival goes through its steps with what the ones before captured', async () => {
  const { url, seen, saw } = await serve(({ path }, response) => {
    if (path === '/login') response.end('{"session":{"token":"t-1"}}')
    else if (path.startsWith('/carts')) response.writeHead(201).end('{"items":[{"id":7}]}')
    else response.end('{}')
  })
  const setup = [step('/login', { method: 'POST', capture: { token: 'session.token' } })]
  const steps = [
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the load fills these in
    step('/carts/${seq}', {
      method: 'POST',
      headers: { Authorization: 'Bearer ${token}', 'idempotency-key': '${uuid}' },
      json: { nth: '${seq}', text: 'no. ${seq}' },
      expect: 201,
      capture: { item: 'items.0.id' },
    }),
    step('/orders', { method: 'PUT', json: { item: '${item}', key: '${uuid}' } }),
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the load fills these in
  ]
  const { load, samples } = await begin([plan([url], steps, { setup })])
  await saw(21)
  const health = await load.stop()

  const nth = ({ path }: Seen) => Number(path.split('/')[2])
  const carts = seen.filter(each => each.path.startsWith('/carts')).sort((a, b) => nth(a) - nth(b))
  const orders = seen.filter(each => each.path === '/orders')
  expect(seen[0]).toMatchObject({ method: 'POST', path: '/login' })
  expect(seen.filter(each => each.path === '/login')).toHaveLength(1)
  expect(carts.map(each => each.path)).toEqual(carts.map((_, index) => `/carts/${index}`))
  expect(carts[3]).toMatchObject({
    headers: { authorization: 'Bearer t-1', 'content-type': 'application/json' },
    body: '{"nth":3,"text":"no. 3"}',
  })
  const keys = new Set(carts.map(each => each.headers['idempotency-key']))
  expect(keys.size).toBe(carts.length)
  for (const { body } of orders) {
    const { item, key } = JSON.parse(body)
    expect(item).toBe(7)
    expect(keys).toContain(key)
  }
  expect(orders).toHaveLength(carts.length)
  expect(samples).toHaveLength(seen.length - 1)
  expect(samples.every(sample => sample.ok && sample.journey === 'buy')).toBe(true)
  expect(health).toMatchObject({ planned: carts.length, started: carts.length, dropped: 0 })
})

test('no UUID comes again in another run: what a database remembers of one says nothing of the next', async () => {
  const { url, seen, saw } = await serve()
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the load fills it in
  const plans = [plan([url], [step('/${uuid}')])]
  for (const count of [5, 10]) {
    const { load } = await begin(plans)
    await saw(count)
    await load.stop()
  }
  expect(new Set(seen.map(each => each.path)).size).toBe(seen.length)
  expect(seen[0]?.path).toMatch(/^\/[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
})

test('arrivals are due at a constant rate from the first, on the runner’s clock', async () => {
  const { url, saw } = await serve()
  const before = performance.now()
  const { load, samples } = await begin([plan([url], [step('/')], { ratePerSecond: 200 })])
  await saw(40)
  await load.stop()
  const times = samples.map(sample => sample.at).sort((a, b) => a - b)
  for (const [index, at] of times.entries()) expect(at - times[0]!).toBeCloseTo(index * 5, 3)
  expect(times[0]).toBeGreaterThan(before)
  expect(times.at(-1)).toBeLessThan(performance.now())
})

test('what has not answered by the timeout is a failure that took at least as long, and arrivals go on meanwhile', async () => {
  const { url, saw } = await serve(() => {})
  const { load, samples } = await begin([plan([url], [step('/')], { timeoutMs: 300, ratePerSecond: 50 })])
  await saw(20)
  const { greatestInFlight } = await load.stop()
  expect(samples.length).toBeGreaterThanOrEqual(20)
  for (const sample of samples) {
    expect(sample).toMatchObject({ status: 0, error: 'timeout', ok: false })
    expect(sample.latencyMs).toBeGreaterThanOrEqual(300)
  }
  expect(greatestInFlight).toBeGreaterThanOrEqual(10)
})

test('latency counts from the intended start of the first step, and from the answer before in later ones', async () => {
  const { url, saw } = await serve(({ path }, response) => {
    setTimeout(() => response.end('{}'), path === '/slow' ? 150 : 0)
  })
  const { load, samples } = await begin([plan([url], [step('/slow'), step('/quick')])])
  await saw(30)
  await load.stop()
  const [slow, quick] = [0, 1].map(index => samples.filter(sample => sample.step === index))
  expect(Math.min(...slow!.map(sample => sample.latencyMs))).toBeGreaterThanOrEqual(149)
  for (const after of quick!) {
    expect(slow!.some(({ at, latencyMs }) => Math.abs(at + latencyMs - after.at) < 0.001)).toBe(true)
  }
})

test('refused connections, unexpected statuses and answers without what is captured are told apart', async () => {
  const gone = await serve()
  await closing.pop()!()
  const failing = await serve((_, response) => response.writeHead(503).end('no'))
  const empty = await serve()
  const plans = [
    plan([gone.url], [step('/')], { name: 'gone' }),
    plan([failing.url], [step('/')], { name: 'failing' }),
    plan([empty.url], [step('/', { capture: { id: 'order.id' } }), step('/never')], { name: 'empty' }),
  ]
  const { load, samples } = await begin(plans)
  await Promise.all([failing.saw(10), empty.saw(10)])
  const health = await load.stop()
  const of = (journey: string) => {
    const mine = samples.filter(sample => sample.journey === journey)
    return [...new Set(mine.map(({ step, status, error, ok }) => `${step} ${status} ${error} ${ok}`))]
  }
  expect(of('gone')).toEqual(['0 0 ECONNREFUSED false'])
  expect(of('failing')).toEqual(['0 503 undefined false'])
  expect(of('empty')).toEqual(['0 200 no order.id in the answer false'])
  expect(Object.keys(health.byJourney)).toEqual(['gone', 'failing', 'empty'])
  const counts = Object.values(health.byJourney).map(each => each.started)
  expect(counts.reduce((a, b) => a + b)).toBe(health.started)
})

test('every step goes round robin over the replicas by itself', async () => {
  const replicas = await Promise.all([serve(), serve()])
  const { load } = await begin([
    plan(
      replicas.map(each => `${each.url}/base/`),
      [step('/a'), step('/b')],
    ),
  ])
  await Promise.all(replicas.map(each => each.saw(20)))
  await load.stop()
  for (const path of ['/base/a', '/base/b']) {
    const [one, other] = replicas.map(({ seen }) => seen.filter(each => each.path === path).length)
    expect(Math.abs(one! - other!)).toBeLessThanOrEqual(1)
  }
})

test.each<[string, (url: string) => LoadPlan, RegExp]>([
  [
    'an unexpected status, with what was said',
    url => plan([url], [step('/')], { setup: [step('/login', { method: 'POST' })] }),
    /setup step 1 of journey buy, POST http:\/\/127\.0\.0\.1:\d+\/login: expected status 200, saw status 401: no such user/,
  ],
  [
    'a service without a URL',
    () => plan(['tcp://127.0.0.1:1'], [step('/')]),
    /GET \/ of journey buy goes to shop, of which no http URL is known/,
  ],
  [
    'a value that nothing captures',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the load would fill it in
    url => plan([url], [step('/${cart}')]),
    /needs \$\{cart\}, which no earlier step captures/,
  ],
])('a load is refused for %s', async (_, planOf, message) => {
  const { url } = await serve((_, response) => response.writeHead(401).end('no such user'))
  await expect(begin([planOf(url)])).rejects.toMatchObject({
    code: 'SHAKETABLE_LOAD_REFUSED',
    message: expect.stringMatching(message),
  })
})

test('an interruption while the setup hangs ends the load', async () => {
  const { url, saw } = await serve(() => {})
  const interrupted = new AbortController()
  const starting = startLoad([plan([url], [step('/')], { setup: [step('/')] })], processWorld(interrupted.signal))
  const outcome = expect(starting).rejects.toBe('SIGINT')
  await saw(1)
  interrupted.abort('SIGINT')
  await outcome
})

test.runIf(process.platform === 'linux')('a load process that was frozen says how late its arrivals were', async () => {
  const { url, seen, saw } = await serve()
  const { load } = await begin([plan([url], [step('/')])])
  const [worker] = await workers()
  process.kill(worker!, 'SIGSTOP')
  await new Promise(resolve => setTimeout(resolve, 400))
  process.kill(worker!, 'SIGCONT')
  await saw(seen.length + 50)
  const { latenessMaxMs, latenessP99Ms, planned, started } = await load.stop()
  expect(latenessMaxMs).toBeGreaterThan(350)
  expect(latenessP99Ms).toBeGreaterThan(100)
  expect(started).toBe(planned)
})

test.runIf(process.platform === 'linux')('a load process that died is told when the load is to stop', async () => {
  const { url, saw } = await serve()
  const { load } = await begin([plan([url], [step('/')])])
  await saw(1)
  const [worker] = await workers()
  process.kill(worker!, 'SIGKILL')
  await expect(load.stop()).rejects.toMatchObject({ code: 'SHAKETABLE_LOAD_DIED', message: /SIGKILL/ })
})

/** A runner in a process group of its own, as a terminal would start it; on SIGINT it stops the load and tells. */
function runner(plans: LoadPlan[]) {
  const source = `
    import { startLoad } from ${JSON.stringify(new URL('../src/load/open-loop.ts', import.meta.url).href)}
    import { processWorld } from ${JSON.stringify(new URL('../src/world.ts', import.meta.url).href)}
    const load = await startLoad(${JSON.stringify(plans)}, processWorld(new AbortController().signal))
    process.on('SIGINT', async () => {
      console.log(JSON.stringify(await load.stop()))
    })`
  const child = spawn(process.execPath, ['--conditions=@shaketable/source', '--input-type=module', '-e', source], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  closing.push(async () => child.kill('SIGKILL'))
  return child
}

test('Ctrl-C in the terminal reaches the runner, and not the load', async () => {
  const { url, saw } = await serve()
  const child = runner([plan([url], [step('/')])])
  await saw(10)
  process.kill(-child.pid!, 'SIGINT')
  const said = once(child, 'close')
  const health = JSON.parse((await child.stdout.toArray()).join(''))
  await said
  expect(health.started).toBeGreaterThanOrEqual(10)
})

test('the load ends by itself when the runner is killed', async () => {
  const { url, server, saw } = await serve()
  const open = new Set<object>()
  let closed = () => {}
  server.on('connection', socket => {
    open.add(socket)
    socket.on('close', () => {
      open.delete(socket)
      closed()
    })
  })
  const child = runner([plan([url], [step('/')])])
  await saw(10)
  child.kill('SIGKILL')
  await once(child, 'exit')
  // Only the end of the process closes all of its kept-alive connections.
  while (open.size > 0) await new Promise<void>(resolve => (closed = resolve))
})
