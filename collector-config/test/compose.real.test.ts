import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { run, until } from './processes.ts'

const house = fileURLToPath(new URL('../..', import.meta.url))

beforeAll(() => installDebianPackages('docker-compose', 'prometheus'))

test('docker-compose accepts the back end with the shop before it', () => {
  const files = ['-f', 'compose.yaml', '-f', 'compose.shop.yaml']
  const { code, said } = run('docker-compose', [...files, 'config'], house)
  expect(code, said).toBe(0)
  const { services } = parse(said) as { services: Record<string, { volumes: string[]; command?: string[] }> }
  // What is added to the back end's containers does not take from them.
  expect(services['otelcol-agent']!.volumes).toHaveLength(3)
  expect(services.prometheus!.volumes).toHaveLength(5)
})

test('the rules of the shop’s objectives, which are mounted for Prometheus, are valid', () => {
  expect(run('promtool', ['check', 'rules', join(house, 'demo-services/generated/rules.yaml')])).toMatchObject({
    code: 0,
  })
})

test('the command of the shop’s containers starts a service, and its lines go where the collector reads', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shaketable-compose-'))
  const { services } = parse(readFileSync(join(house, 'compose.shop.yaml'), 'utf8'), { merge: true })
  const [program, ...args] = services['recommendations-1'].command as [string, ...string[]]
  const here = args.map(arg => arg.replaceAll('$$', '$').replace('/var/log/services', folder))
  const env = {
    PATH: `${join(process.execPath, '..')}:${process.env.PATH}`,
    HOSTNAME: 'recommendations-1',
    OTEL_SERVICE_NAME: 'recommendations',
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    OTEL_TRACES_EXPORTER: 'none',
  }
  const service = spawn(program, here, { cwd: join(house, 'demo-services'), env, stdio: 'ignore' })
  try {
    const lines = join(folder, 'recommendations-1.log')
    await until(() => existsSync(lines) && readFileSync(lines, 'utf8').includes('"listening"'))
  } finally {
    service.kill('SIGKILL')
    await once(service, 'close')
    rmSync(folder, { recursive: true, force: true })
  }
})
