import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { npmPackages } from '../../.ci/tools/npm.ts'
import { startReceiver } from './otlp-receiver.ts'
import { startService, stopServices, until } from './service.ts'

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url))
const entry = (extension: string) => `frameworks/entry.${extension}`
let packages: string
let bundles: string

beforeAll(() => {
  packages = npmPackages('runtimes')
  // Where a bundle finds the packages that are left out of it.
  const room = fileURLToPath(new URL('../node_modules', import.meta.url))
  mkdirSync(room, { recursive: true })
  bundles = mkdtempSync(join(room, '.bundles-'))
  for (const [format, extension] of [
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ] as const) {
    const options = ['--bundle', '--platform=node', '--packages=external', `--format=${format}`]
    const out = `--outfile=${join(bundles, `service.${extension}`)}`
    const esbuild = join(packages, '@esbuild/linux-x64/bin/esbuild')
    execFileSync(esbuild, [join(fixtures, entry('ts')), ...options, out], { stdio: 'pipe' })
  }
})
afterEach(stopServices)
afterAll(() => {
  if (bundles) rmSync(bundles, { recursive: true })
})

const forms: Record<string, () => { file: string; flags?: string[] }> = {
  'an ES module': () => ({ file: entry('mjs') }),
  CommonJS: () => ({ file: entry('cjs') }),
  'TypeScript as it is': () => ({ file: entry('ts') }),
  'TypeScript by tsx': () => ({
    file: entry('ts'),
    flags: ['--import', pathToFileURL(join(packages, 'tsx/dist/loader.mjs')).href],
  }),
  'an ESM bundle of esbuild': () => ({ file: relative(fixtures, join(bundles, 'service.mjs')) }),
  'a CommonJS bundle of esbuild': () => ({ file: relative(fixtures, join(bundles, 'service.cjs')) }),
}
const nodes: Record<string, () => string> = {
  22: () => join(packages, 'node-22/bin/node'),
  24: () => process.execPath,
  26: () => join(packages, 'node-26/bin/node'),
}
/** What the README names, in one process side by side. */
const every = [
  'express',
  'express4',
  'fastify',
  'koa',
  'hapi',
  'nest on express',
  'nest on fastify',
  'hono',
  'http',
] as const
const few = ['express', 'fastify'] as const
const rows = Object.keys(nodes).flatMap(node =>
  Object.keys(forms).map(form => {
    const frameworks = ['an ES module', 'CommonJS'].includes(form) ? every : few
    return { node, form, frameworks, names: frameworks.join(', ') }
  }),
)

test.each(rows)('Node $node, $form: exact spans, counts and lines of $names', async ({ node, form, frameworks }) => {
  const program = nodes[node]!()
  expect(execFileSync(program, ['--version'], { encoding: 'utf8' })).toMatch(`v${node}.`)
  const receiver = await startReceiver()
  const { file, flags = [] } = forms[form]!()
  const env = { FRAMEWORK: frameworks.join(), OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
  const service = await startService(file, { env, node: program, flags })
  const ports = await until(() => {
    const told = [...service.stdout().matchAll(/^(.+) listening (\d+)$/gm)]
    return told.length === frameworks.length && new Map(told.map(([, name, port]) => [name, Number(port)]))
  })
  for (const framework of frameworks) {
    const url = `http://127.0.0.1:${ports.get(framework)}`
    expect((await fetch(`${url}/users/7/orders/9?q=1`)).status, framework).toBe(200)
    expect((await fetch(`${url}/broken`)).status, framework).toBe(500)
  }
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  await receiver.close()

  const spans = receiver.spans.toSorted((a, b) => Number(a.startNano - b.startNano))
  const access = service.lines().filter(line => line.msg === 'request completed')
  const expectedCounts = new Map<string, number>()
  for (const framework of frameworks) {
    const template = framework === 'hapi' ? '/users/{user}/orders/{id}' : '/users/:user/orders/:id'
    for (const series of [`${template} 200`, '/broken 500'])
      expectedCounts.set(series, (expectedCounts.get(series) ?? 0) + 1)
    const [served, price, broken] = spans.splice(0, 3)
    const told = [served!, price!, broken!].map(span => [
      span.kind,
      span.name,
      span.parentSpanId,
      span.attributes['http.route'],
      span.attributes['server.port'],
    ])
    const port = ports.get(framework)
    expect(told, framework).toEqual([
      [2, `GET ${template}`, '', template, port],
      [1, 'price', served!.spanId, undefined, undefined],
      [2, 'GET /broken', '', '/broken', port],
    ])
    expect(price!.traceId).toBe(served!.traceId)
    const lines = access.splice(0, 2).map(line => [line.trace_id, line.span_id, line['http.route']])
    expect(lines, framework).toEqual([
      [served!.traceId, served!.spanId, template],
      [broken!.traceId, broken!.spanId, '/broken'],
    ])
  }
  expect([spans, access]).toEqual([[], []])
  const counted = metrics.matchAll(/server_\w+_seconds_count\{.*http_route="([^"]*)",\w+="(\d+)".* (\d+)/g)
  expect(new Map([...counted].map(([, route, status, count]) => [`${route} ${status}`, Number(count)]))).toEqual(
    expectedCounts,
  )
  const said = service
    .stderr()
    .split('\n')
    .filter(line => line.startsWith('shaketable'))
  expect(said).toEqual([expect.stringContaining('health and metrics')])
})

test.each(['22', '26'])('Node %s: faults strike each protocol, either way', async node => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const args = [vitest, 'run', '--project', 'house', 'sdk/test/faults-protocols.test.ts']
  const options = { cwd: root, env: { PATH: process.env.PATH, HOME: process.env.HOME } }
  const { stdout } = await promisify(execFile)(nodes[node]!(), args, options)
  expect(stripVTControlCharacters(stdout)).toMatch(/Tests +\d+ passed \(/)
})
