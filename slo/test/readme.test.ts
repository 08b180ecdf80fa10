import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the README’s example runs, and prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
  // Beside this test, so that the package is found as a user's program finds it.
  const file = fileURLToPath(new URL(`readme-${process.pid}.ts`, import.meta.url))
  writeFileSync(file, example ?? '')
  try {
    const printed = String(execFileSync(process.execPath, ['--conditions=@shaketable/source', file]))
    expect(printed).toContain('checkout-latency: 99 % of the events of gateway are good, over 30d.')
    expect(printed).toContain('alert: ErrorBudgetBurn')
    expect(printed).toContain("'shaketable_good{objective:checkout-latency}': [ 'rate>=0.99' ]")
    expect(printed).toContain("window: '5m/1h'")
  } finally {
    rmSync(file)
  }
})
