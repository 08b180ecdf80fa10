import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { authorizationOf } from '@shaketable/sdk/faults'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { freePort } from '../../.ci/tools/free-port.ts'
import { goProgram } from '../../.ci/tools/go.ts'
import { eventually, LocalShop } from './local-shop.ts'

const house = fileURLToPath(new URL('../..', import.meta.url))
const scripts = join(house, 'demo-services/load/src')
const folder = mkdtempSync(join(tmpdir(), 'shaketable-load-'))
const suites = ['smoke', 'average', 'stress', 'spike', 'soak', 'breakpoint']
const key = 'a key of sixteen characters'
let k6: string

beforeAll(() => {
  k6 = goProgram('k6')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function runK6(...args: string[]): Promise<{ code: unknown; said: string }> {
  return new Promise(resolve => {
    execFile(k6, args, { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, said: `${stdout}${stderr}` }),
    )
  })
}

test('every suite is one that k6 takes, with open arrivals and the objectives as thresholds', async () => {
  expect(
    readdirSync(scripts)
      .filter(file => !/^(arrivals|journeys)/.test(file))
      .sort(),
  ).toEqual(suites.map(name => `${name}.ts`).sort())
  const readme = readFileSync(join(house, 'demo-services/load/README.md'), 'utf8')
  expect([...readme.matchAll(/^\| `(\w+)\.ts` /gm)].map(found => found[1])).toEqual(suites)
  const objectives = readdirSync(join(house, 'demo-services/objectives')).map(file => file.replace('.yaml', ''))
  for (const name of suites) {
    const { said } = await runK6('inspect', join(scripts, `${name}.ts`))
    const options = JSON.parse(said.slice(said.indexOf('{'))) as {
      scenarios: Record<string, { executor: string }>
      thresholds: Record<string, unknown>
    }
    expect(Object.keys(options.scenarios).sort()).toEqual(['browse', 'checkout'])
    for (const { executor } of Object.values(options.scenarios)) expect(executor).toBe('ramping-arrival-rate')
    for (const objective of objectives)
      expect(options.thresholds).toHaveProperty([`shaketable_good{objective:${objective}}`])
    expect(options.thresholds).toHaveProperty('dropped_iterations')
  }
})

test('the manifest for several pods names an archive, which k6 takes without the checkout', async () => {
  const { spec } = parse(readFileSync(join(house, 'demo-services/load/test-run.yaml'), 'utf8'))
  const suite = spec.script.configMap.file.replace('.tar', '')
  expect(suites).toContain(suite)
  const archived = await runK6('archive', join(scripts, `${suite}.ts`), '-O', spec.script.configMap.file)
  expect(archived).toMatchObject({ code: 0 })
  expect(await runK6('inspect', spec.script.configMap.file)).toMatchObject({ code: 0 })
})

/** A short run of the smoke suite; which of its thresholds were crossed. */
async function smoke(gateway: string) {
  const report = join(folder, 'summary.json')
  const env = ['-e', `GATEWAY_URL=${gateway}`, '-e', 'TIME=0.2']
  const { code, said } = await runK6(
    ...['run', '--no-usage-report', '--quiet', '--summary-export', report, ...env, join(scripts, 'smoke.ts')],
  )
  const { metrics } = JSON.parse(readFileSync(report, 'utf8')) as {
    metrics: Record<string, { thresholds?: Record<string, boolean> }>
  }
  // In this file `true` says that the threshold was crossed.
  const crossed = Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.values(thresholds).includes(true) ? [name] : [],
  )
  return { code, said, crossed }
}

test('the smoke suite is green on the healthy shop, and red while a fault fails checkouts', async () => {
  const control = await freePort()
  const faults = { SHAKETABLE_FAULTS: 'on', SHAKETABLE_FAULTS_KEY: key, SHAKETABLE_FAULTS_PORT: String(control) }
  const quiet = { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_PROMETHEUS_PORT: '0' }
  const flags = ['--import', '@shaketable/sdk/register']
  const shop = await LocalShop.start({
    extras: service => (service === 'gateway' ? { flags, env: { ...faults, ...quiet } } : {}),
  })
  try {
    const gateway = shop.urls('gateway')[0]!
    // What is slow here may be the machine: the objectives of latency are none of this test's.
    const healthy = await smoke(gateway)
    expect(healthy.crossed.filter(name => !name.includes('latency'))).toEqual([])
    expect(healthy.code).toBe(healthy.crossed.length > 0 ? 99 : 0)

    const fault = {
      effect: { kind: 'error', status: 503 },
      match: { direction: 'inbound', method: 'POST', path: '/checkout' },
      ...{ percent: 50, scope: 'attempt', seed: 1, leaseMs: 60_000 },
    }
    const call = { method: 'PUT', path: '/faults/refused', body: JSON.stringify(fault) }
    await eventually(async () => {
      const headers = { authorization: authorizationOf(call, key) }
      return (await fetch(`http://127.0.0.1:${control}${call.path}`, { ...call, headers })).ok
    })
    const struck = await smoke(gateway)
    expect(struck.code).toBe(99)
    expect(struck.crossed).toContain('shaketable_good{objective:checkout-availability}')
    expect(struck.crossed).not.toContain('shaketable_good{objective:browse-availability}')
  } finally {
    await shop.stop()
  }
})
