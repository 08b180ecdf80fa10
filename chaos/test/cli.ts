import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../bin/shaketable.mjs', import.meta.url))

/** A folder of a system that tests may shake. */
export const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))

export interface Finished {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** The command as a user starts it, with a state folder of its own. */
export class Shaketable {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  #stdout = ''
  #stderr = ''
  #heard: (() => void)[] = []

  constructor(args: string[], options: { state: string; cwd: string; env?: NodeJS.ProcessEnv }) {
    this.child = spawn(process.execPath, [bin, ...args], {
      cwd: options.cwd,
      env: { ...process.env, SHAKETABLE_STATE: options.state, NO_COLOR: '1', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.on('data', chunk => {
      this.#stdout += chunk
    })
    this.child.stderr?.on('data', chunk => {
      this.#stderr += chunk
      for (const heard of this.#heard.splice(0)) heard()
    })
    this.finished = new Promise(resolve => {
      this.child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
        for (const heard of this.#heard.splice(0)) heard()
      })
    })
  }

  get pid(): number {
    return this.child.pid as number
  }

  /** Resolves once stderr says it; rejects if the process ends without. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#stderr)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended without saying ${pattern}:\n${this.#stdout}\n${this.#stderr}`)
      }
      await new Promise<void>(resolve => this.#heard.push(resolve))
    }
  }
}

/** A folder for runs' state, with what is left in it and in the process table. */
export async function freshState() {
  const state = await mkdtemp(join(tmpdir(), 'shaketable-test-'))
  return {
    state,
    remove: () => rm(state, { recursive: true, force: true }),
    /** Names of runs that left a folder. */
    runs: () => readdir(join(state, 'runs')).catch(() => [] as string[]),
  }
}

/** Pids of living processes whose environment or command line holds the text (Linux), and the command line of which holds `running`. */
export async function processesWith(text: string, running = ''): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async pid => {
      if (pid === process.pid) return []
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '')
      const [environment, command] = await Promise.all([read('environ'), read('cmdline')])
      const ours = environment.includes(text) || command.includes(text)
      return command !== '' && ours && command.includes(running) ? [pid] : []
    }),
  )
  return found.flat()
}
