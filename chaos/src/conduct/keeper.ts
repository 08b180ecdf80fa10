import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ShaketableError } from '@shaketable/slo'
import { seeProcess } from '../targets/local/process-table.ts'
import type { World } from '../world.ts'
import type { Journal } from './journal.ts'

/** No heartbeat for so long means that the runner is dead or frozen. */
const silenceMs = 3000
const startWithinMs = 15_000
const releaseWithinMs = 2000

/**
 * The small process that outlives a killed runner and undoes what it left: it resumes the frozen, ends the orphans and
 * removes the run's folder.
 */
export interface Keeper {
  readonly pid: number
  /** Call it at least every second; after 3 s of silence the keeper undoes the run. */
  beat(): void
  /** The run has undone everything itself. Resolves when the keeper has exited. Idempotent. */
  release(): Promise<void>
  /** Resolves with the reason if the keeper ends before it is released: the run has no safety net any more. */
  readonly died: Promise<string>
}

/** Starts the keeper of a run; resolves when it is watching. Start it before the first instance. */
export async function startKeeper(world: World, journal: Journal): Promise<Keeper> {
  const main = fileURLToPath(new URL(`./keeper-main${extname(import.meta.url)}`, import.meta.url))
  const child = spawn(
    process.execPath,
    ['--max-old-space-size=64', '--max-semi-space-size=1', main, journal.dir, String(silenceMs)],
    // A session and a group of its own, no terminal, and an environment without preloads or marks of a run.
    { detached: true, stdio: ['pipe', 'pipe', 'ignore'], cwd: '/', env: { PATH: world.env.PATH } },
  )
  child.stdin.on('error', () => {})
  let released: Promise<void> | undefined

  const ended = new Promise<string>(resolve => {
    child.on('error', error => resolve(`the keeper could not be started: ${error.message}`))
    child.on('exit', (code, signal) => resolve(`the keeper died (${signal ?? `exit code ${code}`})`))
  })
  const died = new Promise<string>(resolve => {
    ended.then(reason => {
      if (!released) resolve(reason)
    })
  })

  await watching(child, ended)
  const pid = child.pid as number
  await journal.append({ type: 'keeper-started', pid, startTime: seeProcess(pid)?.startTime ?? '' })
  child.unref()
  return {
    pid,
    beat: () => {
      if (child.stdin.writable) child.stdin.write('.')
    },
    release: () => {
      released ??= release(child, ended)
      return released
    },
    died,
  }
}

async function watching(child: ChildProcess & { stdout: NonNullable<ChildProcess['stdout']> }, ended: Promise<string>) {
  const tooLate = AbortSignal.timeout(startWithinMs)
  const failure = await Promise.race([
    once(child.stdout, 'data', { signal: tooLate }).then(
      () => undefined,
      error => (tooLate.aborted ? `the keeper was not watching after ${startWithinMs / 1000} s` : String(error)),
    ),
    ended,
  ])
  child.stdout.destroy()
  if (failure === undefined) return
  child.kill('SIGKILL')
  throw new ShaketableError('SHAKETABLE_NO_KEEPER', `${failure}, so nothing was started`)
}

async function release(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.ref()
  child.stdin?.end('R')
  const impatience = setTimeout(() => child.kill('SIGKILL'), releaseWithinMs)
  await ended
  clearTimeout(impatience)
}
