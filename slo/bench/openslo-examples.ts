/**
 * `npm run examples -w @shaketable/slo -- FOLDER…`: which of the OpenSLO documents in those folders (clones of OpenSLO's
 * repositories) are read, and which refused and why, as the table of docs/openslo-examples.md.
 */
import { globSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { inOrder, parseDocuments } from '../src/document.ts'
import type { Problem } from '../src/error.ts'
import { collectOpenSlo } from '../src/openslo.ts'

console.log('| file | | why |\n|---|---|---|')
for (const folder of process.argv.slice(2)) {
  const files = globSync('**/{examples,test_data}/**/*.{yaml,yml,json}', { cwd: folder }).sort()
  for (const file of files)
    console.log(row(`${basename(resolve(folder))}/${file}`, readFileSync(join(folder, file), 'utf8')))
}

function row(file: string, text: string): string {
  const problems: Problem[] = []
  const { kinds } = collectOpenSlo(parseDocuments(text, file, problems), problems)
  if (problems.length === 0) {
    const counted = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`)
    return `| ${file} | read | ${counted.join(', ')} |`
  }
  return `| ${file} | refused | ${[...new Set(inOrder(problems).map(reason))].join('; ')} |`
}

/** The field itself instead of the whole path to it. */
function reason({ message }: Problem): string {
  return message
    .replace(/^([\w.[\]]+?)(: | is )/, (_, path: string, link: string) => `\`${path.split('.').at(-1)}\`${link}`)
    .replaceAll('|', '\\|')
}
