import { formatProblem, type Problem, parseDocuments } from '@shaketable/slo'
import { describe, expect, it } from 'vitest'
import { readToolkit } from './read.ts'
import { isToolkitExperiment } from './schema.ts'

const env = { SHOP: 'http://shop.test', LIMIT: '3', TOKEN: 's3cret-token' }

function read(text: string) {
  const problems: Problem[] = []
  const [document] = parseDocuments(text, 'x.yaml', problems)
  if (!document) throw new Error(problems.map(formatProblem).join('\n'))
  const result = readToolkit(document, { env, runnable: path => path !== 'absent' }, problems)
  return { result, said: problems.map(formatProblem).join('\n') }
}

const sound = `
title: The shop stands
description: What the shop does without its cache.
configuration:
  shop: { type: env, key: SHOP }
  limit: { type: env, key: LIMIT, env_var_type: int }
  page: { type: env, key: PAGE, default: /products }
  toxiproxy_host: proxy
secrets:
  api:
    token: { type: env, key: TOKEN }
steady-state-hypothesis:
  title: It answers
  probes:
    - name: page
      type: probe
      tolerance: { type: range, range: [0, "\${limit}"], target: status }
      provider:
        type: http
        url: \${shop}\${page}
        headers: { authorization: "Bearer \${token}" }
        timeout: [1, 2]
        secrets: [api]
method:
  - ref: page
  - { name: stop, type: action, provider: { type: process, path: stop-cache, arguments: { --after: "\${limit}" } }, pauses: { after: 2 } }
  - { name: shell, type: action, background: true, provider: { type: process, path: echo, arguments: "\${limit} | cat" } }
rollbacks:
  - { name: free, type: action, provider: { type: python, module: chaostoxi.toxic.actions, func: delete_toxic, arguments: { for_proxy: redis, toxic_name: slow } } }
`

describe('an experiment of the Chaos Toolkit', () => {
  it('is told by its shape', () => {
    expect(isToolkitExperiment({ title: 'x', description: 'y', method: [] })).toBe(true)
    expect(isToolkitExperiment({ apiVersion: 'shaketable.dev/v1alpha1', title: 'x', method: [] })).toBe(false)
    expect(isToolkitExperiment({ title: 'x' })).toBe(false)
    expect(isToolkitExperiment([])).toBe(false)
  })

  it('is read with its variables in their places, a lone one with its type', () => {
    const { result, said } = read(sound)
    expect(said).toBe('')
    expect(result?.secrets).toEqual(['s3cret-token'])
    const { hypothesis, method, rollbacks } = result!.experiment
    expect(hypothesis?.probes[0]).toMatchObject({
      tolerance: { type: 'range', from: 0, to: 3, target: 'status' },
      provider: {
        url: 'http://shop.test/products',
        method: 'GET',
        headers: { authorization: 'Bearer s3cret-token' },
        timeoutMs: 3000,
      },
    })
    expect(method.map(({ name, provider }) => [name, provider])).toMatchObject([
      ['page', { type: 'http' }],
      ['stop', { type: 'process', path: 'stop-cache', args: ['--after', '3'] }],
      ['shell', { type: 'process', path: '/bin/sh', args: ['-c', 'echo 3 | cat'] }],
    ])
    expect(method[1]).toMatchObject({ pauseAfterMs: 2000, background: false })
    expect(rollbacks[0]?.provider).toEqual({
      type: 'mapped',
      function: 'chaostoxi.toxic.actions.delete_toxic',
      arguments: { for_proxy: 'redis', toxic_name: 'slow' },
    })
  })

  it('notes what stands in the file and does nothing', () => {
    const { result } = read(sound.replace('pauses: { after: 2 }', 'pause: { after: 2 }'))
    expect(result?.notes.map(formatProblem)).toEqual([
      'x.yaml:26:123: method[1].pause: does nothing here, as in the Chaos Toolkit',
    ])
  })

  it.each<[string, string, string, string]>([
    [
      'toxics and no Toxiproxy',
      '  toxiproxy_host: proxy\n',
      '',
      'x.yaml:28:43: rollbacks[0].provider: chaostoxi.toxic.actions.delete_toxic has no address: the configuration has neither',
    ],
    [
      'a Python function that has no equal',
      'module: chaostoxi.toxic.actions',
      'module: chaosaws.ec2.actions',
      'x.yaml:29:43: rollbacks[0].provider: chaosaws.ec2.actions.delete_toxic is refused: it is Python, and nothing of ours does the same\n  hint: write it as',
    ],
    [
      'one of a driver that is known',
      'func: delete_toxic',
      'func: reset',
      'chaostoxi.toxic.actions.reset is refused: it is Python, and nothing of ours does the same\n  hint: of this driver we do create_toxic, ',
    ],
    [
      'an argument of a mapped function',
      'toxic_name: slow',
      'toxic: slow',
      'x.yaml:29:143: rollbacks[0].provider.arguments: unknown field "toxic"',
    ],
    [
      'a variable that is nowhere',
      `\${limit} | cat`,
      `\${limits} | cat`,
      `x.yaml:27:62: method[2].provider: \${limits} is neither in the configuration nor among its secrets`,
    ],
    [
      'a secret that was not asked for',
      'secrets: [api]',
      'secrets: []',
      `\${token} is neither in the configuration nor among its secrets`,
    ],
    [
      'a variable of the environment that is not set',
      'key: SHOP',
      'key: SHAP',
      'configuration.shop: the environment has no SHAP, and there is no default',
    ],
    [
      'a vault',
      'type: env, key: TOKEN',
      'type: vault, path: x',
      'secrets.api.token is refused: "vault" is not read here',
    ],
    [
      'a program that is not there',
      'path: echo',
      'path: absent',
      'x.yaml:27:85: method[2].provider.path: there is no such program to be run',
    ],
    [
      'a ref to nothing',
      'ref: page',
      'ref: pages',
      'x.yaml:25:10: method[0].ref: no activity of this experiment is named "pages"',
    ],
    [
      'a hypothesis that cannot fail',
      'tolerance: {',
      'tolerances: {',
      'steady-state-hypothesis.probes[0]: has no tolerance: without one it could never fail',
    ],
    [
      'controls',
      'rollbacks:',
      'controls: [{ name: log }]\nrollbacks:',
      'controls is refused: controls are Python code, and we run none',
    ],
    [
      'an unknown strategy',
      'rollbacks:',
      'runtime: { rollbacks: { strategy: sometimes } }\nrollbacks:',
      'runtime.rollbacks.strategy: expected one of "default", "always", "never", "deviated", saw "sometimes"',
    ],
  ])('with %s is refused at its place', (_, from, to, words) => {
    const { result, said } = read(sound.replace(from, () => to))
    expect(result).toBeUndefined()
    expect(said).toContain(words)
  })
})
