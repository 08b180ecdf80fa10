import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import { Command, InvalidArgumentError } from 'commander'
import { readExperiments } from '../experiment/read.ts'
import { firstFiles, promiseOf } from '../init/first-files.ts'
import { seenRoutes } from '../init/telemetry.ts'
import type { World } from '../world.ts'
import { fileSource } from './files.ts'

interface Options {
  service?: string
  command?: string
  path?: string
  dir: string
}

const timeoutMs = 10_000
const watchMs = 2000
const leastRate = 20
const mostRate = 200

/** `shaketable init URL`: a first experiment for one's own service, from what its telemetry shows. */
export function initCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('init')
    .description(
      'Write a system, objectives and a first experiment for a running service, from what its /metrics show.',
    )
    .argument('<url>', 'its health and metrics listener, e.g. http://127.0.0.1:9464', httpUrl)
    .option('--service <name>', 'what to call it; by default the name in package.json')
    .option('--command <text>', 'how to start it; by default what `npm start` does')
    .option('--path <path>', 'the path to ask for, where the busiest route has parameters')
    .option('--dir <dir>', 'where to write', '.')
    .action(async (url: string, options: Options) => {
      await init(url, options, world)
      conclude(exitCode.pass)
    })
}

async function init(url: string, options: Options, world: World): Promise<void> {
  const before = await metricsOf(url)
  const began = world.clock.now()
  await world.clock.sleep(watchMs, world.signal)
  const routes = seenRoutes(await metricsOf(url))
  // Asking again and again is safe for these alone, as far as one can know.
  const route = routes.find(({ method }) => method === 'GET')
  if (!route) {
    const saw = routes.map(({ method, route }) => `${method} ${route}`).join(', ') || 'none at all'
    throw refused(`${url} tells of no GET that was answered on a named route, saw ${saw}`, {
      hint: 'send it some requests, then try again',
    })
  }
  const earlier = seenRoutes(before).find(each => each.method === route.method && each.route === route.route)
  const perSecond = ((route.requests - (earlier?.requests ?? 0)) * 1000) / (world.clock.now() - began)
  const { name, start } = await packageIn(world.cwd)
  const service = options.service ?? name
  const command = wordsOf(options.command ?? start)
  const dir = resolve(world.cwd, options.dir)
  const files = firstFiles({
    service,
    // Commands start in the folder of the system file.
    command,
    promise: promiseOf(route),
    path: options.path ?? route.route.replace(/:\w+|\{\w+\}|\*\w*/g, '1'),
    ratePerSecond: Math.min(mostRate, Math.max(leastRate, Math.round(perSecond))),
  })
  for (const [file, text] of Object.entries(files)) {
    const path = join(dir, file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EEXIST' ? 'is there already' : `cannot be written (${cause.code})`
      throw refused(`${relative(world.cwd, path)} ${why}`, { hint: 'name another folder with --dir', cause })
    })
    world.stdout.write(`${relative(world.cwd, path)}\n`)
  }
  const experiment = join(dir, `experiments/slow-${service}.yaml`)
  // What we write must be as sound as what others write.
  await readExperiments([experiment], fileSource(world))
  const seen = `${route.method} ${route.route}, ${Math.round(perSecond)}/s`
  world.stderr.write(`from what it shows of ${seen}\nnext: shaketable run ${relative(world.cwd, experiment)}\n`)
}

async function metricsOf(url: string): Promise<string> {
  const at = new URL(url)
  if (!at.pathname.endsWith('/metrics')) at.pathname = at.pathname.replace(/\/*$/, '/metrics')
  try {
    const response = await fetch(at, { headers: { accept: 'text/plain' }, signal: AbortSignal.timeout(timeoutMs) })
    if (!response.ok) throw new Error(`it answered ${response.status}`)
    return await response.text()
  } catch (cause) {
    const { code, message } = ((cause as Error).cause ?? cause) as NodeJS.ErrnoException
    throw refused(`no metrics at ${at} (${code ?? message})`, {
      hint: 'start the service with the SDK, which serves them on port 9464 unless OTEL_EXPORTER_PROMETHEUS_PORT says else',
      cause,
    })
  }
}

async function packageIn(cwd: string): Promise<{ name: string; start: string }> {
  const text = await readFile(join(cwd, 'package.json'), 'utf8').catch(() => '{}')
  const { name, scripts } = JSON.parse(text) as { name?: string; scripts?: { start?: string } }
  const own = (name ?? '')
    .split('/')
    .at(-1)!
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
  const script = scripts?.start
  // A shell's own words need a shell.
  const start = script === undefined || /[&|;<>$`(]/.test(script) || !script.startsWith('node ') ? 'npm start' : script
  return { name: /^[a-z]/.test(own) ? own : 'service', start }
}

/** Words as a shell splits them, as far as quotes go. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain!,
  )
}

function refused(message: string, options: { hint: string; cause?: unknown }): ShaketableError {
  return new ShaketableError('SHAKETABLE_NO_FIRST_EXPERIMENT', message, { exitCode: exitCode.invalidInput, ...options })
}

function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('Expected an http:// or https:// URL.')
  }
  return text
}
