import { exitCode, ShaketableError } from '@shaketable/slo'
import { Command, InvalidArgumentError } from 'commander'
import { type CapacityStep, measureCapacity } from '../load/capacity.ts'
import type { World } from '../world.ts'

interface Options {
  method: string
  header: Record<string, string>
  body?: string
  seconds: number
  maxConnections: number
  p99: number
  errors: number
  json?: boolean
}

/** `shaketable capacity URL`: the most that a running service takes. */
export function capacityCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('capacity')
    .description(
      'Find the most that a running service takes: a closed loop, its connections doubled until it no longer pays.',
    )
    .argument('<url>', 'what to ask for', httpUrl)
    .option('--method <method>', 'HTTP method', 'GET')
    .option('--header <name:value>', 'a request header (may be given again)', header, {})
    .option('--body <text>', 'request body')
    .option('--seconds <number>', 'how long each step lasts', positive, 3)
    .option('--max-connections <number>', 'where to stop', positive, 256)
    .option('--p99 <ms>', 'stop when the 99th percentile passes this', positive, 1000)
    .option('--errors <percent>', 'stop when more than this are not 2xx', positive, 1)
    .option('--json', 'print the result as JSON')
    .action(async (url: string, options: Options) => {
      await mustAnswer(url)
      const result = await measureCapacity(
        {
          url,
          method: options.method.toUpperCase(),
          headers: options.header,
          body: options.body,
          secondsPerStep: options.seconds,
          maxConnections: options.maxConnections,
          p99BoundMs: options.p99,
          errorBound: options.errors / 100,
        },
        world,
        step => world.stderr.write(`${inWords(step)}\n`),
      )
      if (options.json) world.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
      else if (result.best) world.stdout.write(`at most ${inWords(result.best)}; ${result.ended}\n`)
      else world.stdout.write(`no step kept to the bounds; ${result.ended}\n`)
      conclude(result.best ? exitCode.pass : exitCode.fail)
    })
}

/** A load on nothing would only count failures. */
async function mustAnswer(url: string): Promise<void> {
  try {
    const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(10_000) })
    await answer.body?.cancel()
  } catch (cause) {
    const { code, message } = ((cause as Error).cause ?? cause) as NodeJS.ErrnoException
    throw new ShaketableError('SHAKETABLE_NO_ANSWER', `nothing answers at ${url} (${code ?? message})`, {
      exitCode: exitCode.invalidInput,
      hint: 'start the service first: capacity measures one that runs already',
      cause,
    })
  }
}

function inWords(step: CapacityStep): string {
  const errors = step.errorRatio > 0 ? `, ${(step.errorRatio * 100).toFixed(2)} % errors` : ''
  return `${Math.round(step.requestsPerSecond)} requests/s over ${step.connections} ${step.connections === 1 ? 'connection' : 'connections'}, p50 ${latency(step.p50Ms)}, p99 ${latency(step.p99Ms)}${errors}`
}

/** autocannon tells whole milliseconds. */
function latency(ms: number): string {
  return ms < 1 ? '<1 ms' : `${ms} ms`
}

function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('Expected an http:// or https:// URL.')
  }
  return text
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Expected a number over 0.')
  return value
}

function header(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf(':')
  if (at < 1) throw new InvalidArgumentError('Expected NAME:VALUE.')
  return { ...before, [text.slice(0, at).trim()]: text.slice(at + 1).trim() }
}
