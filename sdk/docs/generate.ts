/** Writes the tables of `configuration.md` from what `readOptions` does; with `--check` it only compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import { readOptions, unsupported } from '../src/options.ts'
import { type Row, sections } from './variables.ts'

const page = new URL('configuration.md', import.meta.url)

/** What opens readings that depend on another setting. */
const opened = {
  OTEL_METRICS_EXPORTER: 'otlp',
  OTEL_LOGS_EXPORTER: 'otlp',
  SHAKETABLE_FAULTS: 'on',
  SHAKETABLE_FAULTS_KEY: '0123456789abcdef',
}

function readingOf(name: string): { default: string; badValue: string } | undefined {
  const lines: string[] = []
  readOptions({ ...opened, [name]: 'no=such:value' }, line => lines.push(line))
  const [, expected, used] = /cannot be used: expected (.*); using (.*)$/.exec(lines.join('\n')) ?? []
  return expected && used
    ? { default: `\`${used}\``, badValue: `expected ${expected.replace(' (ENOENT)', '')}` }
    : undefined
}

function tableRow({ names, unit = '', default: told, text }: Row): string {
  const reading = readingOf(names[0]!)
  const standard = told ?? reading?.default
  if (standard === undefined) throw new Error(`${names[0]}: its reading tells no default, so variables.ts must`)
  const called = names.map(name => `\`${name}\``).join('<br>')
  return `| ${called} | ${standard} | ${unit} | ${reading?.badValue ?? 'taken as it is'} | ${text} |`
}

function tables(): string {
  const parts = Object.entries(sections).map(([title, rows]) =>
    [
      `### ${title}`,
      '',
      '| variable | default | unit | a bad value | |',
      '|---|---|---|---|---|',
      ...rows.map(tableRow),
      '',
    ].join('\n'),
  )
  const refused = Object.entries(unsupported).map(([name, instead]) => `| \`${name}\` | ${instead} |`)
  return [...parts, '### Refused', '', '| variable | instead |', '|---|---|', ...refused].join('\n')
}

/** Every variable that is read is documented, and every one that is documented is read. */
function complete(): void {
  const read = new Set<string>()
  const watched = new Proxy<Record<string, string | undefined>>(opened, {
    get(target, name: string) {
      if (/^(OTEL|SHAKETABLE)_/.test(name)) read.add(name)
      return target[name]
    },
  })
  readOptions(watched, () => {})
  const documented = new Set([
    ...Object.values(sections).flatMap(rows => rows.flatMap(row => row.names)),
    ...Object.keys(unsupported),
  ])
  const apart = read.symmetricDifference(documented)
  if (apart.size > 0) throw new Error(`read or documented, not both: ${[...apart].join(', ')}`)
}

complete()
const before = readFileSync(page, 'utf8')
const after = before.replace(/(?<=<!-- variables -->\n)[\s\S]*(?=\n<!-- end of variables -->)/, () => tables())
if (!process.argv.includes('--check')) writeFileSync(page, after)
else if (before !== after) {
  console.error('sdk/docs/configuration.md is stale. Run sdk/docs/generate.ts.')
  process.exitCode = 1
}
