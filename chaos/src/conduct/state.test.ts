import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeRunFolder, removeEmptyParents, runFolders, statePlaces } from './state.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'state-'))
})
afterEach(() => rm(dir, { recursive: true }))

it('prefers $SHAKETABLE_STATE, then $XDG_STATE_HOME, then the home folder, and knows the temporary folder last', () => {
  const runsOf = (env: NodeJS.ProcessEnv) => statePlaces(env).map(({ runs }) => runs)
  expect(runsOf({ SHAKETABLE_STATE: '/a', XDG_STATE_HOME: '/b', HOME: '/c' })[0]).toBe('/a/runs')
  expect(runsOf({ XDG_STATE_HOME: '/b', HOME: '/c' })[0]).toBe('/b/shaketable/runs')
  expect(runsOf({ HOME: '/c' })[0]).toBe('/c/.local/state/shaketable/runs')
  expect(runsOf({})[0]).toBe(join(homedir(), '.local/state/shaketable/runs'))
  expect(runsOf({ HOME: '/c' })[1]).toContain(tmpdir())
})

it('makes a folder that only its user may read, and takes the empty parents away again', async () => {
  const env = { HOME: dir }
  const made = await makeRunFolder(env, 'one')
  expect((await stat(made.dir)).mode & 0o777).toBe(0o700)
  expect((await runFolders(env)).filter(({ stays }) => stays === dir).map(({ runId }) => runId)).toEqual(['one'])
  await rm(made.dir, { recursive: true })
  await removeEmptyParents(made)
  expect(await readdir(dir)).toEqual([])
})

it('leaves parents that hold something else', async () => {
  const env = { XDG_STATE_HOME: dir }
  const [one] = [await makeRunFolder(env, 'one'), await makeRunFolder(env, 'two')]
  await rm(one.dir, { recursive: true })
  await removeEmptyParents(one)
  expect(await readdir(one.runs)).toEqual(['two'])
})

it('falls back to the temporary folder where the first place cannot be written', async () => {
  const blocked = join(dir, 'file')
  await writeFile(blocked, '')
  const made = await makeRunFolder({ SHAKETABLE_STATE: join(blocked, 'state') }, `fallback-${process.pid}`)
  try {
    expect(made.dir.startsWith(tmpdir())).toBe(true)
  } finally {
    await rm(made.dir, { recursive: true })
    await removeEmptyParents(made)
  }
})

it.runIf(process.getuid?.() === 0)('does not trust a folder of another user', async () => {
  const { chown } = await import('node:fs/promises')
  const runs = join(dir, 'shaketable', 'runs')
  await mkdir(join(runs, '20261121-000000-1-aaaaaa'), { recursive: true })
  await chmod(runs, 0o777)
  await chown(join(runs, '20261121-000000-1-aaaaaa'), 65534, 65534)
  expect((await runFolders({ XDG_STATE_HOME: dir })).filter(({ stays }) => stays === dir)).toEqual([])
})
