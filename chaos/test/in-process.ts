import { Writable } from 'node:stream'
import { run } from '../src/main.ts'
import { processWorld } from '../src/world.ts'

/** `shaketable ARGV…` in this process: what it printed, and its exit code. */
export async function shaketable(argv: string[], cwd = process.cwd(), env = process.env) {
  const said = { stdout: '', stderr: '' }
  const into = (stream: keyof typeof said) =>
    new Writable({
      write(chunk, _encoding, done) {
        said[stream] += chunk
        done()
      },
    })
  const world = {
    ...processWorld(new AbortController().signal),
    cwd,
    env,
    stdout: into('stdout'),
    stderr: into('stderr'),
  }
  const code = await run(argv, world)
  return { code, ...said }
}
