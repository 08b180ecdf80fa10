import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const soak = (...args: string[]) => {
  const main = fileURLToPath(new URL('../soak/main.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    timeout: 280_000,
  })
  return { status, told: stdout + stderr }
}

test('a minute with a collector that is down, hangs and flaps: every span is counted, none is lost that had room', () => {
  const { status, told } = soak('--minutes', '1', '--rate', '200')
  expect(told).toContain('all held')
  expect(status).toBe(0)
})

test('20,000 hostile requests: bounded series, no crash, no forged log line', () => {
  const { status, told } = soak('--hostile', '--requests', '20000')
  expect(told).toContain('all held')
  expect(status).toBe(0)
})
