/** What a shell completes, asked of the shell itself where it is there. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { shaketable } from './in-process.ts'

async function script(shell: string): Promise<string> {
  const { code, stdout } = await shaketable(['completion', shell])
  expect(code).toBe(0)
  return stdout
}

/** What bash offers for the last word of a line. */
async function offered(line: string[]): Promise<string[]> {
  const ask = `${await script('bash')}
COMP_WORDS=(${line.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${line.length - 1}; _shaketable; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await promisify(execFile)('bash', ['-c', ask], { cwd: import.meta.dirname })
  return stdout.split('\n').filter(Boolean)
}

describe('bash completes', () => {
  test.each<[string[], string[]]>([
    [['shaketable', 'ru'], ['run']],
    [['shaketable', 'run', '--se'], ['--seed']],
    [
      ['shaketable', 'run', '--target', ''],
      ['local', 'docker'],
    ],
    [['shaketable', 'slo', 'expl'], ['explain']],
    [['shaketable', 'slo', 'rules', '--he'], ['--help']],
    [['shaketable', 'run', 'complet'], ['completion.test.ts']],
    [['shaketable', 'completion', 'fi'], ['fish']],
  ])('%j', async (line, words) => {
    expect(await offered(line)).toEqual(expect.arrayContaining(words))
  })
})

test('every command and option is in each script, and each is sound for its shell', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const text = await script(shell)
    for (const word of ['run', 'sweep', 'init', 'import']) expect(text).toContain(word)
    for (const option of ['seed', 'dry-run', 'max-connections']) expect(text).toContain(option)
  }
  await promisify(execFile)('bash', ['-n', '-c', await script('bash')])
})

test('another shell is refused with those that there are', async () => {
  const { code, stderr } = await shaketable(['completion', 'tcsh'])
  expect(code).toBe(2)
  expect(stderr).toMatch(/Allowed choices are bash, zsh, fish/)
})
