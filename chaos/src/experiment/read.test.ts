import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvalidInput } from '@shaketable/slo'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readExperiments } from './read.ts'
import { validateFiles } from './validate.ts'

const folder = fileURLToPath(new URL('../../test/fixtures/documents', import.meta.url))
const names = [
  'system.yaml',
  'objectives/checkout-latency.yaml',
  'objectives/checkout-availability.yaml',
  'experiments/slow-payments.yaml',
]
const documents = new Map<string, string>()
for (const name of names) documents.set(name, await readFile(resolve(folder, name), 'utf8'))
const experiment = 'experiments/slow-payments.yaml'

/** The documents with some of them changed; each change must change something. */
function source(changes: Record<string, (text: string) => string> = {}) {
  const files = new Map(documents)
  for (const [name, change] of Object.entries(changes)) {
    const text = change(files.get(name) ?? '')
    expect(text).not.toBe(files.get(name))
    files.set(name, text)
  }
  const reads: string[] = []
  return {
    reads,
    read: async (path: string) => {
      reads.push(path)
      const text = files.get(path)
      if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
      return text
    },
  }
}

const changed = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to)

async function complaint(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof InvalidInput) return error.message
    throw error
  }
  return 'none'
}

describe('an experiment', () => {
  it('is read with the system and the objectives that it names, and with defaults for what it leaves out', async () => {
    const [read] = await readExperiments([experiment], source())
    expect(read).toMatchObject({
      name: 'slow-payments',
      title: 'Checkout survives a slow payment provider',
      load: [{ ratePerSecond: 60, timeoutMs: 5000, journey: { name: 'checkout' } }],
      phases: { baselineMs: 5000, faultMs: 15_000, recoveryMs: 5000 },
      expect: { atLeast: 0.98, recoveryWithinMs: 5000, alerts: { none: true, fire: [] } },
      alertWindowScale: 300,
      place: { file: experiment, line: 1, column: 1 },
    })
    expect(read?.faults).toEqual([
      {
        kind: 'latency',
        id: 'latency-payments',
        service: 'payments',
        startMs: 0,
        durationMs: 15_000,
        delayMs: 2000,
        jitterMs: 200,
        distribution: 'uniform',
        percent: 100,
        scope: 'request',
        traffic: 'all',
        method: undefined,
        path: undefined,
        headers: undefined,
        from: undefined,
        among: undefined,
        ramp: undefined,
        pulse: undefined,
        place: { file: experiment, line: 10, column: 7 },
      },
      {
        kind: 'crash',
        id: 'crash-orders',
        service: 'orders',
        startMs: 5000,
        durationMs: 10_000,
        instances: 1,
        everyMs: undefined,
        place: { file: experiment, line: 11, column: 7 },
      },
    ])
    expect(read?.expect.hold.map(objective => objective.name)).toEqual(['checkout-availability', 'checkout-latency'])
    expect(read?.system.services.map(({ name, ready, local }) => ({ name, ready, ...local }))).toEqual([
      {
        name: 'gateway',
        ready: '/readyz',
        command: ['node', 'gateway/src/main.ts'],
        replicas: 1,
        env: { FAULTS: 'on' },
        graceMs: 5000,
        restartDelayMs: 1000,
      },
      {
        name: 'orders',
        ready: '/readyz',
        command: ['node', 'orders/src/main.ts'],
        replicas: 2,
        env: {},
        graceMs: 3000,
        restartDelayMs: 500,
      },
      {
        name: 'payments',
        ready: '/readyz',
        command: ['node', 'payments/src/main.ts'],
        replicas: 1,
        env: {},
        graceMs: 5000,
        restartDelayMs: 1000,
      },
      {
        name: 'database',
        ready: 'tcp',
        command: ['postgres'],
        replicas: 1,
        env: {},
        graceMs: 5000,
        restartDelayMs: 1000,
      },
    ])
    expect(read?.system.journeys[1]).toMatchObject({
      setup: [],
      steps: [{ request: { method: 'GET' }, expect: { status: [200, 304] } }],
    })
    expect(read?.system.invariants).toEqual([
      { name: 'books-balance', command: ['node', 'audit.ts'], withinMs: 10_000 },
    ])
  })

  it('shares its system with others that name the same file, which is read once', async () => {
    const io = source({
      'experiments/other.yaml': () => documents.get(experiment)!.replace('name: slow-payments', 'name: other'),
    })
    const [one, other] = await readExperiments([experiment, 'experiments/other.yaml'], io)
    expect(one?.system).toBe(other?.system)
    expect(one?.system.dir).toBe('.')
    expect(io.reads.filter(path => path === 'system.yaml')).toHaveLength(1)
  })

  it('may have every kind of fault, with ids of their own', async () => {
    const faults = `faults:
    - error: { service: payments, status: 503, body: busy, percent: 12.5, scope: attempt, method: POST, path: /charge, at: 1s, for: 2s }
    - reset: { service: payments, from: orders }
    - hang: { service: payments, id: stuck }
    - crash: { service: orders, every: 4s }
    - crash: { service: orders, instances: 2 }
    - terminate: { service: orders }
    - freeze: { service: orders, for: 3s }
  expect:`
    const io = source({ [experiment]: changed(/faults:[\s\S]*?expect:/, faults) })
    const [read] = await readExperiments([experiment], io)
    expect(read?.faults.map(({ place: _, ...fault }) => fault)).toMatchObject([
      {
        kind: 'error',
        id: 'error-payments',
        status: 503,
        body: 'busy',
        percent: 12.5,
        scope: 'attempt',
        startMs: 1000,
        durationMs: 2000,
      },
      { kind: 'reset', from: 'orders' },
      { kind: 'hang', id: 'stuck' },
      { kind: 'crash', id: 'crash-orders', everyMs: 4000 },
      { kind: 'crash', id: 'crash-orders-2', instances: 2, everyMs: undefined },
      { kind: 'terminate', graceMs: 3000 },
      { kind: 'freeze', durationMs: 3000 },
    ])
  })

  it.each([
    ['1', 1],
    ['50', 50],
    ['50%', 50],
    ['"12.5 %"', 12.5],
    ['0.5%', 0.5],
  ])('may strike a share of the requests, written as %s', async (written, percent) => {
    const io = source({ [experiment]: changed('percent: 100', `percent: ${written}`) })
    const [read] = await readExperiments([experiment], io)
    expect(read?.faults[0]).toMatchObject({ kind: 'latency', percent })
  })

  it.each(['0', '0%', '0.5', '-1', '100.5%', '"50"'])('may not strike a share of %s', async written => {
    const io = source({ [experiment]: changed('percent: 100', `percent: ${written}`) })
    await expect(readExperiments([experiment], io)).rejects.toThrow(/latency\.percent: expected .*, saw /)
  })

  it('may have no fault at all', async () => {
    const io = source({ [experiment]: changed(/ {2}faults:[\s\S]*?expect:/, '  expect:') })
    expect((await readExperiments([experiment], io))[0]?.faults).toEqual([])
  })

  it('may put several journeys under load', async () => {
    const two = 'load: [{ journey: checkout, rate: 60/s }, { journey: browse, rate: 300/m, timeout: 1s }]'
    const [read] = await readExperiments([experiment], source({ [experiment]: changed(/load: .*/, two) }))
    expect(read?.load).toMatchObject([{ ratePerSecond: 60 }, { ratePerSecond: 5, timeoutMs: 1000 }])
  })
})

describe('the requests that an experiment plans', () => {
  const without = (rate: string) => (text: string) => text.replace(', atLeast: 98%', '').replace('60/s', rate)

  it('suffice when flawless ones would just prove the target', async () => {
    // 99.5 % takes 765 of them: 20 s of 38.25 a second.
    expect(await complaint(readExperiments([experiment], source({ [experiment]: without('38.25/s') })))).toBe('none')
    const words = await complaint(readExperiments([experiment], source({ [experiment]: without('38/s') })))
    expect(words).toContain(
      '760 planned requests without one error prove only 99.49 %, and the target is 99.5 %, which takes 765',
    )
    expect(words).toContain('fault and recovery of 21s in all, saw 20s')
  })

  it('are matched with the route template of the objective', async () => {
    const route = (to: string) => ({
      [experiment]: changed('journey: checkout', 'journey: browse'),
      'objectives/checkout-latency.yaml': changed('method: POST, route: /checkout', to),
      'objectives/checkout-availability.yaml': changed('method: POST, route: /checkout', 'method: GET'),
    })
    expect(await complaint(readExperiments([experiment], source(route('route: /orders/:id'))))).toBe('none')
    const words = await complaint(readExperiments([experiment], source(route('route: /orders'))))
    expect(words).toContain('the load never feeds "checkout-latency": it counts any method /orders at gateway')
  })
})

describe('what is wrong', () => {
  it('with any file is said at once, each thing in its own file', async () => {
    const io = source({
      'system.yaml': changed('replicas: 2', 'replicas: none'),
      'objectives/checkout-latency.yaml': changed('500ms', '400ms'),
      [experiment]: changed('percent: 100', 'percent: 101'),
    })
    const words = await complaint(readExperiments([experiment], io))
    expect(words.match(/^\S+(?=: )/gm)?.map(place => place.split(':')[0])).toEqual([
      experiment,
      'system.yaml',
      'objectives/checkout-latency.yaml',
    ])
  })

  it('with a file that is not there names the path that was looked at', async () => {
    expect(await complaint(readExperiments(['nowhere.yaml'], source()))).toBe(
      'nowhere.yaml:1:1: there is no such file: looked at nowhere.yaml',
    )
    const io = source({ 'experiments/deep/e.yaml': () => documents.get(experiment)! })
    const words = await complaint(readExperiments(['experiments/deep/e.yaml'], io))
    expect(words).toContain('e.yaml:5:11: spec.system: there is no such file: looked at experiments/system.yaml')
  })

  it('with names that two experiments share is said of the second', async () => {
    const io = source({ 'experiments/copy.yaml': () => documents.get(experiment)! })
    expect(await complaint(readExperiments([experiment, 'experiments/copy.yaml'], io))).toBe(
      `experiments/copy.yaml:1:1: the experiment "slow-payments" stands in ${experiment} as well: names are unique`,
    )
  })
})

describe('validating', () => {
  it('says one line of every sound document, of whatever kind', async () => {
    expect(await validateFiles(names, source())).toEqual({
      summaries: [
        'system.yaml: System "shop": 4 services, 2 journeys',
        'objectives/checkout-latency.yaml: SLO "checkout-latency": 99 % over 30d',
        'objectives/checkout-availability.yaml: SLO "checkout-availability": 99.5 % over 30d',
        'experiments/slow-payments.yaml: Experiment "slow-payments": 25s at 60/s, 2 faults',
      ],
      warnings: [],
      problems: [],
    })
  })
})

describe('whatever a file holds', () => {
  /** Valid documents with lines dropped, doubled, swapped for others, or with pieces cut out. */
  const mutation = fc.record({
    name: fc.constantFrom(...names),
    edits: fc.array(
      fc.record({
        kind: fc.constantFrom('drop', 'double', 'replace', 'cut', 'indent'),
        at: fc.nat(60),
        word: fc.constantFrom(
          '{}',
          '[]',
          '-1',
          '1e999',
          'null',
          '~',
          '.nan',
          '""',
          '*a',
          '&a',
          '10s',
          '__proto__',
          '[[]]',
          'kind: SLO',
        ),
        length: fc.nat(30),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })

  it('reading ends with experiments or with InvalidInput', async () => {
    let sound = 0
    let refused = 0
    await fc.assert(
      fc.asyncProperty(mutation, async ({ name, edits }) => {
        let lines = documents.get(name)!.split('\n')
        for (const { kind, at, word, length } of edits) {
          const index = at % lines.length
          const line = lines[index] ?? ''
          const instead =
            kind === 'drop'
              ? []
              : kind === 'double'
                ? [line, line]
                : kind === 'indent'
                  ? [` ${line}`]
                  : kind === 'cut'
                    ? [line.slice(0, length) + line.slice(length + 3)]
                    : [line.replace(/: [^:{[]*$/, `: ${word}`).replace(/\b[\w/%]+(?= ?[,}\]])/, word)]
          lines = lines.toSpliced(index, 1, ...instead)
        }
        const io = source()
        const read = async (path: string) => (path === name ? lines.join('\n') : io.read(path))
        try {
          await readExperiments([experiment], { read })
          sound++
        } catch (error) {
          if (!(error instanceof InvalidInput)) throw error
          refused++
        }
        await validateFiles(names, { read })
      }),
      { numRuns: 150 },
    )
    // Otherwise this would not have tested both.
    expect(sound).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  })
})
