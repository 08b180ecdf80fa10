import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

async function runWith(disabled: string) {
  const imports = ['--import', fixture('seen-modules.mjs'), '--import', '@shaketable/sdk/register']
  const args = ['--conditions=@shaketable/source', ...imports, fixture('disabled.mjs')]
  const env = { PATH: process.env.PATH, OTEL_SDK_DISABLED: disabled, OTEL_EXPORTER_PROMETHEUS_PORT: '0' }
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, env })
  const seen = JSON.parse(stdout.split('\n')[0]!) as Record<string, unknown> & { modules: string[]; channels: string[] }
  return { stderr, ...seen }
}

test('OTEL_SDK_DISABLED=true loads one small file, patches nothing and listens nowhere', async () => {
  const [off, on] = await Promise.all([runWith(' TRUE '), runWith('false')])
  expect(off).toEqual({
    stderr: '',
    modules: ['register.ts', 'disabled.mjs'],
    patched: [],
    channels: [],
    registered: false,
    signals: 0,
    listening: 0,
  })
  // The same look at a process with the SDK, to know that it sees what there is.
  expect(on.modules).toContain('start.ts')
  expect(on).toMatchObject({ patched: expect.arrayContaining(['IncomingMessage', 'ServerResponse']), registered: true })
  expect(on.channels).toHaveLength(3)
})
