import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  exitCode,
  formatProblem,
  InvalidInput,
  inOrder,
  type Problem,
  parseDocuments,
  ShaketableError,
} from '@shaketable/slo'
import { audit } from '../conduct/audit.ts'
import { printable, type Style, styleFor } from '../report/style.ts'
import type { Cluster } from '../targets/kubernetes/cluster.ts'
import type { World } from '../world.ts'
import { conduct } from './conduct.ts'
import { journalOf } from './journal.ts'
import type { Activity } from './model.ts'
import { isRunnable, type Outside, outside } from './outside.ts'
import { type ReadToolkit, readToolkit } from './read.ts'
import { lasted, type Run, wentWell } from './run-activity.ts'
import { held, shakesCluster } from './safety.ts'
import { isToolkitExperiment } from './schema.ts'
import { inWords } from './tolerance.ts'
import { veilOf } from './veil.ts'
import { verdictOf } from './verdict.ts'

const longestLine = 300

export interface ToolkitOptions {
  seed: number
  journal: string | undefined
  yesThisIs: string | undefined
  dryRun: boolean
}

/** Which of the files are experiments of the Chaos Toolkit. One that cannot be read is none: its reader says why. */
export async function toolkitFiles(files: readonly string[], world: World): Promise<string[]> {
  const found = await Promise.all(
    files.map(async file => {
      const text = await readFile(resolve(world.cwd, file), 'utf8').catch(() => '')
      return parseDocuments(text, file, []).some(({ value }) => isToolkitExperiment(value)) ? [file] : []
    }),
  )
  return found.flat()
}

/** Reads all of them before anything is started, then runs one after the other. The gravest exit code is that of all. */
export async function runToolkitFiles(
  files: readonly string[],
  options: ToolkitOptions,
  world: World,
  reach: Outside = outside(world),
): Promise<number> {
  const read = await readAll(files, world)
  if (options.journal !== undefined && read.length > 1) {
    throw new ShaketableError(
      'SHAKETABLE_ONE_JOURNAL',
      `--journal is of one experiment, and there are ${read.length}`,
      {
        exitCode: exitCode.invalidInput,
        hint: 'run them one by one; nothing was started',
      },
    )
  }
  if (options.dryRun) {
    for (const each of read) world.stdout.write(planOf(each))
    return exitCode.pass
  }
  const cluster = clusterFor(world)
  if (read.some(({ experiment }) => shakesCluster(experiment))) await mustBeMeant(await cluster(), options)
  const traced = { systems: [], files: [...files], seed: options.seed }
  await audit(world, { event: 'run-began', ...traced })
  const codes: number[] = []
  for (const each of read) {
    codes.push(await runOne(each, options, world, reach, cluster))
    if (world.signal.aborted) break
  }
  const code = gravest(codes)
  await audit(world, { event: 'run-ended', ...traced, outcome: { exitCode: code } })
  return code
}

async function readAll(files: readonly string[], world: World): Promise<ReadToolkit[]> {
  const problems: Problem[] = []
  const around = { env: world.env, runnable: (path: string) => isRunnable(path, world) }
  const read: ReadToolkit[] = []
  for (const file of files) {
    const documents = parseDocuments(await readFile(resolve(world.cwd, file), 'utf8'), file, problems)
    for (const document of documents) {
      const one = readToolkit(document, around, problems)
      if (one) read.push(one)
    }
  }
  if (problems.length > 0) throw new InvalidInput(inOrder(problems))
  for (const note of inOrder(read.flatMap(({ notes }) => notes))) world.stderr.write(`${formatProblem(note)}\n`)
  return read
}

async function runOne(
  { experiment, secrets }: ReadToolkit,
  options: ToolkitOptions,
  world: World,
  reach: Outside,
  cluster: () => Promise<Cluster>,
): Promise<number> {
  const veil = veilOf(secrets)
  const style = styleFor(world.stdout, world.env)
  const say = (line: string) => world.stdout.write(`${fit(veil(line))}\n`)
  say(experiment.title)
  const startedAt = world.clock.wall()
  const {
    result: seen,
    undone,
    notUndone,
  } = await held(experiment, world, ({ journal, undoes }, signal) => {
    const mapped = { configuration: experiment.configuration, seed: options.seed, journal, undoes, cluster }
    const ran = (run: Run) => world.stdout.write(`${dressed(fit(veil(lineOf(run))), run, style)}\n`)
    return conduct(experiment, { clock: world.clock, outside: reach, mapped, ran }, signal)
  })
  // What a rollback has undone already is found as it was.
  for (const line of undone) if (!line.endsWith('found as it was')) say(`  undone: ${line}`)
  const verdict = verdictOf(experiment, seen, notUndone, world.signal)
  say(`  ${verdict.words}`)
  if (options.journal !== undefined) {
    await writeJournal(
      options.journal,
      journalOf(experiment, seen, { startedAt, endedAt: world.clock.wall() }, veil),
      world,
    )
  }
  return verdict.exitCode
}

async function writeJournal(file: string, journal: Record<string, unknown>, world: World): Promise<void> {
  await writeFile(resolve(world.cwd, file), `${JSON.stringify(journal, null, 2)}\n`)
  world.stderr.write(`journal: ${file}\n`)
}

const lineOf = (run: Run) =>
  `${run.activity.type.padEnd(6)}  ${run.activity.name}  ${wentWell(run) ? lasted(run) : run.why}`

/** Only once secrets are hidden in it: half of one could not be found any more. */
function fit(text: string): string {
  const line = printable(text)
  return line.length > longestLine ? `${line.slice(0, longestLine)}…` : line
}

function dressed(line: string, run: Run, style: Style): string {
  return wentWell(run) ? `  ${style.green('✓')} ${line}` : `  ${style.red('✗')} ${line}`
}

function planOf({ experiment, secrets }: ReadToolkit): string {
  const { title, hypothesis, method, rollbacks, hypothesisStrategy, rollbackStrategy } = experiment
  const lines = [
    title,
    ...(hypothesis?.probes ?? []).map(each => `  hypothesis  ${inPlan(each)} (${hypothesisStrategy})`),
    ...method.map(each => `  method      ${inPlan(each)}`),
    ...rollbacks.map(each => `  rollback    ${inPlan(each)} (${rollbackStrategy})`),
  ]
  const veil = veilOf(secrets)
  return `${lines.map(line => printable(veil(line))).join('\n')}\n`
}

function inPlan({ name, type, provider, tolerance }: Activity): string {
  const does =
    provider.type === 'http'
      ? `${provider.method} ${provider.url}`
      : provider.type === 'process'
        ? [provider.path, ...provider.args].join(' ')
        : `${provider.function} ${JSON.stringify(provider.arguments)}`
  return `${type} ${name}: ${does}${tolerance ? `, to be ${inWords(tolerance)}` : ''}`
}

function clusterFor(world: World): () => Promise<Cluster> {
  let cluster: Promise<Cluster> | undefined
  return () => {
    cluster ??= clusterOf(world)
    return cluster
  }
}

async function clusterOf(world: World): Promise<Cluster> {
  // The client is large, and loaded only where it is used.
  const { clusterHere } = await import('../targets/kubernetes/cluster.ts')
  const { explain } = await import('../targets/kubernetes/find-pods.ts')
  try {
    return clusterHere(world.env)
  } catch (error) {
    return explain(error)
  }
}

/** Others may live on the cluster: whoever shakes it says that it is the one that they mean. */
async function mustBeMeant({ name }: Cluster, { yesThisIs }: ToolkitOptions): Promise<void> {
  if (name === yesThisIs) return
  const saw = yesThisIs === undefined ? '' : `, and --yes-this-is says "${yesThisIs}"`
  throw new ShaketableError('SHAKETABLE_NOT_CONFIRMED', `this would shake the cluster "${name}"${saw}`, {
    exitCode: exitCode.invalidInput,
    hint: `--yes-this-is "${name}" if that is what you want; nothing was done`,
  })
}

const order: number[] = [
  exitCode.notUndone,
  exitCode.ownError,
  129,
  130,
  143,
  exitCode.fail,
  exitCode.void,
  exitCode.inconclusive,
]

const gravest = (codes: number[]): number => order.find(code => codes.includes(code)) ?? exitCode.pass
