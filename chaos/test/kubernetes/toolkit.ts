import { describe, expect, it } from 'vitest'
import { runToolkit } from '../toolkit.ts'
import { allReady, deploymentOf, plane, podsIn } from './cluster.ts'

describe('an experiment of the Chaos Toolkit', () => {
  const python = (type: string, func: string, given: object, tolerance?: unknown) => ({
    type,
    name: func,
    ...(tolerance === undefined ? {} : { tolerance }),
    provider: {
      type: 'python',
      module: `chaosk8s.${func.replace(/\.\w+$/, '')}`,
      func: func.replace(/.*\./, ''),
      arguments: { ns: 'small', ...given },
    },
  })
  const whole = python('probe', 'deployment.probes.deployment_available_and_healthy', { name: 'front' }, true)
  const terminate = python('action', 'pod.actions.terminate_pods', {
    label_selector: 'app=front',
    all: true,
    grace_period: 0,
  })
  const experiment = {
    'steady-state-hypothesis': { title: 'front is whole', probes: [whole] },
    method: [
      python('action', 'deployment.actions.scale_deployment', { name: 'front', replicas: 3 }),
      { ...terminate, pauses: { after: 1 } },
      python('probe', 'pod.probes.count_pods', { label_selector: 'app=front' }, { type: 'range', range: [1, 5] }),
    ],
    rollbacks: [],
    runtime: { hypothesis: { strategy: 'before-method-only' } },
  }

  it('shakes the cluster that is named, and gives it back as it was', async () => {
    const env = plane.envOf('admin')
    const unnamed = await runToolkit(experiment, { env })
    expect([unnamed.code, unnamed.stderr]).toEqual([2, expect.stringContaining('--yes-this-is "test"')])

    const before = (await podsIn('small')).map(({ metadata }) => metadata?.name)
    const { code, stdout, stderr } = await runToolkit(experiment, { env, args: ['--yes-this-is', 'test'] })
    expect(code, stdout + stderr).toBe(0)
    expect(stdout).toContain('undone: deployment front in small scaled to 2 replicas again')
    expect((await deploymentOf('front')).spec?.replicas).toBe(2)
    await allReady('small', 3)
    const after = (await podsIn('small')).map(({ metadata }) => metadata?.name)
    expect(after.filter(name => before.includes(name))).toEqual([expect.stringMatching(/^store-/)])
  })
})
