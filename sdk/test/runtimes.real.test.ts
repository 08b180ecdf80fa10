import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { npmPackages } from '../../.ci/tools/npm.ts'
import { startReceiver } from './otlp-receiver.ts'
import { startService, stopServices } from './service.ts'

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
const rows = Object.keys(nodes).flatMap(node => Object.keys(forms).map(form => ({ node, form })))

test.each(rows)(
  'Node $node, $form: Express and Fastify have the same spans, counts and lines',
  async ({ node, form }) => {
    const program = nodes[node]!()
    expect(execFileSync(program, ['--version'], { encoding: 'utf8' })).toMatch(`v${node}.`)
    await Promise.all(['express', 'fastify'].map(framework => oneRun(framework, program, forms[form]!())))
  },
)

async function oneRun(framework: string, node: string, { file, flags = [] }: { file: string; flags?: string[] }) {
  const receiver = await startReceiver()
  const env = { FRAMEWORK: framework, OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
  const service = await startService(file, { env, node, flags })
  for (const [path, status] of [
    ['/users/7/orders/9?q=1', 200],
    ['/broken', 500],
  ] as const) {
    expect((await fetch(service.url + path)).status).toBe(status)
  }
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  await receiver.close()

  const template = '/users/:user/orders/:id'
  const spans = receiver.spans.toSorted((a, b) => Number(a.startNano - b.startNano))
  const [served, price, broken] = spans
  expect(spans.map(span => [span.kind, span.name, span.parentSpanId, span.attributes['http.route']])).toEqual([
    [2, `GET ${template}`, '', template],
    [1, 'price', served!.spanId, undefined],
    [2, 'GET /broken', '', '/broken'],
  ])
  expect(price!.traceId).toBe(served!.traceId)
  const counted = metrics.matchAll(/server_\w+_seconds_count\{.*http_route="([^"]*)",\w+="(\d+)".* (\d+)/g)
  expect([...counted].map(([, ...one]) => one.join(' '))).toEqual([`${template} 200 1`, '/broken 500 1'])
  const access = service.lines().filter(line => line.msg === 'request completed')
  expect(access.map(line => [line.trace_id, line.span_id, line['http.route']])).toEqual([
    [served!.traceId, served!.spanId, template],
    [broken!.traceId, broken!.spanId, '/broken'],
  ])
  const said = service
    .stderr()
    .split('\n')
    .filter(line => line.startsWith('shaketable'))
  expect(said).toEqual([expect.stringContaining('health and metrics')])
}
