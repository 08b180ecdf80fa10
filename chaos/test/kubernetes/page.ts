import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { freshState, Shaketable } from '../cli.ts'
import { volume } from '../fixtures/kubernetes/objects.ts'
import { plane } from './cluster.ts'

describe('the page on Kubernetes', () => {
  it('has commands that work as they stand: the shop and the back end are made, and its experiments find their pods', async () => {
    const root = fileURLToPath(new URL('../../..', import.meta.url))
    const page = await readFile(join(root, 'chaos/docs/kubernetes.md'), 'utf8')
    const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, body]) => body as string)
    expect(commands.length).toBeGreaterThan(2)
    // Disks for the claims of databases: no cloud makes any here.
    await plane.apply(volume('for-postgres', '1Gi'), volume('for-prometheus', '20Gi'))
    const env = { ...process.env, ...plane.envOf('admin'), PATH: `${plane.bin}:${process.env.PATH}` }
    const ran: string[] = []
    for (const command of commands) {
      const { stdout } = await promisify(execFile)('sh', ['-ec', command], { cwd: root, env })
      ran.push(stdout)
    }
    const seen = ran.join('')
    expect(seen).toContain(
      'system    shop (postgres, gateway, catalog, orders x2, inventory x2, payments, notifications, recommendations)',
    )
    expect(seen).toMatch(/hits orders-[12] \(pod orders-[01]\)\n/)
    for (const made of [
      'poddisruptionbudget.policy/orders',
      'deployment.apps/grafana',
      'role.rbac.authorization.k8s.io/shaketable',
    ]) {
      expect(seen).toContain(made)
    }
    const state = await freshState()
    const all = ['demo-services/experiments', '--target', 'kubernetes', '--dry-run']
    const dry = await new Shaketable(['run', ...all], { state: state.state, cwd: root, env: plane.envOf('admin') })
      .finished
    await state.remove()
    expect([dry.code, dry.stdout.match(/ hits /g)?.length], dry.stderr).toEqual([0, 4])
  })
})
