import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onCore } from './cores.ts'

/** What a load saw of the server. */
export interface Load {
  requests: number
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
}

export const connections = 20

/**
 * How long each connection thinks before it asks again, on average: some 1,000 requests a second, which every contender
 * serves with time to spare. Saturated, a request waits behind nineteen others, and its latency tells the throughput again.
 */
export const thinkMs = 20

/**
 * 20 connections by wrk, which costs its core so little that the server is what is measured, and which knows microseconds.
 * Without time to think they are a closed loop that takes all that the server has.
 */
export async function load(url: string, seconds: number, thinkMs = 0): Promise<Load> {
  const script = join(import.meta.dirname, 'wrk.lua')
  const pace = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s']
  const wrk = ['wrk', ...pace, '-s', script, url, '--', `${thinkMs}`]
  const [command = '', ...args] = onCore(1, wrk)
  const { stdout } = await promisify(execFile)(command, args)
  const seen = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{') + 1)) as Record<string, number>
  const { requests = 0, errors = 0, micros = 0, p50Micros = 0, p99Micros = 0 } = seen
  if (errors > 0 || requests === 0)
    throw new Error(`${url}: ${errors} of ${requests} requests failed; expected none to fail`)
  return {
    requests,
    requestsPerSecond: requests / (micros / 1e6),
    p50Ms: p50Micros / 1000,
    p99Ms: p99Micros / 1000,
  }
}
