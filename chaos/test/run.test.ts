import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import type { SuiteReport } from '../src/report/model.ts'
import { fixture, freshState, processesWith, Shaketable } from './cli.ts'

const duo = fixture('duo')
const schema = readFileSync(new URL('../schemas/report.schema.json', import.meta.url), 'utf8')
const validate = new Ajv({ strict: true, allErrors: true, strictTuples: false }).compile(JSON.parse(schema))

/** Runs the duo's experiments of these names to the end, and proves that the report is sound and nothing is left. */
async function shake(
  names: string[],
  ...options: string[]
): Promise<{ code: number | null; report: SuiteReport; stderr: string }> {
  const { state, runs, remove } = await freshState()
  try {
    const files = names.map(name => `experiments/${name}.yaml`)
    const run = new Shaketable(['run', ...files, '--json', '--seed', '7', '--attempts', '3', ...options], {
      state,
      cwd: duo,
    })
    const { code, stdout, stderr } = await run.finished
    expect(stdout, stderr).not.toBe('')
    expect(await runs()).toEqual([])
    expect(await processesWith(state)).toEqual([])
    const report = JSON.parse(stdout) as SuiteReport
    validate(report)
    expect(validate.errors ?? []).toEqual([])
    expect(report.experiments.map(({ name }) => name)).toEqual(names)
    expect(report).toMatchObject({ seed: 7, exitCode: code })
    return { code, report, stderr }
  } finally {
    await remove()
  }
}

/** What a look at a product takes, by its spans. */
const path = ['front server', 'front client', 'back server']

const verdicts = ({ experiments }: SuiteReport) => experiments.map(each => [each.name, each.verdict, ...each.reasons])

/** What other programs of the machine take from the services is seen as the services' own, and that may happen. */
const onSharedMachine = { retry: 2, timeout: 120_000 }

describe('a run', () => {
  test(
    'of a system with resilience passes, and a second one at the same time does not meet it',
    onSharedMachine,
    async () => {
      const both = await Promise.all([shake(['slow-back', 'crashed-back']), shake(['failing-back', 'frozen-back'])])
      for (const { code, report } of both) {
        expect(verdicts(report)).toEqual(report.experiments.map(({ name }) => [name, 'pass']))
        expect(code).toBe(0)
        for (const { faults } of report.experiments) {
          expect(faults[0]?.hit).toBeGreaterThan(0)
          expect(faults[0]?.undoneMs).not.toBeNull()
        }
      }
      const failing = both[1].report.experiments[0]!
      expect(failing.expectations.map(({ name, names }) => [name, names])).toEqual([
        ['blame back', ['back']],
        ['amplification at most 1.5', []],
      ])
      const { edges, struck, healthy } = failing.traces!
      expect(edges[0]).toMatchObject({ from: 'front', to: 'back' })
      expect(struck?.spans.map(({ service, kind }) => `${service} ${kind}`)).toEqual(path)
      expect(struck?.spans.at(-1)).toMatchObject({ error: '503', faultId: 'error-back' })
      expect(healthy?.spans.map(({ service, kind }) => `${service} ${kind}`)).toEqual(path)
      expect(healthy?.spans.every(({ error }) => error === null)).toBe(true)
      // The access log of each service tells of it.
      for (const { traceId, logs } of [struck!, healthy!]) {
        expect(new Set(logs.map(({ instance }) => instance.split('-')[0]))).toEqual(new Set(['front', 'back']))
        for (const { text } of logs) expect(text).toContain(traceId)
      }
    },
  )

  test(
    'of the same system without it fails, and tells when the first error came and when its page fired',
    onSharedMachine,
    async () => {
      const { code, report } = await shake(['slow-back', 'failing-back'], '--env', 'RESILIENCE=off')
      const found = Object.fromEntries(verdicts(report).map(([name, ...rest]) => [name, rest]))
      expect(found).toMatchObject({ 'slow-back': { 0: 'fail' }, 'failing-back': { 0: 'fail' } })
      expect(code).toBe(1)
      expect(report.env).toEqual({ RESILIENCE: 'off' })
      const [slow, failing] = report.experiments
      const verdictOf = (experiment: typeof slow, name: string) =>
        experiment?.objectives.find(objective => objective.name === name)?.verdict
      expect(verdictOf(slow, 'look-latency')).toBe('fail')
      expect(verdictOf(failing, 'look-availability')).toBe('fail')
      expect(failing?.timeToFirstErrorMs).toBeLessThan(1000)
      expect(failing?.timeToDetectMs).toBeLessThan(3000)
    },
  )

  test('is ended by its guard, with everything undone, and fails for that reason', onSharedMachine, async () => {
    const { code, report, stderr } = await shake(['guarded-back'], '--env', 'RESILIENCE=off')
    expect(code).toBe(1)
    const [guarded] = report.experiments
    expect(guarded?.verdict).toBe('fail')
    const saw = /^guard: \d+ of \d+ requests within 1s were bad for look-availability, over 50 %/
    expect(guarded?.reasons).toContainEqual(expect.stringMatching(saw))
    expect(guarded?.reasons).toContainEqual(expect.stringMatching(/every fault was undone [\d.]+ m?s later$/))
    expect(stderr).toMatch(/^guard: .*: undoing everything$/m)
    expect(guarded?.faults[0]?.undoneMs).not.toBeNull()
    expect(guarded?.phases.map(({ name }) => name)).toEqual(['baseline', 'fault'])
  })
})

test(
  'with no fault nothing fails; the folder of its report holds every form of it and the logs',
  onSharedMachine,
  async () => {
    const { state, remove } = await freshState()
    try {
      const args = [
        'run',
        'experiments/no-fault.yaml',
        '--attempts',
        '3',
        '--report',
        join(state, 'out'),
        '--junit',
        join(state, 'ci/x.xml'),
      ]
      const { code, stdout, stderr } = await new Shaketable(args, { state, cwd: duo }).finished
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(`report: ${state}/out/report.html`) })
      expect(stdout).toMatch(/✓ pass {2}no-fault\n/)
      const written = (name: string) => readFile(join(state, name), 'utf8')
      validate(JSON.parse(await written('out/report.json')))
      expect(validate.errors ?? []).toEqual([])
      expect(await written('out/report.html')).toMatch(/^<!doctype html>/i)
      expect(await written('ci/x.xml')).toBe(await written('out/junit.xml'))
      expect(await written('out/logs/front-1.log')).not.toBe('')
    } finally {
      await remove()
    }
  },
)

test('a dry run says what it would do and hit, and starts nothing', async () => {
  const { state, runs, remove } = await freshState()
  const run = new Shaketable(['run', 'experiments', '--dry-run', '--seed', '7'], { state, cwd: duo })
  const { code, stdout, stderr } = await run.finished
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).toMatch(/freeze 1 instance of back.*hits back-[12]/)
  expect(await runs()).toEqual([])
  await remove()
})
