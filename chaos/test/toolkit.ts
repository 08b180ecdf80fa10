import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Finished, freshState, Shaketable } from './cli.ts'

/** Runs an experiment of the Chaos Toolkit, and makes sure that nothing of the run is left. */
export async function runToolkit(
  experiment: object,
  { args = [], env = {} }: { args?: string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const { state, runs, remove } = await freshState()
  try {
    const file = join(state, 'experiment.json')
    await writeFile(file, JSON.stringify({ title: 'real', description: 'On a real engine.', ...experiment }))
    const finished = await new Shaketable(['run', file, ...args], { state, cwd: state, env }).finished
    await rm(file)
    const left = await runs()
    if (left.length > 0) throw new Error(`left: ${left}`)
    return finished
  } finally {
    await remove()
  }
}
