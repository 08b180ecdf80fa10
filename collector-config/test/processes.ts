import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a program to its end and returns its exit code with all it said. */
export function run(program: string, args: string[], cwd = process.cwd()): { code: number; said: string } {
  try {
    return { code: 0, said: String(execFileSync(program, args, { cwd, stdio: 'pipe' })) }
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number | null; stdout?: Buffer; stderr?: Buffer }
    if (status === null || status === undefined) throw error
    return { code: status, said: `${stdout ?? ''}${stderr ?? ''}` }
  }
}

export interface Engine {
  /** All that it wrote. */
  said(): string
  /** Ends it as kill -9 does, and waits until it is gone. */
  kill(): Promise<void>
}

const alive = new Set<ChildProcess>()

/** Starts an engine, and returns when `ready` gives something; throws with its words if it ends before. */
export async function startEngine(
  program: string,
  args: string[],
  options: { env?: Record<string, string>; ready: (said: string) => unknown },
): Promise<Engine> {
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...options.env }, stdio: 'pipe' })
  alive.add(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk))
  const ended = once(child, 'close').then(() => alive.delete(child))
  await until(async () => {
    if (!alive.has(child)) throw new Error(`${program} ended early:\n${said}`)
    return options.ready(said)
  })
  return {
    said: () => said,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Ends what a failed test left running. */
export async function stopEngines(): Promise<void> {
  for (const child of alive) {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

/** Polls until `look` gives something that is neither undefined nor false. */
export async function until<Result>(look: () => Result | Promise<Result>, withinMs = 120_000) {
  const end = performance.now() + withinMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen as Exclude<Result, undefined | false>
    if (performance.now() > end) throw new Error(`not seen within ${withinMs} ms: ${look}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
