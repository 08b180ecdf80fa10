import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './service.ts'

const house = fileURLToPath(new URL('../..', import.meta.url))
const page = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const readme = page('README.md')
const pages = ['logs', 'custom-telemetry', 'faults', 'migration'].map(name => page(`docs/${name}.md`))

interface Block {
  mark: 'file' | 'run' | 'prints'
  name: string
  language: string
  text: string
}
const marked = /<!-- (?<mark>file|run|prints): (?<name>\S+) -->\n```(?<language>\w*)\n(?<text>[\s\S]*?)```/g
const blocksOf = (text: string) => [...text.matchAll(marked)].map(match => match.groups as unknown as Block)
const blocks = [readme, ...pages].flatMap(blocksOf)
const block = (mark: Block['mark'], name: string) => blocks.find(one => one.mark === mark && one.name === name)!.text

/** Stands for the registry: installs what is named from this workspace. */
const npm = `#!${process.execPath}
const { existsSync, mkdirSync, readFileSync, symlinkSync } = require('node:fs')
const { dirname, join } = require('node:path')
const [command, ...names] = process.argv.slice(2)
if (command !== 'install' || names.length === 0) throw new Error('expected: npm install <names>')
for (const name of names) {
  const from = join(${JSON.stringify(house)}, 'node_modules', name)
  if (!existsSync(from)) throw new Error(name + ' does not exist')
  mkdirSync(dirname(join('node_modules', name)), { recursive: true })
  symlinkSync(from, join('node_modules', name))
  const { bin = {} } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
  mkdirSync('node_modules/.bin', { recursive: true })
  for (const [command, file] of Object.entries(bin)) symlinkSync(join(from, file), join('node_modules/.bin', command))
}
`
/** Last on the path: only where there is no curl. */
const curl = `#!${process.execPath}
const words = process.argv.slice(2)
const after = flag => (words.includes(flag) ? words[words.indexOf(flag) + 1] : '')
const [name, value] = after('-H').split(': ')
fetch('http://' + words.at(-1), { method: after('-X') || 'GET', headers: name ? { [name]: value } : {} }).then(async answer => process.stdout.write(await answer.text()))
`

let project: string
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'shaketable-readme-'))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  for (const [folder, name, script] of [
    ['first', 'npm', npm],
    ['last', 'curl', curl],
  ] as const) {
    mkdirSync(join(project, folder))
    writeFileSync(join(project, folder, 'package.json'), '{ "type": "commonjs" }')
    writeFileSync(join(project, folder, name), script, { mode: 0o755 })
  }
  // What the service of the example has, before it knows the SDK.
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true })
  for (const name of ['express', 'pino', 'pg', '@types/pg', '@types/node'])
    symlinkSync(join(house, 'node_modules', name), join(project, 'node_modules', name))
  for (const { mark, name, text } of blocks) if (mark === 'file') writeFileSync(join(project, name), text)
})

const shells = new Set<ChildProcess>()
afterAll(async () => {
  for (const shell of shells) {
    process.kill(-shell.pid!, 'SIGKILL')
    if (shell.exitCode === null && shell.signalCode === null) await once(shell, 'close')
  }
  rmSync(project, { recursive: true })
})

const environment = () => ({
  ...process.env,
  PATH: [join(project, 'first'), dirname(process.execPath), process.env.PATH, join(project, 'last')].join(delimiter),
})

/** Runs a block until the service in it listens; the ports are free ones. */
async function serve(script: string, more: Record<string, string> = {}) {
  const env = {
    PORT: '0',
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    OTEL_BSP_SCHEDULE_DELAY: '20',
    PGPORT: '1',
    PGHOST: '127.0.0.1',
    ...more,
  }
  const shell = spawn('sh', ['-e', '-c', script], {
    cwd: project,
    env: { ...environment(), ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  shells.add(shell)
  let printed = ''
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding('utf8').on('data', text => (printed += text))
  const ended = once(shell, 'close').then(() => {
    shells.delete(shell)
    return Promise.reject(new Error(printed))
  })
  ended.catch(() => {})
  const look = () => {
    const port = /listening on (\d+)/.exec(printed)?.[1]
    const admin = /health and metrics are on http:\/\/(\S+)/.exec(printed)?.[1]
    return port !== undefined && admin !== undefined && { url: `localhost:${port}`, admin }
  }
  const at = await Promise.race([until(look), ended])
  return { ...at, printed: () => printed }
}

/** Whether the text holds every line of a `prints` block: `…` is anything, the ids are those of this run, and its times are others. */
function matchLines(name: string, text: string): void {
  const traceId = /"trace_id":"(\w{8})/.exec(server.printed())![1]!
  const spanId = /"span_id":"(\w{8})/.exec(server.printed())![1]!
  const lines = block('prints', name).replaceAll('350bd809', traceId).replaceAll('3b7e33b5', spanId).trim().split('\n')
  const plain = text.replace(/\s+/g, ' ')
  for (const line of lines) {
    const pattern = line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\d+\\\.\d+/g, '[\\d.e-]+')
    expect(plain).toMatch(new RegExp(pattern.replaceAll('…', '.*?')))
  }
}

let server: Awaited<ReturnType<typeof serve>>

test('the first screen: one flag, and one trace id in the log, the access line, the span and the metric', async () => {
  server = await serve(block('run', 'server.js'))
  const script = block('run', 'curl')
    .replaceAll('localhost:3000', server.url)
    .replaceAll('localhost:9464', server.admin)
  const { stdout } = await promisify(execFile)('sh', ['-e', '-c', script], { env: environment() })
  expect(stdout).toMatch(/^\{"id":"7"\}/)
  expect(stdout).toMatch(/ok\n$/)
  matchLines('curl', stdout)
  await until(() => server.printed().includes('request completed') && server.printed().includes('GET /orders/:id'))
  matchLines('server.js', server.printed())
})

test('a readiness check and a route from code', async () => {
  const { admin, url, printed } = await serve(block('run', 'orders.ts'))
  const ready = await fetch(`http://${admin}/readyz`)
  expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('database: ')])
  expect(printed()).toContain('"name":"orders"')
  await fetch(`http://${url}/orders/8`)
  await until(() => printed().includes('"http.route":"/orders/:id"'))
})

test("start with an exporter of one's own", async () => {
  const { url, printed } = await serve(block('run', 'main.ts'))
  await fetch(`http://${url}/orders/8`)
  await until(() => printed().includes('exporting GET /orders/:id'))
})

test('logs over OTLP, and their level at run time', async () => {
  const env = { SHAKETABLE_ADMIN_KEY: 'sixteen characters', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }
  const { admin } = await serve(block('run', 'logs'), env)
  const script = block('run', 'levels').replaceAll('localhost:9464', admin)
  const { stdout } = await promisify(execFile)('sh', ['-e', '-c', script], { env: { ...environment(), ...env } })
  matchLines('levels', stdout)
})

test("spans, metrics and logs of one's own", async () => {
  const { url, admin, printed } = await serve(block('run', 'shop.js'))
  await fetch(`http://${url}/glass`)
  await until(() => printed().includes('GET /:kind'))
  matchLines('shop.js', printed())
  const script = block('run', 'scrape').replaceAll('localhost:9464', admin)
  matchLines('scrape', (await promisify(execFile)('sh', ['-e', '-c', script], { env: environment() })).stdout)
})

test('faults are switched on, and say where they are controlled', async () => {
  const { printed } = await serve(block('run', 'faults'))
  await until(() => /fault.*http:\/\/127\.0\.0\.1:\d+/.test(printed()))
})

test('the doctor, as the README and its own page call it', async () => {
  const page = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8')
  const [[, withFlag], ...more] = [...page.matchAll(/^```sh\n([\s\S]*?)```$/gm)] as [RegExpMatchArray]
  expect(more).toEqual([])
  const env = { ...environment(), PORT: '0', OTEL_EXPORTER_PROMETHEUS_PORT: '0', OTEL_TRACES_EXPORTER: 'none' }
  const call = (script: string) =>
    promisify(execFile)('sh', ['-e', '-c', script], { cwd: project, env: { ...env, npm_config_offline: 'true' } })
  expect(block('run', 'migrated')).toBe(withFlag)
  const [healthy, missing] = await Promise.allSettled([call(withFlag!), call(block('run', 'doctor'))])
  expect(healthy).toMatchObject({ value: { stdout: expect.stringContaining('all well') } })
  expect(missing).toMatchObject({ reason: { code: 1, stdout: expect.stringContaining(block('prints', 'doctor')) } })
})

test('the TypeScript examples compile', async () => {
  const files = blocks.filter(one => one.language === 'ts').map(one => one.name)
  expect(files.length).toBeGreaterThan(1)
  const config = {
    extends: join(house, 'tsconfig.base.json'),
    compilerOptions: { noEmit: true, allowJs: true, types: ['node'] },
    files,
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(house, 'node_modules/.bin/tsc')
  await promisify(execFile)(tsc, ['-p', project], { env: environment() }).catch(({ stdout }) => expect(stdout).toBe(''))
})

test('every command and every program of these pages is marked, and so was run here', () => {
  const fences = [...[readme, ...pages].join('\n').matchAll(/^```(sh|bash|ts|js|mjs|cjs)$/gm)]
  expect(blocks.filter(one => one.mark !== 'prints')).toHaveLength(fences.length)
  expect(existsSync(join(project, 'node_modules/@shaketable/sdk'))).toBe(true)
})
