import type { ExperimentReport, Verdict } from './model.ts'
import { recoveredText } from './recovered.ts'
import type { Reporter } from './reporter.ts'
import { duration, percent, plural } from './units.ts'

const marks: Record<Verdict, string> = { pass: '✅', fail: '❌', inconclusive: '❔', void: '🚫' }

/** `summary.md`: small enough for a pull request or `$GITHUB_STEP_SUMMARY`. */
export const markdown: Reporter = {
  fileName: 'summary.md',
  render: report => {
    const rows = report.experiments.flatMap(rowsOf)
    const reasons = report.experiments.flatMap(({ name, reasons, discarded, notes }) =>
      [...discarded.map(each => `measured again: ${each.join('; ')}`), ...reasons, ...notes].map(
        reason => `- **${inline(name)}**: ${inline(reason)}`,
      ),
    )
    const lines = [
      `## ${marks[report.verdict]} ${inline(report.system)}: ${report.verdict}`,
      '',
      `${plural(report.experiments.length, 'experiment')} in ${duration(report.durationMs)}, seed \`${report.seed}\``,
      '',
      '| experiment | objective | target | ratio | 95% interval | verdict | first error | detected | recovered |',
      '| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: |',
      ...rows,
      ...(reasons.length > 0 ? ['', ...reasons] : []),
    ]
    return `${lines.join('\n')}\n`
  },
}

function rowsOf(experiment: ExperimentReport): string[] {
  const times = [experiment.timeToFirstErrorMs, experiment.timeToDetectMs].map(duration)
  const head = row([
    `**${inline(experiment.name)}**`,
    '',
    '',
    '',
    '',
    `${marks[experiment.verdict]} **${experiment.verdict}**`,
    ...times,
    recoveredText(experiment),
  ])
  const objectives = experiment.objectives.map(({ name, target, ratio, interval, verdict, judged }) =>
    row([
      '',
      inline(name),
      percent(target),
      percent(ratio),
      `${percent(interval[0])} to ${percent(interval[1])}`,
      judged ? `${marks[verdict]} ${verdict}` : 'observed',
      '',
      '',
      '',
    ]),
  )
  return [head, ...objectives]
}

function row(cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** Text that Markdown and the HTML in it take literally, on one line. */
function inline(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\`*_{}[\]()#+!|~>@]/g, '\\$&')
}
