import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Instance } from '../../src/targets/target.ts'
import { anywhere, countReady, never, plane, started, system, target, within } from './cluster.ts'

describe('the Role that is shipped', () => {
  const file = fileURLToPath(new URL('../../docs/kubernetes-role.yaml', import.meta.url))
  const bind = () =>
    plane.kubectl(['-n', 'small', 'create', 'rolebinding', 'shaketable', '--role=shaketable', '--user=runner'])

  it('is all that a run needs', async () => {
    await plane.kubectl(['apply', '-n', 'small', '-f', file])
    await bind()
    const { subject, faults } = await started({ user: 'runner' })
    const [first, second] = subject.instances('front') as [Instance, Instance]
    await first.crash()
    await expect.poll(() => first.pid !== undefined, within).toBe(true)
    await second.terminate(1000)
    await expect.poll(() => second.pid !== undefined, within).toBe(true)
    await faults.evict(first)
    await expect.poll(() => first.pid !== undefined, within).toBe(true)
    await (await faults.rollingRestart('front')).undo()
    await (await faults.scaleToZero('front')).undo()
    await subject.stop()
    expect(await countReady('small')).toBe(3)
  })

  it('without one of its verbs refuses what needs it, by name and beforehand', async () => {
    await plane.kubectl(['-n', 'small', 'delete', 'role', 'shaketable'])
    const { rules } = parse(await readFile(file, 'utf8')) as { rules: { resources: string[]; verbs: string[] }[] }
    const without = (verb: string, resource: string) =>
      plane.apply({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'shaketable', namespace: 'small' },
        rules: rules
          .map(rule =>
            rule.resources.includes(resource) ? { ...rule, verbs: rule.verbs.filter(each => each !== verb) } : rule,
          )
          .filter(({ verbs }) => verbs.length > 0),
      })
    await without('delete', 'pods')
    const { subject } = await started({ user: 'runner' })
    expect(subject.refuses?.({ ...anywhere, kind: 'crash', instances: 1, everyMs: undefined })).toBe(
      'this user may not delete pods in small (docs/kubernetes.md has the Role)',
    )
    expect(subject.refuses?.({ ...anywhere, kind: 'evict', instances: 1 })).toBeUndefined()
    await expect(subject.instances('front')[0]?.crash()).rejects.toThrow('User "runner" cannot delete resource "pods"')

    await subject.stop()

    await without('create', 'pods/portforward')
    const unreached = { message: 'this user may not create pods/portforward in small; nothing was done', exitCode: 2 }
    await expect(target('runner').start(system(), never)).rejects.toMatchObject(unreached)
    await without('list', 'pods')
    await expect(target('runner').start(system(), never)).rejects.toMatchObject({
      code: 'SHAKETABLE_FORBIDDEN',
      exitCode: 2,
      message: expect.stringContaining('User "runner" cannot list resource "pods"'),
    })
  })
})
