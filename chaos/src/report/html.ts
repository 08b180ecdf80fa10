import { createHash } from 'node:crypto'
import { experimentSection } from './html/experiment.ts'
import { stylesheet } from './html/stylesheet.ts'
import { table } from './html/table.ts'
import { verdictBadge } from './html/verdict-badge.ts'
import { Markup, markup } from './markup.ts'
import type { SuiteReport } from './model.ts'
import { recoveredText } from './recovered.ts'
import type { Reporter } from './reporter.ts'
import { duration, plural } from './units.ts'

/**
 * `report.html`: one file that needs nothing else: no network, no script, no font. Its policy forbids all but its own
 * style sheet, so that no text of a report could do anything, were it ever to slip through unescaped.
 */
export const html: Reporter = {
  fileName: 'report.html',
  render: report => `<!doctype html>\n${page(report)}\n`,
}

const styleHash = createHash('sha256').update(stylesheet).digest('base64')
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`

function page(report: SuiteReport): Markup {
  return markup`<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
<title>${report.system}: ${report.verdict}</title>
<style>${new Markup(stylesheet)}</style></head>
<body><a class="skip" href="#experiments">To the experiments</a>
<header><p class="over">Shaketable report</p>
<div class="title"><h1>${report.system}</h1>${verdictBadge(report.verdict)}</div>
<p class="facts">${countsText(report)} in ${duration(report.durationMs)}, started <time datetime="${report.startedAt}">${instantText(report.startedAt)}</time></p></header>
<main id="experiments"><h2 class="skip">Verdicts</h2>${overview(report)}
${report.experiments.map((experiment, index) => experimentSection(experiment, `e${index + 1}`))}</main>
${closing(report)}</body></html>`
}

function overview(report: SuiteReport): Markup {
  const rows = report.experiments.map((experiment, index) => ({ ...experiment, id: `e${index + 1}` }))
  return table(
    'Every experiment and its verdict; times count from the beginning of the fault, recovery from its end',
    [
      { head: 'Experiment', cell: row => markup`<a href="#${row.id}">${row.title || row.name}</a>` },
      {
        head: 'Objectives',
        cell: row =>
          markup`<span>${row.objectives.map(({ name, verdict, judged }) => markup`<span class="under">${name}: ${judged ? verdict : 'observed'}</span>`)}</span>`,
      },
      {
        head: 'First error',
        number: true,
        cell: row => (row.timeToFirstErrorMs === null ? 'none' : duration(row.timeToFirstErrorMs)),
      },
      {
        head: 'Detected',
        number: true,
        cell: row => (row.timeToDetectMs === null ? 'no alert' : duration(row.timeToDetectMs)),
      },
      {
        head: 'Recovered',
        number: true,
        cell: row => recoveredText(row),
      },
      { head: 'Verdict', cell: row => verdictBadge(row.verdict) },
    ],
    rows,
  )
}

function closing(report: SuiteReport): Markup {
  const environment = Object.entries(report.env)
  return markup`<footer><h2>Repeat this run</h2>
<pre>${repeatCommand(report)}</pre>
<p class="facts">The seed decides which instances and requests are hit. Environment given to the services: ${
    environment.length === 0 ? 'none' : environment.map(([name, value]) => markup`<code>${name}=${value}</code> `)
  }. Exit code ${report.exitCode}. Written by shaketable ${report.shaketable}.</p></footer>`
}

/** The command that does it again, safe to paste into a shell. */
export function repeatCommand(report: SuiteReport): string {
  const files = [...new Set(report.experiments.map(experiment => experiment.file))]
  const variables = Object.entries(report.env).flatMap(([name, value]) => ['--env', shellQuoted(`${name}=${value}`)])
  return ['shaketable run', ...files.map(shellQuoted), '--seed', String(report.seed), ...variables].join(' ')
}

function shellQuoted(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

function countsText(report: SuiteReport): string {
  const counts = (['pass', 'fail', 'inconclusive', 'void'] as const)
    .map(verdict => [verdict, report.experiments.filter(one => one.verdict === verdict).length] as const)
    .filter(([, number]) => number > 0)
    .map(([verdict, number]) => `${number} ${verdict}`)
  return `${plural(report.experiments.length, 'experiment')}${counts.length > 0 ? ` (${counts.join(', ')})` : ''}`
}

function instantText(instant: string): string {
  return instant.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')
}
