import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { httpDurationBoundaries } from '@shaketable/sdk/names'
import { signals } from '@shaketable/slo'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const text = (relative: string) => readFileSync(path(relative), 'utf8')

function schema(name: 'system' | 'experiment') {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  return ajv.compile(JSON.parse(text(`../schemas/${name}.schema.json`)) as object)
}

describe('the JSON Schemas for editors', () => {
  it('are what the reader makes of them today', async () => {
    const script = path('../src/experiment/schemas.ts')
    await promisify(execFile)(process.execPath, ['--conditions=@shaketable/source', script, '--check'])
  })

  it('accept the sound documents', () => {
    for (const [name, file] of [
      ['system', 'fixtures/documents/system.yaml'],
      ['experiment', 'fixtures/documents/experiments/slow-payments.yaml'],
    ] as const) {
      const validate = schema(name)
      validate(parse(text(file)))
      expect(validate.errors).toBeNull()
    }
  })

  it.each([
    'experiment-misspelt-field',
    'experiment-rate-without-unit',
    'experiment-unknown-fault-kind',
    'experiment-two-kinds-in-one-fault',
    'experiment-percent-over-100',
    'experiment-no-objectives',
    'system-command-as-text',
    'system-replicas-of-zero',
    'system-ready-neither-path-nor-tcp',
  ])('refuse %s', name => {
    expect(readdirSync(path('bad-input'))).toContain(`${name}.yaml`)
    expect(schema(name.startsWith('system') ? 'system' : 'experiment')(parse(text(`bad-input/${name}.yaml`)))).toBe(
      false,
    )
  })
})

it('the latency boundaries that objectives may use are those of the metric', () => {
  expect(signals['http-server'].boundaries).toEqual(httpDurationBoundaries)
})
