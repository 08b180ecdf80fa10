import { expect, test } from 'vitest'
import { fixtureReport, suiteNames } from '../../test/fixtures/reports/generate.ts'
import { markdown } from './markdown.ts'

test('the Markdown summary has a row an experiment and objective, and the reasons below', () => {
  const lines = markdown.render(fixtureReport('fail')).split('\n')
  expect(lines[0]).toBe('## ❌ shop: fail')
  expect(lines.filter(line => line.startsWith('| **'))).toHaveLength(4)
  expect(lines.filter(line => line.startsWith('|  |'))).toHaveLength(6)
  expect(
    lines.filter(line => line.startsWith('- **crashed\\-orders') || line.startsWith('- **crashed-orders')),
  ).toHaveLength(2)
})

test.each(suiteNames)('every row of the table has as many cells as its head, whatever the names (%s)', name => {
  const rows = markdown
    .render(fixtureReport(name))
    .split('\n')
    .filter(line => line.startsWith('|'))
  const cells = rows.map(row => row.replace(/\\./g, '').split('|').length)
  expect(new Set(cells)).toEqual(new Set([11]))
})

test('no name of a service becomes HTML or an image', () => {
  expect(markdown.render(fixtureReport('hostile'))).not.toMatch(/<(script|img)|(?<!\\)!\[/)
})
