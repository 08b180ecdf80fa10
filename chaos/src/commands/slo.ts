import {
  type AlertOptions,
  type BurnRatePolicy,
  exitCode,
  explain,
  formatProblem,
  grafanaAlerts,
  type ImportOptions,
  InvalidInput,
  importObjectives,
  k6Module,
  type Objective,
  type Problem,
  parsePolicy,
  parseWindow,
  prometheusRuleResources,
  prometheusRules,
  promtoolTests,
  rate,
  readObjectiveFiles,
  ShaketableError,
  type TrafficOptions,
  toYaml,
  trafficWarnings,
  writeOpenSlo,
} from '@shaketable/slo'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { World } from '../world.ts'
import { expandFiles, fileSource } from './files.ts'

interface AlertFlags {
  alert?: BurnRatePolicy[]
}

interface RulesOptions extends AlertFlags {
  format: 'prometheus' | 'operator' | 'grafana'
  label?: Record<string, string>
  datasource?: string
  rate?: number
  runbooks?: string
  dashboard?: string
}

/** `shaketable slo …`: what else an objective is good for. Every result goes to stdout. */
export function sloCommand(world: World, conclude: (code: number) => void): Command {
  const slo = new Command('slo').description('Make rules, their tests and load thresholds from OpenSLO files.')
  const add = (name: string, description: string, files = 'OpenSLO v1 files, or folders of them') => {
    const command = new Command(name).description(description).argument('<file...>', files)
    slo.addCommand(command)
    return command
  }
  const print = (text: string) => {
    world.stdout.write(text)
    conclude(exitCode.pass)
  }

  add('rules', 'Prometheus recording rules and burn-rate alerts')
    .addOption(
      new Option(
        '--format <format>',
        'a rules file, PrometheusRule resources for the Prometheus operator, or the alerts for Grafana’s provisioning',
      )
        .choices(['prometheus', 'operator', 'grafana'])
        .default('prometheus'),
    )
    .addOption(alertOption())
    .option('--label <name=value>', 'with --format operator: a label of the resources (may be given again)', label)
    .option('--datasource <uid>', 'with --format grafana: the Prometheus that evaluates the recording rules')
    .option('--rate <rate>', 'the traffic, e.g. 20/s: warns of objectives for which it is too low', perSecond)
    .option('--dashboard <url>', 'where the alerts’ link to the objectives dashboard leads')
    .option('--runbooks <url>', 'where the alerts’ link to their runbooks leads')
    .action(async (paths: string[], options: RulesOptions) => {
      const { format, label, datasource, alert, rate, dashboard, runbooks } = options
      const alerts: AlertOptions = {
        ...(alert === undefined ? {} : { policies: alert }),
        ...(dashboard === undefined ? {} : { dashboard }),
        ...(runbooks === undefined ? {} : { runbooks }),
      }
      const objectives = await objectivesOf(paths, world)
      const traffic: TrafficOptions = {
        ...(alert === undefined ? {} : { policies: alert }),
        ...(rate === undefined ? {} : { ratePerSecond: rate }),
      }
      for (const warning of trafficWarnings(objectives, traffic)) world.stderr.write(`${formatProblem(warning)}\n`)
      if (format === 'operator') {
        print(documents(prometheusRuleResources(objectives, { alerts, ...(label ? { labels: label } : {}) })))
        return
      }
      const rules = prometheusRules(objectives, alerts)
      print(toYaml(format === 'grafana' ? grafanaAlerts(rules, datasource ? { datasource } : {}) : rules))
    })
  add('tests', 'promtool unit tests of those rules (which stand in objectives.rules.yaml beside them)')
    .addOption(alertOption())
    .action(async (paths: string[], { alert }: AlertFlags) =>
      print(toYaml(promtoolTests(await objectivesOf(paths, world), alert ? { policies: alert } : {}))),
    )
  add('k6', 'a module with k6 thresholds, and the function that counts for them').action(async (paths: string[]) =>
    print(k6Module(await objectivesOf(paths, world))),
  )
  add('explain', 'what each objective allows, in plain words')
    .option(
      '--rate <rate>',
      'the traffic, e.g. 20/s: also what that allows, and a warning where it is too low',
      perSecond,
    )
    .action(async (paths: string[], { rate }: { rate?: number }) => {
      const objectives = await objectivesOf(paths, world)
      const options = rate === undefined ? {} : { ratePerSecond: rate }
      print(`${objectives.map(objective => explain(objective, options)).join('\n\n')}\n`)
    })
  add('import', 'OpenSLO v1 from the objectives of Sloth and Pyrra', 'their files, or folders of them')
    .option('--window <duration>', 'the window of Sloth’s objectives, which their files do not tell (30d)', aWindow)
    .option('--service <name>', 'the service of Pyrra’s objectives, where no job="…" tells it')
    .action(async (paths: string[], { window, service }: { window?: number; service?: string }) => {
      const options: ImportOptions = {
        ...(window === undefined ? {} : { windowMs: window }),
        ...(service === undefined ? {} : { service }),
      }
      const imported = await readEach(paths, world, (text, file) => [importObjectives(text, file, options)])
      for (const note of imported.flatMap(({ notes }) => notes)) world.stderr.write(`${formatProblem(note)}\n`)
      print(writeOpenSlo(imported.flatMap(({ objectives }) => objectives)))
    })
  add('export', 'OpenSLO v1 with plain Prometheus queries, for tools that know no semantic indicators').action(
    async (paths: string[]) => print(writeOpenSlo(await objectivesOf(paths, world))),
  )
  return slo
}

/** The files are read together: one may refer to what another holds. */
async function objectivesOf(paths: string[], world: World): Promise<Objective[]> {
  return readObjectiveFiles(await readFiles(paths, world))
}

/** Reads every file, and tells the problems of all of them at once. */
async function readEach<T>(paths: string[], world: World, read: (text: string, file: string) => T[]): Promise<T[]> {
  const found: T[] = []
  const problems: Problem[] = []
  for (const { text, file } of await readFiles(paths, world)) {
    try {
      found.push(...read(text, file))
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error
      problems.push(...error.problems)
    }
  }
  if (problems.length > 0) throw new InvalidInput(problems)
  return found
}

async function readFiles(paths: string[], world: World): Promise<{ text: string; file: string }[]> {
  const source = fileSource(world)
  const files: { text: string; file: string }[] = []
  for (const file of await expandFiles(paths, world)) {
    const text = await source.read(file).catch((cause: NodeJS.ErrnoException) => {
      throw new ShaketableError('SHAKETABLE_NO_SUCH_FILE', `cannot read ${file} (${cause.code})`, {
        exitCode: exitCode.invalidInput,
        cause,
      })
    })
    files.push({ text, file })
  }
  return files
}

function documents(resources: readonly object[]): string {
  return resources.map(toYaml).join('---\n')
}

function alertOption(): Option {
  const flag = '--alert <severity:short/long:budget>'
  const words = 'a burn-rate condition, e.g. page:5m/1h:2% (may be given again); instead of the usual four'
  return new Option(flag, words).argParser((text: string, before: BurnRatePolicy[] = []) => {
    const policy = parsePolicy(text)
    if (!policy) throw new InvalidArgumentError('Expected page or ticket, two windows and a part, e.g. page:5m/1h:2%.')
    return [...before, policy]
  })
}

function label(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

function perSecond(text: string): number {
  const read = rate().safeParse(text)
  if (!read.success) throw new InvalidArgumentError('Expected a rate over 0 such as 20/s or 300/m.')
  return read.data
}

function aWindow(text: string): number {
  const windowMs = parseWindow(text)
  if (windowMs === undefined) throw new InvalidArgumentError('Expected whole minutes, at most 366 days, e.g. 28d.')
  return windowMs
}
