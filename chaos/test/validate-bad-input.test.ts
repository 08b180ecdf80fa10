import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitCode, formatProblem, InvalidInput } from '@shaketable/slo'
import { describe, expect, it } from 'vitest'
import { readExperiments } from '../src/experiment/read.ts'
import { validateFiles } from '../src/experiment/validate.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = 'chaos/test/bad-input'
const documents = 'chaos/test/fixtures/documents'
const disk = { read: (path: string) => readFile(resolve(root, path), 'utf8') }
const names = readdirSync(resolve(root, folder))
/** What was meant is known to `run`, and only guessed by `validate`. */
const dependsOnUse = new Set(['experiment-system-instead', 'experiment-wrong-kind', 'objective-sloth-file'])
const cases = names.filter(name => name.endsWith('.yaml')).map(name => name.slice(0, -'.yaml'.length))

/** One defect a file; what is said about it stands whole in the `.expected` file beside it. */
describe('the table of bad inputs', () => {
  it('holds at least 45 files, each with what is expected of it, and nothing else', () => {
    expect(cases.length).toBeGreaterThanOrEqual(45)
    const expected = names.filter(name => name.endsWith('.expected')).map(name => name.slice(0, -'.expected'.length))
    expect(expected.sort()).toEqual(cases.toSorted())
    for (const name of cases) {
      const words = readFileSync(resolve(root, folder, `${name}.expected`), 'utf8')
      expect(words).toMatch(/^\S+\.yaml:\d+:\d+: \S/)
    }
  })

  it.each(cases)('%s', async name => {
    const file = `${folder}/${name}.yaml`
    const error = await rejection(readExperiments([experimentAround(file).file], experimentAround(file).source))
    expect(error).toBeInstanceOf(InvalidInput)
    const invalid = error as InvalidInput
    expect(invalid.code).toBe('SHAKETABLE_INVALID_INPUT')
    expect(invalid.exitCode).toBe(exitCode.invalidInput)
    await expect(`${invalid.message}\n`).toMatchFileSnapshot(`bad-input/${name}.expected`)
    // `validate` says of the file alone what `run` says of it.
    const { problems, summaries } = await validateFiles([file], disk)
    if (dependsOnUse.has(name)) expect(problems.length).toBeGreaterThan(0)
    else expect(problems.map(formatProblem).join('\n')).toBe(invalid.message)
    expect(summaries).toEqual([])
  })
})

/** The file itself, or a sound experiment that names it as its system or objective. */
function experimentAround(file: string) {
  const kind = file.slice(folder.length + 1).split('-')[0]
  if (kind === 'experiment') return { file, source: disk }
  const sound = readFileSync(resolve(root, documents, 'experiments/slow-payments.yaml'), 'utf8')
  const name = kind === 'system' ? '../system.yaml' : '../objectives/checkout-latency.yaml'
  const text = sound.replace(name, `../../../bad-input/${file.slice(folder.length + 1)}`)
  expect(text).not.toBe(sound)
  const experiment = `${documents}/experiments/around.yaml`
  return { file: experiment, source: { read: async (path: string) => (path === experiment ? text : disk.read(path)) } }
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}
