import { execFile, fork, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Shaketable } from './cli.ts'
import { shaketable as inProcess } from './in-process.ts'

vi.mock('node:child_process', { spy: true })

const chaos = fileURLToPath(new URL('..', import.meta.url))
const folder = 'chaos/test/bad-input'
const documents = 'chaos/test/fixtures/documents'
const cases = readdirSync(join(chaos, 'test/bad-input'))
  .filter(name => name.endsWith('.yaml'))
  .map(name => name.slice(0, -'.yaml'.length))

/** A working folder with the documents at the paths that the expected messages name, and experiments around them. */
let cwd: string
let state: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'bad-input-'))
  state = join(cwd, 'state')
  await symlink(chaos, join(cwd, 'chaos'))
  await mkdir(join(cwd, 'around'))
  await mkdir(join(cwd, 'empty'))
  await Promise.all(cases.map(name => writeFile(join(cwd, 'around', `${name}.yaml`), experimentAround(name))))
})
afterAll(() => rm(cwd, { recursive: true }))

/** A sound experiment that names the broken file as its system or its objective. */
function experimentAround(name: string): string {
  const sound = readFileSync(join(chaos, 'test/fixtures/documents/experiments/slow-payments.yaml'), 'utf8')
  const stood = name.startsWith('system') ? '../system.yaml' : '../objectives/checkout-latency.yaml'
  return sound
    .replace(stood, `../${folder}/${name}.yaml`)
    .replaceAll(/ \.\.\/(system|objectives)/g, ` ../${documents}/$1`)
    .replaceAll(/\[\.\.\/objectives/g, `[../${documents}/objectives`)
}

const fileOf = (name: string) => (name.startsWith('experiment') ? `${folder}/${name}.yaml` : `around/${name}.yaml`)
const expectedOf = (name: string) => readFileSync(join(chaos, `test/bad-input/${name}.expected`), 'utf8')

/** In this process, with a state folder of its own. */
const shaketable = (...argv: string[]) => inProcess(argv, cwd, { SHAKETABLE_STATE: state })

function expectNothingStarted() {
  for (const start of [spawn, fork, execFile]) expect(start).not.toHaveBeenCalled()
  expect(existsSync(state)).toBe(false)
}

describe('a broken file', () => {
  it.each(cases)('%s: exit 2, the place and the problem, and nothing is started', async name => {
    const result = await shaketable('run', fileOf(name), '--report', 'report', '--seed', '1')
    expect(result).toEqual({ code: 2, stdout: '', stderr: expectedOf(name) })
    expectNothingStarted()
    expect(existsSync(join(cwd, 'report'))).toBe(false)
  })

  it.each(['experiment-misspelt-field', 'system-command-as-text'])('%s, given to the real process', async name => {
    const finished = await new Shaketable(['run', fileOf(name)], { state, cwd }).finished
    // Ours. It shows that the watch on child processes would have seen another.
    expect(spawn).toHaveBeenCalledOnce()
    vi.mocked(spawn).mockClear()
    expect(finished).toEqual({ code: 2, signal: null, stdout: '', stderr: expectedOf(name) })
    expect(existsSync(state)).toBe(false)
  })

  it('beside a sound one is enough: all are read before anything is started', async () => {
    const { code, stderr } = await shaketable('run', `${documents}/experiments`, fileOf('experiment-blame'))
    expect({ code, stderr }).toEqual({ code: 2, stderr: expectedOf('experiment-blame') })
    expectNothingStarted()
  })
})

describe('a mistake on the command line: exit 2, and words that say what to do', () => {
  const sound = `${documents}/experiments/slow-payments.yaml`
  it.each<[string[], RegExp]>([
    [['rum', sound], /^error: unknown command 'rum'\n\(Did you mean run\?\)\n/],
    [['run', sound, '--sed', '1'], /^error: unknown option '--sed'\n\(Did you mean --seed\?\)\n/],
    [['run'], /^error: missing required argument 'file'\n/],
    [
      ['run', sound, '--seed', 'x'],
      /'--seed <number>' argument 'x' is invalid. Expected a whole number from 0 to 4294967295\./,
    ],
    [['run', sound, '--seed', '-1'], /Expected a whole number from 0/],
    [['run', sound, '--seed', '4294967296'], /Expected a whole number from 0/],
    [['run', sound, '--seed', ''], /Expected a whole number from 0/],
    [['run', sound, '--env', 'x'], /'--env <name=value>' argument 'x' is invalid. Expected NAME=VALUE\./],
    [['run', sound, '--env', '=x'], /Expected NAME=VALUE\./],
    [['run', sound, '--report'], /^error: option '--report <dir>' argument missing\n/],
    [['run', 'absent.yaml'], /absent\.yaml/],
    [['run', 'empty'], /^shaketable: empty holds no \.yaml file \[SHAKETABLE_EMPTY_FOLDER\]\n {2}hint: /],
    [['run', sound, '--report', `${sound}/x`], /^shaketable: cannot write to \S+\/x \(ENOTDIR\) \[\w+\]\n {2}hint: /],
    [['run', sound, '--junit', `${sound}/x.xml`], /^shaketable: cannot write to .* \[\w+\]\n {2}hint: /],
    [['validate', 'absent.yaml'], /absent\.yaml/],
    [['report', 'absent.json'], /^shaketable: cannot read absent\.json \(ENOENT\) \[\w+\]\n {2}hint: /],
    [['slo', 'rules', 'absent.yaml'], /absent\.yaml/],
    [['capacity', 'nowhere'], /Expected an http:\/\/ or https:\/\/ URL\./],
    [['sweep', 'all'], /^error: too many arguments/],
    [[], /^Usage: shaketable/],
  ])('shaketable %j', async (argv, words) => {
    const { code, stdout, stderr } = await shaketable(...argv)
    expect(stderr).toMatch(words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expectNothingStarted()
  })
})
