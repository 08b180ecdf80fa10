import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { freePort } from '../../.ci/tools/free-port.ts'
import { panels } from '../../dashboards/test/everything.ts'
import { until } from './processes.ts'

// The page's files and commands as they stand there, but for ports that are free, and a Prometheus in more haste.

const house = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(new URL('../../slo/docs/your-service.md', import.meta.url), 'utf8')
const marked = /<!-- (?<mark>file|run): (?<name>\S+) -->\n```\w+\n(?<text>[\s\S]*?)```/g
const blocks = [...page.matchAll(marked)].map(match => match.groups as { mark: string; name: string; text: string })
const folder = mkdtempSync(join(tmpdir(), 'shaketable-newcomer-'))
const running: ChildProcess[] = []
let ports: Record<string, string>
let prometheus: string

beforeAll(async () => {
  installDebianPackages('prometheus', 'curl')
  const [service, admin, server] = await Promise.all([freePort(), freePort(), freePort()])
  ports = { 3000: String(service), 9464: String(admin), 9090: String(server) }
  prometheus = `http://127.0.0.1:${server}`
  for (const { mark, name, text } of blocks) {
    if (mark !== 'file') continue
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), here(text).replaceAll('interval: 15s', 'interval: 1s'))
  }
  // What npm would install.
  symlinkSync(join(house, 'node_modules'), join(folder, 'node_modules'))
})

afterAll(async () => {
  for (const child of running) {
    // With all that its shell has started.
    if (child.exitCode === null && process.kill(-child.pid!, 'SIGKILL')) await once(child, 'close')
  }
  rmSync(folder, { recursive: true, force: true })
})

/** With the ports that are this test's. */
function here(text: string): string {
  return text.replaceAll(/\b(?:3000|9464|9090)\b/g, port => ports[port]!)
}

function start(name: string) {
  const { text } = blocks.find(block => block.mark === 'run' && block.name === name)!
  const child = spawn('bash', ['-ec', here(text)], {
    cwd: folder,
    detached: true,
    env: {
      ...process.env,
      PATH: `${join(folder, 'node_modules/.bin')}:${dirname(process.execPath)}:${process.env.PATH}`,
      NODE_OPTIONS: '--conditions=@shaketable/source',
      OTEL_EXPORTER_PROMETHEUS_PORT: ports[9464],
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk))
  return { child, said: () => said }
}

async function run(name: string): Promise<string> {
  const { child, said } = start(name)
  const [code] = await once(child, 'close')
  expect({ name, code, said: code === 0 ? '' : said() }).toEqual({ name, code: 0, said: '' })
  return said()
}

test('the page leads from an empty folder to a dashboard with data, and to an alert that was tested and fires', async () => {
  start('service')
  await until(() => answers(`http://127.0.0.1:${ports[3000]}/hello/you`))
  start('use')
  expect(await run('objectives')).toMatch(/SLO "greeter-availability": .* over 30 ?d/)
  expect(await run('rules')).toContain('SUCCESS')
  start('prometheus')
  await until(() => answers(`${prometheus}/-/ready`))

  let empty: string[] = []
  await until(async () => {
    const each = await Promise.all(shown.map(async ({ title, exprs }) => ((await anyHasValues(exprs)) ? [] : [title])))
    empty = each.flat()
    return empty.length === 0
  }).catch(() => expect(empty).toEqual([]))
  // The rules of either objective have a time of their own.
  await until(async () => (await run('ask')).includes('greeter-availability'))

  await run('break')
  const fires = async () => {
    const { data } = JSON.parse(await run('alerts')) as { data: { alerts: { labels: object; state: string }[] } }
    return data.alerts.find(({ labels, state }) => state === 'firing' && 'slo' in labels && 'severity' in labels)
  }
  const alert = await until(fires)
  expect(alert.labels).toMatchObject({ alertname: 'ErrorBudgetBurn', service: 'greeter' })
})

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined)
  await answer?.text()
  return answer?.ok ?? false
}

/** The panels of the four dashboards, with the variables as they are when one is opened. */
const shown = panels
  .filter(({ dashboard }) => /overview|service|objectives|runtime/.test(dashboard.uid!))
  .filter(({ panel }) => !/Empty while/.test(panel.description ?? ''))
  .map(({ dashboard, panel, targets }) => ({
    title: `${dashboard.title}: ${panel.title}`,
    exprs: targets.map(({ expr = '' }) =>
      expr
        .replaceAll('$__rate_interval', '15s')
        .replaceAll('$__range', '2m')
        .replaceAll(/=~"\$\w+"/g, '=~".*"')
        .replaceAll('"$service"', '"greeter"'),
    ),
  }))

async function anyHasValues(queries: string[]): Promise<boolean> {
  return (await Promise.all(queries.map(hasValues))).includes(true)
}

async function hasValues(query: string): Promise<boolean> {
  const answer = await fetch(`${prometheus}/api/v1/query?${new URLSearchParams({ query })}`)
  const { data } = (await answer.json()) as { data?: { result: { value: [number, string] }[] } }
  return data?.result.some(({ value }) => Number.isFinite(Number(value[1]))) ?? false
}
