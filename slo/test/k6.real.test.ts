import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { goProgram } from '../../.ci/tools/go.ts'
import { k6Module, readObjectives } from '../src/index.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const block = (language: string) => new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(readme)![1]!
const folder = mkdtempSync(join(tmpdir(), 'shaketable-k6-'))
let k6: string

beforeAll(() => {
  k6 = goProgram('k6')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The README's script and objective, the latter with another `under`, against a server of the test's own. */
async function load(options: {
  under: string
  answer: (at: number) => { status: number; afterMs?: number }
  route?: string
}) {
  let seen = 0
  const server = createServer((_request, response) => {
    const { status, afterMs = 0 } = options.answer(seen++)
    setTimeout(() => response.writeHead(status).end(), afterMs)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const objective = changed(block('yaml'), 'under: 500ms', `under: ${options.under}`)
    writeFileSync(join(folder, 'objectives.js'), k6Module(readObjectives(objective, 'checkout-latency.yaml')))
    const short = changed(block('js'), "duration: '1m'", "duration: '2s'")
    const aimed = changed(short, 'http://localhost:3000', address)
    writeFileSync(
      join(folder, 'script.js'),
      changed(aimed, "route: '/checkout'", `route: '${options.route ?? '/checkout'}'`),
    )
    const { code, said } = await runK6(['run', '--no-usage-report', 'script.js'])
    return { code, said, seen }
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

function changed(text: string, from: string, to: string): string {
  expect(text).toContain(from)
  return text.replace(from, to)
}

function runK6(args: string[]): Promise<{ code: unknown; said: string }> {
  return new Promise(resolve => {
    execFile(k6, args, { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, said: stdout + stderr }),
    )
  })
}

test('k6 ends with 0 where the objective is met', async () => {
  const { code, said, seen } = await load({ under: '10s', answer: () => ({ status: 201 }) })
  expect(said).toMatch(/✓ 'rate>=0\.99' rate=100\.00%/)
  expect(seen).toBeGreaterThan(0)
  expect(code).toBe(0)
})

test('k6 ends with 99 where a tenth of the answers are errors', async () => {
  const { code, said } = await load({ under: '10s', answer: at => ({ status: at % 10 === 0 ? 503 : 201 }) })
  expect(said).toMatch(/✗ 'rate>=0\.99' rate=(8\d|90)\./)
  expect(code).toBe(99)
})

test('k6 ends with 99 where the answers are good but late', async () => {
  const { code, said } = await load({ under: '5ms', answer: () => ({ status: 201, afterMs: 50 }) })
  expect(said).toMatch(/✗ 'rate>=0\.99' rate=0\.00%/)
  expect(code).toBe(99)
})

test('k6 ends with 99 where the script judges nothing that the objective selects', async () => {
  const { code, said } = await load({ under: '10s', answer: () => ({ status: 201 }), route: '/chekout' })
  expect(said).toMatch(/✗ 'rate>0' rate=0\.00%/)
  expect(code).toBe(99)
})
