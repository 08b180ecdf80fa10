import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import type { World } from '../world.ts'
import type { HttpProvider, ProcessProvider } from './model.ts'

/** More of an output than this tells nobody more. */
const mostOutput = 1024 * 1024

export interface HttpAnswer {
  status: number
  headers: Record<string, string>
  body: unknown
}

export interface ProcessAnswer {
  status: number
  stdout: string
  stderr: string
}

/** What an experiment reaches beyond the runner. Both reject where there is no answer, and where the signal aborts. */
export interface Outside {
  http(provider: HttpProvider, signal: AbortSignal): Promise<HttpAnswer>
  process(provider: ProcessProvider, signal: AbortSignal): Promise<ProcessAnswer>
}

export const outside = (world: World): Outside => ({
  http: ask,
  process: (provider, signal) => execute(provider, world, signal),
})

async function ask(
  { url, method, headers, arguments: given, timeoutMs }: HttpProvider,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const to = new URL(url)
  const inQuery = method === 'GET' || method === 'HEAD'
  const form = typeof given === 'object' && given !== null ? formOf(given) : undefined
  if (inQuery && form) for (const [name, value] of form) to.searchParams.append(name, value)
  const late = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(to, {
      method,
      headers: { 'user-agent': 'shaketable', ...headers },
      body: inQuery || given === undefined || given === null ? null : (form ?? String(given)),
      signal: AbortSignal.any([signal, late]),
    })
    const text = await response.text()
    const json = response.headers.get('content-type') === 'application/json'
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: json ? JSON.parse(text) : text,
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    if (late.aborted)
      throw new Error(`${method} ${to.origin}${to.pathname} was not answered within ${timeoutMs / 1000} s`)
    const { message, cause: deeper } = cause as Error
    throw new Error(
      `${method} ${to.origin}${to.pathname} failed: ${(deeper as Error | undefined)?.message || (deeper as NodeJS.ErrnoException)?.code || message}`,
    )
  }
}

/** As a form has it: a list is its name again and again. */
function formOf(given: object): URLSearchParams {
  const pairs = Object.entries(given).flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name, String(each)]),
  )
  return new URLSearchParams(pairs)
}

/** In a process group of its own, all of which ends when its time is over or the run is. */
function execute(
  { path, args, timeoutMs }: ProcessProvider,
  world: World,
  signal: AbortSignal,
): Promise<ProcessAnswer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const child = spawn(path, args, {
      cwd: world.cwd,
      env: world.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stdout = collect(child.stdout)
    const stderr = collect(child.stderr)
    let ended: Error | undefined
    const end = (why: Error) => {
      ended ??= why
      try {
        process.kill(-(child.pid as number), 'SIGKILL')
      } catch {
        // It has just ended by itself.
      }
    }
    const interrupt = () => end(new Error(`${path} was ended: ${signal.reason}`))
    const late =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => end(new Error(`${path} took longer than ${timeoutMs / 1000} s, and was ended`)), timeoutMs)
    signal.addEventListener('abort', interrupt, { once: true })
    const settle = () => {
      clearTimeout(late)
      signal.removeEventListener('abort', interrupt)
    }
    child.on('error', cause => {
      settle()
      reject(new Error(`${path} cannot be run: ${cause.message}`, { cause }))
    })
    child.on('close', (code, killed) => {
      settle()
      if (ended) reject(ended)
      else if (code === null) reject(new Error(`${path} was ended by ${killed}`))
      else resolve({ status: code, stdout: stdout(), stderr: stderr() })
    })
  })
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const decoder = new StringDecoder('utf8')
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    if (text.length < mostOutput) text += decoder.write(chunk)
  })
  return () => text.slice(0, mostOutput)
}

/** Whether a program is there, as a shell would look for it. */
export function isRunnable(path: string, { env, cwd }: Pick<World, 'env' | 'cwd'>): boolean {
  const places = path.includes('/')
    ? [resolve(cwd, path)]
    : (env.PATH ?? '').split(delimiter).map(dir => join(dir, path))
  return places.some(place => {
    try {
      accessSync(place, constants.X_OK)
      return statSync(place).isFile()
    } catch {
      return false
    }
  })
}
