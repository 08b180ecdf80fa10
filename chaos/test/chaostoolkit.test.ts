import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { mappedFunctions } from '../src/chaostoolkit/mapped/index.ts'
import { freshState, processesWith, Shaketable } from './cli.ts'
import { shaketable } from './in-process.ts'

const token = 'hunter22-hunter22'

let dir: string
let state: Awaited<ReturnType<typeof freshState>>
let server: Server
let url: string
/** Of the Toxiproxy that the server plays. */
let toxics: { name: string; type: string; attributes: object }[] = []
let asked: string[] = []
let sleeping = () => {}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'chaostoolkit-'))
  state = await freshState()
  vi.stubEnv('SHAKETABLE_STATE', state.state)
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const path = request.url ?? ''
    asked.push(`${request.method} ${path}${body && ` ${body}`}`)
    const answer = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(value))
    }
    if (path === '/sleeping') sleeping()
    if (path.startsWith('/api/v1/query')) {
      return answer(200, { status: 'success', data: { result: [{ metric: {}, value: [1, '0'] }] } })
    }
    if (path === '/proxies/redis') return answer(200, { name: 'redis', enabled: true, toxics })
    if (path === '/proxies/redis/toxics') toxics.push(JSON.parse(body))
    if (request.method === 'DELETE') toxics = toxics.filter(({ name }) => !path.endsWith(`/${name}`))
    answer(path === '/broken' ? 503 : 200, { authorization: request.headers.authorization ?? null })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  vi.unstubAllEnvs()
  await rm(dir, { recursive: true, force: true })
  await state.remove()
})
beforeEach(() => {
  asked = []
  toxics = []
})

const http = (name: string, path: string, more: object = {}) => ({
  name,
  type: 'action',
  provider: { type: 'http', url: `\${shop}${path}`, method: 'POST', ...more },
})
const node = (script: string) => ({ type: 'process', path: process.execPath, arguments: ['-e', script] })
const python = (path: string, given: object) => {
  const at = path.lastIndexOf('.')
  return { type: 'python', module: path.slice(0, at), func: path.slice(at + 1), arguments: given }
}
const slow = {
  name: 'slow-redis',
  type: 'action',
  provider: python('chaostoxi.toxic.actions.create_latency_toxic', {
    for_proxy: 'redis',
    toxic_name: 'slow',
    latency: 50,
  }),
}

async function experimentFile(name: string, more: object): Promise<string> {
  const configuration = { shop: url, toxiproxy_url: url, prometheus_base_url: url }
  const experiment = { title: 'The shop stands', description: 'Whatever happens.', configuration, ...more }
  await writeFile(join(dir, name), JSON.stringify(experiment, null, 2))
  return name
}

it('runs http, process and what is mapped; the journal tells of it without the secret; and nothing is left', async () => {
  const file = await experimentFile('whole.json', {
    secrets: { api: { token } },
    'steady-state-hypothesis': {
      title: 'It answers',
      probes: [
        {
          name: 'page',
          type: 'probe',
          tolerance: { type: 'jsonpath', path: '$.authorization', target: 'body', count: 1 },
          provider: {
            type: 'http',
            url: `\${shop}/page`,
            arguments: { q: 'a b' },
            headers: { authorization: `Bearer \${token}` },
            secrets: ['api'],
          },
        },
        {
          name: 'no-errors',
          type: 'probe',
          tolerance: { type: 'jsonpath', path: '$.data.result.*[?(@.value[1]!="0")]', count: 0 },
          provider: python('chaosprometheus.probes.query', { query: 'errors' }),
        },
      ],
    },
    method: [
      slow,
      { name: 'order', type: 'action', provider: http('', '/order', { arguments: { sku: 'A1' } }).provider },
      {
        name: 'version',
        type: 'probe',
        tolerance: { type: 'regex', pattern: '^v\\d+\\.', target: 'stdout' },
        provider: { type: 'process', path: process.execPath, arguments: '--version' },
      },
    ],
    // The toxic has another name: ours is taken away all the same.
    rollbacks: [http('tell', '/rolled-back')],
  })
  const finished = await new Shaketable(['run', file, '--journal', 'journal.json'], { state: state.state, cwd: dir })
    .finished
  expect(finished).toMatchObject({ code: 0, stderr: 'journal: journal.json\n' })
  expect(finished.stdout.replaceAll(/ {2}(\d+\w+)+$/gm, '')).toBe(
    [
      'The shop stands',
      '  ✓ probe   page',
      '  ✓ probe   no-errors',
      '  ✓ action  slow-redis',
      '  ✓ action  order',
      '  ✓ probe   version',
      '  ✓ probe   page',
      '  ✓ probe   no-errors',
      '  ✓ action  tell',
      '  undone: the proxy redis freed of slow',
      '  pass',
      '',
    ].join('\n'),
  )
  expect(asked).toEqual(
    expect.arrayContaining(['GET /page?q=a+b', 'POST /order sku=A1', 'DELETE /proxies/redis/toxics/slow']),
  )
  expect(toxics).toEqual([])
  const journal = await readFile(join(dir, 'journal.json'), 'utf8')
  expect(JSON.parse(journal)).toMatchObject({
    status: 'completed',
    deviated: false,
    steady_states: { before: { probes: [{ output: { status: 200, body: { authorization: 'Bearer …' } } }, {}] } },
    run: [{ activity: { name: 'slow-redis' } }, { status: 'succeeded' }, { tolerance_met: true }],
  })
  expect(journal + finished.stdout).not.toContain(token)
  expect(await state.runs()).toEqual([])
})

it('ended by SIGINT in mid-method it ends its process, rolls back, and takes away what it has laid', async () => {
  const mark = `asleep-${process.pid}`
  const file = await experimentFile('asleep.json', {
    method: [
      slow,
      {
        name: 'asleep',
        type: 'action',
        provider: node(`fetch('${url}/sleeping').then(() => setTimeout(() => {}, 60000)) // ${mark}`),
      },
      http('never', '/never'),
    ],
    rollbacks: [http('tell', '/rolled-back')],
  })
  const heard = new Promise<void>(resolve => {
    sleeping = resolve
  })
  const running = new Shaketable(['run', file, '--journal', 'ended.json'], { state: state.state, cwd: dir })
  await Promise.race([heard, running.finished])
  expect(toxics).toMatchObject([{ name: 'slow', type: 'latency', attributes: { latency: 50, jitter: 0 } }])
  running.child.kill('SIGINT')
  expect(await running.finished).toMatchObject({ code: 130 })
  expect(asked).toContain('POST /rolled-back')
  expect(asked).not.toContain('POST /never')
  expect(toxics).toEqual([])
  expect(JSON.parse(await readFile(join(dir, 'ended.json'), 'utf8'))).toMatchObject({ status: 'interrupted' })
  expect(await processesWith(mark)).toEqual([])
  expect(await state.runs()).toEqual([])
})

it('an action that is refused fails the run, and nothing else of it is begun', async () => {
  const file = await experimentFile('broken.json', { method: [http('break', '/broken'), http('never', '/never')] })
  const { code, stdout } = await shaketable(['run', file], dir)
  expect({ code, asked }).toEqual({ code: 1, asked: ['POST /broken'] })
  expect(stdout).toContain(
    '  ✗ action  break  it was refused with 503\n  fail: action break: it was refused with 503\n',
  )
})

it('a secret in what an answer says is hidden, wherever the line is cut', async () => {
  const page = { type: 'http', url: `\${shop}/page`, headers: { authorization: `\${token}` }, secrets: ['api'] }
  const padding = 'x'.repeat(245)
  const file = await experimentFile('long.json', {
    secrets: { api: { token } },
    method: [{ name: padding, type: 'probe', tolerance: 201, provider: page }],
  })
  const { code, stdout } = await shaketable(['run', file], dir)
  expect(code).toBe(1)
  expect(stdout).toContain('expected 201, saw')
  expect(stdout).not.toContain(token.slice(0, 4))
})

it('what cannot be run is refused with its place, before anything is asked', async () => {
  const file = await experimentFile('foreign.json', {
    method: [
      http('order', '/order'),
      { name: 'stop', type: 'action', provider: python('chaosaws.ec2.actions.stop_instance', {}) },
    ],
  })
  const { code, stdout, stderr } = await shaketable(['run', file], dir)
  expect({ code, stdout, asked }).toEqual({ code: 2, stdout: '', asked: [] })
  expect(stderr).toMatch(
    /^foreign\.json:\d+:\d+: method\[1\]\.provider: chaosaws\.ec2\.actions\.stop_instance is refused: /,
  )
})

it.each([
  [['--report', 'x'], '--report does nothing for an experiment of the Chaos Toolkit'],
  [['--target', 'attach'], '--target does nothing for an experiment of the Chaos Toolkit'],
])('an option that would do nothing is refused: %j', async (options, words) => {
  const file = await experimentFile('options.json', { method: [http('order', '/order')] })
  const { code, stderr } = await shaketable(['run', file, ...options], dir)
  expect({ code, asked }).toEqual({ code: 2, asked: [] })
  expect(stderr).toContain(words)
})

it('a dry run shows what would be done, without secrets, and does none of it', async () => {
  const file = await experimentFile('dry.json', {
    secrets: { api: { token } },
    method: [slow, http('order', `/order?key=\${token}`, { secrets: ['api'] })],
  })
  const { code, stdout } = await shaketable(['run', file, '--dry-run'], dir)
  expect({ code, asked }).toEqual({ code: 0, asked: [] })
  expect(stdout).toBe(
    `The shop stands
  method      action slow-redis: chaostoxi.toxic.actions.create_latency_toxic {"for_proxy":"redis","toxic_name":"slow","latency":50,"jitter":0}
  method      action order: POST ${url}/order?key=…
`,
  )
})

it('the example of its page runs, and prints what the page shows', async () => {
  const page = await readFile(new URL('../docs/chaostoolkit.md', import.meta.url), 'utf8')
  const [, example = '', shown = ''] = /```json\n([\s\S]*?)```\n\n```\n([\s\S]*?)```/.exec(page) ?? []
  await writeFile(join(dir, 'page.json'), example)
  const env = ['--env', `SHOP_URL=${url}`, '--env', `SHOP_TOKEN=${token}`]
  const { code, stdout } = await shaketable(['run', 'page.json', ...env], dir)
  expect({ code, stdout: stdout.replaceAll(/ {2}(\d+\w+)+$/gm, '') }).toEqual({ code: 0, stdout: shown })
  expect(asked).toEqual(['GET /page', 'GET /page', 'POST /cool'])
})

it('the page names every function that is mapped, and no other', async () => {
  const page = await readFile(new URL('../docs/chaostoolkit.md', import.meta.url), 'utf8')
  const [, rows = ''] = /## What is run([\s\S]*?)\n\nAll else/.exec(page) ?? []
  const named = [...rows.matchAll(/`(?:[a-z]+\.)*([a-z]+_[a-z_]+|query)`/g)].map(([, name]) => name)
  const ours = [...mappedFunctions.keys()].map(name => name.split('.').at(-1))
  expect(new Set(named.filter(name => name !== 'label_selector'))).toEqual(new Set(ours))
})

it('a cluster is shaken only where it is named', async () => {
  const config = {
    clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'staging', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'staging',
  }
  await writeFile(join(dir, 'kubeconfig'), JSON.stringify(config))
  const terminate = python('chaosk8s.pod.actions.terminate_pods', { label_selector: 'app=web' })
  const file = await experimentFile('pods.json', {
    method: [http('order', '/order'), { name: 'kill', type: 'action', provider: terminate }],
  })
  const named = (...options: string[]) =>
    shaketable(['run', file, '--env', `KUBECONFIG=${join(dir, 'kubeconfig')}`, ...options], dir)
  expect(await named()).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^shaketable: this would shake the cluster "staging" \[SHAKETABLE_NOT_CONFIRMED\]\n {2}hint: --yes-this-is "staging"/,
    ),
  })
  expect((await named('--yes-this-is', 'prod')).stderr).toContain('"staging", and --yes-this-is says "prod"')
  const nowhere = await shaketable(['run', file, '--env', 'KUBECONFIG=absent'], dir)
  expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('SHAKETABLE_NO_CLUSTER') })
  expect(asked).toEqual([])
})
