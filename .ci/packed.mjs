// Packs each published package and uses the tarballs from a scratch project, as a user of the registry would.
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const rooms = ['sdk', 'slo', 'dashboards', 'chaos']
const scratch = mkdtempSync(join(tmpdir(), 'shaketable-packed-'))
const run = (file, args, options = {}) => execFileSync(file, args, { cwd: scratch, stdio: 'inherit', ...options })

try {
  run('npm', ['run', 'build'], { cwd: resolve('.') })
  const tarballs = rooms.map(room => {
    run('npx', ['publint', '--strict', room], { cwd: resolve('.') })
    const [{ filename, size, files }] = JSON.parse(
      execFileSync('npm', ['pack', `./${room}`, '--json', '--pack-destination', scratch], { encoding: 'utf8' }),
    )
    if (room === 'sdk' && size > 400_000) throw new Error(`the packed sdk has ${size} bytes, expected at most 400,000`)
    if (!files.some(({ path }) => path === 'LICENSE')) throw new Error(`the packed ${room} has no LICENSE`)
    return `./${filename}`
  })
  writeFileSync(join(scratch, 'package.json'), JSON.stringify({ name: 'scratch', private: true, type: 'module' }))
  run('npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...tarballs,
    'express@5.3.0',
    '@opentelemetry/api@1.10.0',
  ])

  for (const name of ['api', 'core']) {
    const copies = globSync(`node_modules/**/@opentelemetry/${name}/package.json`, { cwd: scratch })
    if (copies.length !== 1) throw new Error(`expected one @opentelemetry/${name}, saw ${copies.join(', ')}`)
  }

  // ESM, through the flag that the README promises.
  writeFileSync(
    join(scratch, 'server.mjs'),
    `import express from 'express'
import { trace } from '@opentelemetry/api'
const app = express()
app.get('/hello/:name', (_request, response) => response.json({ trace: trace.getActiveSpan()?.spanContext().traceId }))
const server = app.listen(0, '127.0.0.1', async () => {
  const answer = await (await fetch(\`http://127.0.0.1:\${server.address().port}/hello/you\`)).json()
  if (!/^[0-9a-f]{32}$/.test(answer.trace)) throw new Error(\`no active span: \${JSON.stringify(answer)}\`)
  console.error('packed sdk: an active span in the handler')
  process.kill(process.pid, 'SIGTERM')
})
`,
  )
  const env = { ...process.env, NODE_OPTIONS: '', OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_PROMETHEUS_PORT: '0' }
  try {
    run(process.execPath, ['--import', '@shaketable/sdk/register', 'server.mjs'], { env, timeout: 30_000 })
    throw new Error('the packed service should have died of its SIGTERM')
  } catch (error) {
    if (error.signal !== 'SIGTERM') throw error
  }

  const app = `import('express').then(({ default: express }) => express().listen(0, '127.0.0.1'))`
  const started = [process.execPath, '--import', '@shaketable/sdk/register', '-e', app]
  run('npx', ['--no-install', '@shaketable/sdk', 'doctor', '--', ...started], { env })
  run('npx', ['--no-install', 'shaketable', '--help'], { env })
  run('npx', ['--no-install', 'shaketable', 'sweep'], { env })

  // Types, as a strict NodeNext project sees them.
  writeFileSync(
    join(scratch, 'uses.ts'),
    `import { start } from '@shaketable/sdk'
import { metric } from '@shaketable/sdk/names'
import type { ArmRequest } from '@shaketable/sdk/faults'
import { type Objective, readObjectives } from '@shaketable/slo'
import { run } from 'shaketable'
export const uses: [string, Objective[], number] = [metric.httpServerDuration, readObjectives('', 'none.yaml'), 1]
export type Uses = [ArmRequest, typeof start, typeof run]
`,
  )
  mkdirSync(join(scratch, 'node_modules/@types'), { recursive: true })
  run(process.execPath, [
    resolve('node_modules/typescript/bin/tsc'),
    ...'--noEmit --strict --module nodenext --target es2024 --skipLibCheck --types node --typeRoots'.split(' '),
    resolve('node_modules/@types'),
    'uses.ts',
  ])
  console.log('packed: the tarballs work from a scratch project')
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
