import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the bench races all stacks and prints what each costs', async () => {
  const main = fileURLToPath(new URL('../bench/main.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--rounds', '2', '--seconds', '1'])
  const rows = stdout
    .split('\n')
    .filter(line => line.startsWith('| '))
    .slice(2)
  expect(rows).toHaveLength(4)
  for (const row of rows) {
    const [title, helloCpu, , ordersCpu, , rss, start] = row
      .split('|')
      .slice(1)
      .map(cell => cell.trim())
    expect(title).not.toBe('')
    for (const number of [helloCpu, ordersCpu, rss, start]) expect(Number(number)).toBeGreaterThan(0)
    expect(Number(ordersCpu)).toBeGreaterThan(Number(helloCpu))
  }
  expect(stdout).toMatch(/ours adds \*\*-?\d+ % on `\/hello`\*\* and \*\*-?\d+ % on `\/orders`\*\*/)
})
