import { access, constants, mkdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import { Command, InvalidArgumentError, Option } from 'commander'
import { runToolkitFiles, toolkitFiles } from '../chaostoolkit/run-files.ts'
import { type AuditEntry, audit } from '../conduct/audit.ts'
import { describePlan, type InstancesOf, localInstances } from '../conduct/plan.ts'
import { runSuite } from '../conduct/run-suite.ts'
import { exitCodeOf } from '../ending-signals.ts'
import type { Experiment, System } from '../experiment/model.ts'
import { readExperiments } from '../experiment/read.ts'
import { describeFault } from '../faults/index.ts'
import { type AlertEngine, mustAnswerWithAlerts } from '../observe/alerts.ts'
import { RunnerMetrics, serveMetrics } from '../observe/runner-metrics.ts'
import { GrafanaAnnotations } from '../report/grafana.ts'
import { html } from '../report/html.ts'
import { json } from '../report/json.ts'
import { junit } from '../report/junit.ts'
import type { SuiteReport } from '../report/model.ts'
import { readReport } from '../report/read.ts'
import { viewsOf } from '../report/reporter.ts'
import { styleFor, summary, terminalView } from '../report/terminal.ts'
import { writeReport, writeReports } from '../report/write.ts'
import type { Target } from '../targets/target.ts'
import { needsTraces } from '../verdict/traces/judge-traces.ts'
import type { World } from '../world.ts'
import { expandFiles, fileSource, readGiven } from './files.ts'

interface RunOptions {
  report?: string
  json?: boolean
  junit?: string
  seed?: number
  attempts: number
  env: Record<string, string>
  target: Target['kind']
  yesThisIs?: string
  keeper?: string
  dryRun?: boolean
  metrics?: string
  otlpListen?: string
  grafana?: string
  prometheus?: string
  baseline?: string
  alertmanager?: string
  journal?: string
}

/** `shaketable run FILE…`: start or find the system, run the experiments, judge, undo everything. */
export function runCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('run')
    .description('Run experiments: baseline, fault, recovery, verdict. Exit 0 pass, 1 fail, 3 inconclusive, 5 void.')
    .argument('<file...>', 'experiment files, or folders of them')
    .option('--report <dir>', 'write report.json, report.html, junit.xml and the services’ logs to DIR')
    .option('--json', 'print report.json on stdout')
    .option('--junit <file>', 'write JUnit XML to FILE')
    .option('--seed <number>', 'choose and time everything by this seed, to repeat a run', wholeNumber)
    .option('--attempts <number>', 'measure again what was void, up to so many times in all', attempts, 1)
    .option('--env <name=value>', 'set a variable for every service (may be given again)', variable, {})
    .addOption(
      new Option(
        '--target <kind>',
        'start local processes, or find running Docker containers or Kubernetes pods, or attach to URLs',
      )
        .choices(['local', 'docker', 'kubernetes', 'attach'])
        .default('local'),
    )
    .option('--yes-this-is <name>', 'the name of the system; demanded for what shaketable has not started itself')
    .option('--keeper <image>', 'on Kubernetes: run the keeper as a Job, so that it outlives this machine')
    .option('--baseline <file>', 'an earlier report.json: fail where latency or errors got surely worse')
    .option('--prometheus <url>', 'judge the alerts of this Prometheus, in place of our own evaluation', httpUrl)
    .option('--alertmanager <url>', 'judge the alerts of this Alertmanager', httpUrl)
    .option('--metrics <[host:]port>', 'serve metrics of the run for Prometheus while it goes', listenAddress)
    .option(
      '--otlp-listen <[host:]port>',
      'take the spans of services that run already, over OTLP/HTTP, to judge by their traces',
      listenAddress,
    )
    .option(
      '--grafana <url>',
      'mark experiments and faults as annotations in Grafana, with the token of GRAFANA_TOKEN',
      httpUrl,
    )
    .option('--journal <file>', 'of an experiment of the Chaos Toolkit: write its journal, as the Toolkit would')
    .option('--dry-run', 'read everything, print what would be done and hit, and start nothing')
    .action(async (files: string[], options: RunOptions) => {
      conclude(await runExperiments(files, options, world))
    })
}

async function runExperiments(patterns: string[], options: RunOptions, world: World): Promise<number> {
  const files = await expandFiles(patterns, world)
  const foreign = await toolkitFiles(files, world)
  if (foreign.length > 0) return runForeign(foreign, files, options, world)
  mustGoTogether(
    options.journal === undefined ? [] : ['--journal'],
    'is of the Chaos Toolkit, and none of these is one of its experiments',
  )
  mustGoTogether(
    options.keeper === undefined || options.target === 'kubernetes' ? [] : ['--keeper'],
    'is for --target kubernetes: elsewhere the keeper is a process beside the runner',
  )
  mustGoTogether(
    options.otlpListen === undefined || options.target !== 'local' ? [] : ['--otlp-listen'],
    'is for services that run already: those that shaketable starts are told where to send their spans',
  )
  const experiments = await readExperiments(files, fileSource(world))
  const seed = options.seed ?? world.freshSeed()

  if (options.dryRun) {
    world.stdout.write(describePlan(experiments, seed, await instancesIn(experiments, options.target, world)))
    return exitCode.pass
  }

  mustNotBeProtected(experiments)
  if (options.target !== 'local') mustBeMeant(experiments, options)
  if (options.target !== 'local' && options.otlpListen === undefined) mustNotNeedTraces(experiments)
  const dir = options.report === undefined ? undefined : resolve(world.cwd, options.report)
  const junitFile = options.junit === undefined ? undefined : resolve(world.cwd, options.junit)
  if (dir) await mustBeWritable(dir)
  if (junitFile) await mustBeWritable(dirname(junitFile))
  const alertEngine = alertEngineOf(options)
  if (alertEngine) await mustAnswerWithAlerts(alertEngine)
  const baseline = options.baseline === undefined ? undefined : await earlierReport(options.baseline, world)
  const terminal = terminalView(world)
  const note = (words: string) => terminal.note?.(words)
  const { grafana: grafanaUrl } = options
  const grafana = grafanaUrl
    ? new GrafanaAnnotations({ url: grafanaUrl, token: world.env.GRAFANA_TOKEN }, world.clock, note)
    : undefined
  const metrics = options.metrics === undefined ? undefined : new RunnerMetrics()
  const served = metrics && (await serveMetrics(metrics, options.metrics!))
  if (served) note(`metrics of this run: ${served.url}`)
  const view = viewsOf([terminal, metrics, grafana].filter(each => each !== undefined))
  const traced = { target: options.target, seed, systems: [...new Set(experiments.map(({ system }) => system.name))] }
  // What the run starts itself, and ends with itself, is nobody else's business.
  const record = options.target === 'local' ? async () => {} : (entry: AuditEntry) => audit(world, entry)
  await record({ event: 'run-began', ...traced, experiments: experiments.map(inShort) })
  const conducted = await runSuite(
    {
      experiments,
      target: options.target,
      seed,
      attempts: options.attempts,
      env: options.env,
      logDir: dir && join(dir, 'logs'),
      alertEngine,
      keeperImage: options.keeper,
      otlpListen: options.otlpListen,
      baseline,
    },
    world,
    view,
  )
    .catch(async (error: Error) => {
      await record({ event: 'run-ended', ...traced, outcome: error.message })
      throw error
    })
    .finally(() => {
      view.close()
      served?.close()
    })
  await grafana?.settled()
  const report =
    conducted.exitCode === exitCode.notUndone
      ? conducted
      : { ...conducted, exitCode: exitCodeOf(world.signal) ?? conducted.exitCode }

  const { exitCode: code } = report
  const verdicts = Object.fromEntries(report.experiments.map(({ name, verdict }) => [name, verdict]))
  await record({ event: 'run-ended', ...traced, outcome: { exitCode: code, verdicts } })
  const written = dir ? await writeReports(dir, report) : []
  if (junitFile) await writeReport(junitFile, junit, report)
  if (options.json) {
    world.stderr.write(summary(report, styleFor(world.stderr, world.env)))
    world.stdout.write(json.render(report))
  } else {
    world.stdout.write(summary(report, styleFor(world.stdout, world.env)))
  }
  if (dir) world.stderr.write(`report: ${join(dir, html.fileName)} (beside it ${othersIn(written)})\n`)
  return report.exitCode
}

/** Experiments of the Chaos Toolkit have a system, a verdict and a journal of their own. */
async function runForeign(foreign: string[], files: string[], options: RunOptions, world: World): Promise<number> {
  mustGoTogether(
    files.filter(file => !foreign.includes(file)),
    'is no experiment of the Chaos Toolkit, as others here are: run them by themselves',
  )
  const { report, json, junit, attempts, target, metrics, grafana, prometheus, baseline, alertmanager, keeper } =
    options
  const given = { report, json, junit, metrics, grafana, prometheus, baseline, alertmanager, keeper }
  const ours = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))
  if (options.otlpListen !== undefined) ours.push('--otlp-listen')
  if (attempts > 1) ours.push('--attempts')
  if (target !== 'local') ours.push('--target')
  mustGoTogether(ours, 'does nothing for an experiment of the Chaos Toolkit')
  const { seed = world.freshSeed(), journal, yesThisIs, dryRun = false } = options
  if (journal !== undefined) await mustBeWritable(dirname(resolve(world.cwd, journal)))
  const around = { ...world, env: { ...world.env, ...options.env } }
  return runToolkitFiles(foreign, { seed, journal, yesThisIs, dryRun }, around)
}

function mustGoTogether(strangers: string[], why: string): void {
  if (strangers.length === 0) return
  throw new ShaketableError('SHAKETABLE_DO_NOT_MIX', `${strangers.join(', ')} ${why}`, {
    exitCode: exitCode.invalidInput,
    hint: 'nothing was started',
  })
}

/** For the audit trail. */
function inShort({ name, faults }: Experiment) {
  return { name, faults: faults.map(describeFault) }
}

/** Who is there, by service: by the files where we would start it, by looking where it runs already. */
async function instancesIn(
  experiments: Experiment[],
  target: RunOptions['target'],
  world: World,
): Promise<InstancesOf> {
  if (target === 'local') return localInstances
  const namesIn = await namesInTarget(target)
  const systems = [...new Set(experiments.map(({ system }) => system))]
  const names = new Map(
    await Promise.all(systems.map(async system => [system, await namesIn(system, world.env)] as const)),
  )
  return (system, service) => names.get(system)?.get(service) ?? []
}

async function namesInTarget(
  target: Exclude<RunOptions['target'], 'local'>,
): Promise<(system: System, env: NodeJS.ProcessEnv) => Promise<Map<string, string[]>> | Map<string, string[]>> {
  if (target === 'docker') return (await import('../targets/docker/docker-target.ts')).namesIn
  if (target === 'kubernetes') return (await import('../targets/kubernetes/kubernetes-target.ts')).podsIn
  return (await import('../targets/attach/attach-target.ts')).namesOf
}

function mustNotBeProtected(experiments: Experiment[]): void {
  const system = experiments.map(each => each.system).find(each => each.protected)
  if (!system) return
  const { file, line, column } = system.place
  const words = `${file}:${line}:${column}: the system "${system.name}" is protected, so that nothing was done`
  throw new ShaketableError('SHAKETABLE_PROTECTED', words, {
    exitCode: exitCode.invalidInput,
    hint: 'it says so itself: `protected: true` in its metadata',
  })
}

/** Others may live on what we did not start: whoever shakes it says that it is the one that they mean. */
function mustBeMeant(experiments: Experiment[], { yesThisIs: named, env }: RunOptions): void {
  if (Object.keys(env).length > 0) {
    const words = `--env reaches only what shaketable starts, saw ${Object.keys(env).join(', ')}`
    throw new ShaketableError('SHAKETABLE_NOT_OURS', words, {
      exitCode: exitCode.invalidInput,
      hint: 'leave it out, and start the system with it; nothing was done',
    })
  }
  for (const { system } of experiments) {
    if (system.name === named) continue
    const saw = named === undefined ? 'which shaketable has not started' : `and --yes-this-is says "${named}"`
    throw new ShaketableError('SHAKETABLE_NOT_CONFIRMED', `this would shake the system "${system.name}", ${saw}`, {
      exitCode: exitCode.invalidInput,
      hint: `--yes-this-is ${system.name} if that is what you want; nothing was done`,
    })
  }
}

function mustNotNeedTraces(experiments: Experiment[]): void {
  const experiment = experiments.find(needsTraces)
  if (!experiment) return
  const { file, line, column } = experiment.place
  const words = `${file}:${line}:${column}: ${experiment.name} is judged by the services' traces, and nobody listens for them`
  throw new ShaketableError('SHAKETABLE_NO_TRACES', words, {
    exitCode: exitCode.invalidInput,
    hint: 'give --otlp-listen HOST:PORT, and have the services or their collector send OTLP over HTTP there; nothing was done',
  })
}

/** Found out before anything is started, not after minutes of measuring. */
async function mustBeWritable(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true })
    await access(dir, constants.W_OK)
  } catch (cause) {
    throw new ShaketableError(
      'SHAKETABLE_REPORT_NOT_WRITTEN',
      `cannot write to ${dir} (${(cause as NodeJS.ErrnoException).code})`,
      {
        exitCode: exitCode.invalidInput,
        hint: 'give --report, --junit or --journal a place that you may write to; nothing was started',
        cause,
      },
    )
  }
}

function othersIn(written: string[]): string {
  return written
    .map(path => basename(path))
    .filter(name => name !== html.fileName)
    .join(', ')
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > 0xffffffff) {
    throw new InvalidArgumentError('Expected a whole number from 0 to 4294967295.')
  }
  return value
}

async function earlierReport(file: string, world: World): Promise<{ file: string; report: SuiteReport }> {
  return { file, report: readReport(await readGiven(file, world), file) }
}

/** Of both it is the Alertmanager that pages. */
function alertEngineOf({ prometheus, alertmanager }: RunOptions): AlertEngine | undefined {
  if (alertmanager !== undefined) return { kind: 'alertmanager', url: alertmanager }
  return prometheus === undefined ? undefined : { kind: 'prometheus', url: prometheus }
}

function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('Expected an http:// or https:// URL.')
  }
  return text
}

function listenAddress(text: string): string {
  const [, port] = /(?:^|:)(\d{1,5})$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) throw new InvalidArgumentError('Expected PORT or HOST:PORT.')
  return text
}

function attempts(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > 10)
    throw new InvalidArgumentError('Expected a whole number from 1 to 10.')
  return value
}

function variable(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
