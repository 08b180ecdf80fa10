import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readExperiments } from '../src/experiment/read.ts'
import { validateFiles } from '../src/experiment/validate.ts'
import { fixture } from './cli.ts'
import { shaketable } from './in-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = (name: string) => readFile(join(root, name), 'utf8')
const blocks = (text: string) =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language, body]) => ({ language, body: body! }))

test('each command of the runner’s page runs, and prints what the page shows', async () => {
  const all = blocks(await page('chaos/README.md'))
  const commands = all.filter(({ language }) => language === 'sh')
  expect(commands.length).toBeGreaterThan(0)
  for (const command of commands) {
    const shown = all[all.indexOf(command) + 1]
    const { stdout } = await promisify(execFile)('sh', ['-c', command.body], { cwd: root })
    if (shown?.language === '') expect(stdout).toBe(shown.body)
  }
})

test('the example of the runner’s page is whole and sound, and its services are those of the duo', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'shaketable-docs-'))
  try {
    // The first line of a shown file is its name.
    const shown = new Map(
      blocks(await page('chaos/README.md'))
        .map(({ body }) => /^(?:#|\/\/) (\S+\.(?:yaml|mjs))\n([\s\S]*)$/.exec(body))
        .flatMap(match => (match ? [[match[1]!, match[2]!] as const] : [])),
    )
    for (const [name, body] of shown) {
      await mkdir(dirname(join(dir, name)), { recursive: true })
      await writeFile(join(dir, name), body)
      if (name.endsWith('.yaml')) continue
      expect(body, name).toBe(await readFile(join(fixture('duo'), name), 'utf8'))
    }
    const files = [...shown.keys()].filter(name => name.endsWith('.yaml'))
    const read = (path: string) => readFile(join(dir, path), 'utf8')
    const { problems, summaries } = await validateFiles(files, { read })
    expect(problems).toEqual([])
    expect(summaries.map(line => line.split(' "')[0])).toEqual([
      'system.yaml: System',
      'objectives/look-latency.yaml: SLO',
      'experiments/slow-back.yaml: Experiment',
    ])
    const [experiment] = await readExperiments(['experiments/slow-back.yaml'], { read })
    for (const { local } of experiment!.system.services) expect([...shown.keys()]).toContain(local!.command.at(-1))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('what the page packs and installs is there, and none of it is private', async () => {
  const [block] = blocks(await page('chaos/README.md')).filter(({ language }) => language === 'bash')
  const house = JSON.parse(await page('package.json'))
  for (const [, script] of block!.body.matchAll(/npm run (\w+)/g)) expect(house.scripts).toHaveProperty(script!)
  const rooms = [...block!.body.matchAll(/ \.\/(\w+)/g)].map(([, room]) => room!)
  const manifests = await Promise.all(rooms.map(async room => JSON.parse(await page(join(room, 'package.json')))))
  const packed = manifests.map(({ name }) => name)
  expect(packed).toContain('shaketable')
  for (const manifest of manifests) {
    expect(manifest.private).toBeUndefined()
    const ours = Object.keys(manifest.dependencies).filter(name => name.startsWith('@shaketable/'))
    expect(packed).toEqual(expect.arrayContaining(ours))
    expect(await page('chaos/README.md')).toContain(`\`${manifest.engines.node}\``)
  }
})

test('the page names every command that there is, and no other', async () => {
  const { stdout } = await promisify(execFile)('npx', ['shaketable', '--help'], { cwd: root })
  const there = [...stdout.matchAll(/^ {2}([a-z]+)(?= )/gm)].map(([, name]) => name).filter(name => name !== 'help')
  const table = (await page('chaos/README.md')).split('| exit code |')[0]!
  const named = [...table.matchAll(/^\| `([a-z]+)/gm)].map(([, name]) => name)
  expect(named).toEqual(there)
})

test('every npm script that a page of the house names exists', async () => {
  const scripts: Record<string, Record<string, string>> = {}
  for (const room of ['.', 'sdk', 'slo', 'chaos']) {
    const manifest = JSON.parse(await page(join(room, 'package.json')))
    scripts[room === '.' ? '' : manifest.name] = manifest.scripts
    scripts[room] = manifest.scripts
  }
  for (const name of ['README.md', 'CONTRIBUTING.md', 'demo-services/README.md']) {
    const named = [...(await page(name)).matchAll(/npm (?:run (?!-)([\w:]+)|(test|start)\b)(?: -w ([@\w/]+))?/g)]
    expect(named.length).toBeGreaterThan(0)
    for (const [said, script, builtIn, workspace = ''] of named) {
      expect(Object.keys(scripts[workspace] ?? {}), `${name}: ${said}`).toContain(script ?? builtIn)
    }
  }
})

test('every link of every page leads to a file that there is, and to a heading that it has', async () => {
  const headings = async (file: string) =>
    [...(await page(file)).matchAll(/^#+ (.*)$/gm)].map(([, words]) =>
      words!
        .toLowerCase()
        .replace(/[^\p{Letter}\p{Number} -]/gu, '')
        .replaceAll(' ', '-'),
    )
  const pages = globSync('**/*.md', { cwd: root, exclude: ['**/node_modules', '**/fixtures'] })
  expect(pages.length).toBeGreaterThan(20)
  for (const name of pages) {
    const links = [...(await page(name)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
    for (const [said, path, heading] of links) {
      const file = path ? join(dirname(name), path) : name
      expect(existsSync(join(root, file)), `${name}: ${said}`).toBe(true)
      if (heading) expect(await headings(file), `${name}: ${said}`).toContain(heading)
    }
  }
})

test('the workflow for GitHub Actions is sound, and uses flags that there are', async () => {
  const workflow = parse(await page('chaos/docs/github-actions.yml'))
  expect(Object.keys(workflow).sort()).toEqual(['jobs', 'name', 'on', 'permissions'])
  const { steps, ...job } = workflow.jobs.shake
  expect(job).toEqual({ 'runs-on': 'ubuntu-latest', 'timeout-minutes': 30 })
  for (const step of steps) {
    expect(Object.keys(step).filter(key => key === 'run' || key === 'uses')).toHaveLength(1)
    if (step.uses) expect(step.uses).toMatch(/^actions\/[a-z-]+(\/[a-z]+)?@v\d+$/)
    // What the shell of a step would read.
    if (step.run) await promisify(execFile)('bash', ['-n', '-c', step.run])
  }
  const said = steps.map((step: { run?: string }) => step.run ?? '').join('\n')
  const { stdout: help } = await shaketable(['run', '--help'])
  const flags = [...said.matchAll(/(?<![\w-])(--[a-z]+)/g)].map(([, flag]) => flag!)
  expect(flags).toEqual(expect.arrayContaining(['--report', '--baseline']))
  for (const flag of flags) expect(help).toContain(flag)
})
