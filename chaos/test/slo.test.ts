import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { fixture } from './cli.ts'
import { shaketable } from './in-process.ts'

const objective = join(fixture('duo'), 'objectives')
let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'slo-test-'))
})
afterAll(() => rm(cwd, { recursive: true }))

const slo = (...argv: string[]) => shaketable(['slo', ...argv], cwd)

test('what was exported makes the same rules as what it was made of', async () => {
  const exported = await slo('export', objective)
  expect(exported).toMatchObject({ code: 0, stderr: '' })
  expect(exported.stdout).not.toContain('type: shaketable')
  await writeFile(join(cwd, 'exported.yaml'), exported.stdout)
  expect((await slo('rules', 'exported.yaml')).stdout).toBe((await slo('rules', objective)).stdout)
})

test('the conditions and the links of the alerts may be given, and Grafana gets the same alerts', async () => {
  const flags = ['--alert', 'page:10m/2h:3%', '--alert', 'ticket:1h/1d:10%', '--runbooks', 'https://wiki/runbooks']
  const rules = (await slo('rules', ...flags, objective)).stdout
  expect([...new Set(rules.match(/window: .*/g))]).toEqual(['window: 10m/2h', 'window: 1h/1d'])
  expect(rules).toContain('runbook: https://wiki/runbooks#errorbudgetburn')
  expect((await slo('tests', ...flags.slice(0, 4), objective)).stdout).toContain('fire 10m/2h within')
  const grafana = (await slo('rules', '--format', 'grafana', '--datasource', 'mimir', ...flags, objective)).stdout
  expect(grafana).toMatch(/^apiVersion: 1\n/)
  expect(grafana.match(/title: .*/g)).toEqual(
    [...rules.matchAll(/alert: (.*)/g)].map(([, name]) => expect.stringContaining(`title: ${name} `)),
  )
  expect((await slo('rules', '--alert', 'page:2h/10m:3%', objective)).stderr).toContain('Expected page or ticket')
})

test('an objective with too little traffic is warned of, by the rules and by validate, and made nevertheless', async () => {
  const quiet = (await readFile(join(objective, 'look-availability.yaml'), 'utf8')).replace(
    /metadata: \{ name: ([\w-]+)/,
    'metadata: { annotations: { shaketable.dev/traffic: 2/h }, name: $1',
  )
  await writeFile(join(cwd, 'quiet.yaml'), quiet)
  const warned =
    /^quiet\.yaml:3:28: warning: .* has too little traffic at 0\.0005556 events a second: .*\n {2}hint: More/
  const rules = await slo('rules', 'quiet.yaml')
  expect(rules).toMatchObject({ code: 0, stderr: expect.stringMatching(warned) })
  expect(rules.stdout).toContain('groups:')
  expect(await slo('rules', '--rate', '100/s', 'quiet.yaml')).toMatchObject({ code: 0, stderr: '' })
  expect((await slo('rules', '--rate', '2/h', objective)).stderr).toContain('has too little traffic')
  expect(await shaketable(['validate', 'quiet.yaml'], cwd)).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(warned),
  })
})

test('what was imported is read again, and what is not carried over is told with its place', async () => {
  await writeFile(join(cwd, 'sloth.yaml'), sloth)
  const imported = await slo('import', '--window', '28d', 'sloth.yaml')
  expect(imported.code).toBe(0)
  expect(imported.stderr).toMatch(/^sloth\.yaml:9:23: slos\[0\]\.alerting\.name is not carried over\n {2}hint: /)
  await writeFile(join(cwd, 'imported.yaml'), imported.stdout)
  const explained = await slo('explain', '--rate', '300/m', 'imported.yaml')
  expect(explained.stdout).toContain('gateway-availability: 99.9 % of the events of gateway are good, over 28d.')
  expect(explained.stdout).toContain('At 5 events a second, 12,096 of the 12,096,000 events of 28d may be bad.')
})

test('what cannot be imported is refused with its place, and nothing is printed', async () => {
  await writeFile(join(cwd, 'raw.yaml'), sloth.replace(/events:\n.*/, 'raw: { error_ratio_query: x }'))
  expect(await slo('import', 'sloth.yaml', 'raw.yaml')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'raw.yaml:7:12: slos[0].sli.raw: a ratio that is ready-made cannot be weighed by its events\n' +
      '  hint: use "events" with "error_query" and "total_query"\n',
  })
})

test('the commands of the objectives’ page run, one after the other', async () => {
  const page = await readFile(new URL('../../slo/README.md', import.meta.url), 'utf8')
  const [, block] = /```sh\n(npx shaketable slo import[\s\S]*?)```/.exec(page)!
  await writeFile(join(cwd, 'sloth.yaml'), sloth)
  for (const line of block!.trim().split('\n')) {
    const [, argv, into] = /^npx shaketable slo (.*) > (\S+) /.exec(line)!
    const { code, stdout } = await slo(...argv!.split(' '))
    expect(code, line).toBe(0)
    await writeFile(join(cwd, into!), stdout)
  }
})

test('the rules come as resources of the Prometheus operator too', async () => {
  const { stdout } = await slo('rules', '--format', 'operator', '--label', 'release=prom', '--label', 'a=b', objective)
  const [resource] = parseAllDocuments(stdout).map(document => document.toJS())
  expect(resource).toMatchObject({ kind: 'PrometheusRule', metadata: { labels: { release: 'prom', a: 'b' } } })
  expect(resource.spec.groups).toHaveLength(3)
})

test.each([
  [['rules', '--format', 'helm', 'x.yaml'], 'Allowed choices are prometheus, operator, grafana.'],
  [['rules', '--label', 'a', 'x.yaml'], 'Expected NAME=VALUE.'],
  [['explain', '--rate', 'fast', 'x.yaml'], 'Expected a rate over 0 such as 20/s or 300/m.'],
  [['import', '--window', '90s', 'x.yaml'], 'Expected whole minutes, at most 366 days, e.g. 28d.'],
  [['export'], 'missing required argument'],
])('`slo %s` is bad input, said in the world that it was given', async (argv, words) => {
  const { code, stderr } = await slo(...(argv as string[]))
  expect(code).toBe(2)
  expect(stderr).toContain(words)
})

const sloth = `version: prometheus/v1
service: gateway
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        { error_query: 'sum(rate(x{code="500"}[{{.window}}]))', total_query: 'sum(rate(x[{{.window}}]))' }
    alerting: { name: GatewayErrors }
`
