/** `npm run bugs` finds what is planted; a part of it here, all of it by the command. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../bugs.mjs', import.meta.url))

test('a swallowed error is found by traces and logs, and a cache without end by asking', {
  retry: 1,
  timeout: 240_000,
}, async () => {
  const child = spawn(process.execPath, [script, '--no-clean', 'swallowed-error', 'cache-without-end'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk))
  const [code] = await once(child, 'close')
  expect(said).toMatch(/^found {3}swallowed-error: gateway: errors are told: /m)
  expect(said).toMatch(/^found {3}cache-without-end: catalog: invariant prices-are-current: /m)
  expect(code).toBe(0)
})
