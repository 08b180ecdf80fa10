import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { fixtureReport } from '../../test/fixtures/reports/generate.ts'
import type { World } from '../world.ts'
import type { LiveState } from './reporter.ts'
import { textWidth } from './style.ts'
import { styleFor, summary, terminalView } from './terminal.ts'

/** A world whose stderr is kept, with a clock that only moves when told. */
function fakeWorld(stream: { isTTY?: boolean; columns?: number }, env: NodeJS.ProcessEnv = {}) {
  const kept: string[] = []
  let nowMs = 0
  const stderr = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        kept.push(String(chunk))
        done()
      },
    }),
    stream,
  )
  const world: World = {
    env,
    cwd: '/',
    stdout: stderr,
    stderr,
    clock: { now: () => nowMs, wall: () => nowMs, sleep: async () => {} },
    freshSeed: () => 1,
    signal: new AbortController().signal,
  }
  return { world, written: () => kept.join(''), writes: kept, pass: (ms: number) => (nowMs += ms) }
}

const begun = {
  name: 'slow-payments',
  title: 'Checkout survives a slow payment provider',
  index: 0,
  count: 4,
  totalMs: 25_000,
}
const state = (change: Partial<LiveState> = {}): LiveState => ({
  phase: 'baseline',
  elapsedMs: 1000,
  phaseEndsInMs: 4000,
  requestsPerSecond: 60,
  p99Ms: 82,
  errorRatio: 0,
  armed: [],
  armedIds: [],
  firing: [],
  ...change,
})

/** What a terminal shows after all that was written: enough of one for what the view uses. */
function screen(written: string): string[] {
  const rows: string[] = ['']
  let row = 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal reads control characters.
  for (const [token] of written.matchAll(/\x1b\[\??\d*[A-Za-z]|[\r\n]|[^\x1b\r\n]+/g)) {
    if (token === '\n') rows[++row] ??= ''
    else if (token.endsWith('A') && token.startsWith('\x1b')) row -= Number(token.slice(2, -1))
    else if (token === '\x1b[2K') rows[row] = ''
    else if (token === '\x1b[J') rows.splice(row, rows.length, '')
    else if (token.startsWith('\x1b') || token === '\r') continue
    else rows[row] += token
  }
  return rows.slice(0, -1)
}

describe('on a terminal', () => {
  test('one block is painted in place, and what is over stays above it', () => {
    const { world, written } = fakeWorld({ isTTY: true, columns: 100 }, { NO_COLOR: '1' })
    const view = terminalView(world)
    view.note!('starting shop')
    view.experimentBegins!(begun)
    for (let elapsedMs = 0; elapsedMs < 5000; elapsedMs += 250)
      view.tick!(state({ elapsedMs, phaseEndsInMs: 5000 - elapsedMs }))
    view.tick!(
      state({
        phase: 'fault',
        elapsedMs: 5000,
        phaseEndsInMs: 15_000,
        armed: ['2 s on payments'],
        firing: ['checkout'],
        errorRatio: 0.25,
      }),
    )
    expect(screen(written())).toEqual([
      'starting shop',
      '[1/4] slow-payments  Checkout survives a slow payment provider',
      `  fault     ${'─'.repeat(40)}  5.0 s gone, 20.0 s left`,
      '  60/s   p99 82 ms   errors 25%',
      '  ↯ 2 s on payments',
      '  ! page firing: checkout',
    ])
    view.experimentEnds!(fixtureReport('pass').experiments[0]!)
    view.close!()
    expect(screen(written())).toEqual(['starting shop', '✓ pass  slow-payments'])
  })

  test('the bar shows how far the phase is', () => {
    const { world, written } = fakeWorld({ isTTY: true, columns: 100 }, { NO_COLOR: '1' })
    const view = terminalView(world)
    view.experimentBegins!(begun)
    view.tick!(state({ phase: 'fault', elapsedMs: 5000, phaseEndsInMs: 15_000 }))
    view.tick!(state({ phase: 'fault', elapsedMs: 8750, phaseEndsInMs: 11_250 }))
    expect(screen(written())[1]).toContain(`${'━'.repeat(10)}${'─'.repeat(30)}`)
  })

  test('the cursor is hidden while it paints and comes back on close, once', () => {
    const { world, written } = fakeWorld({ isTTY: true, columns: 80 })
    const view = terminalView(world)
    view.experimentBegins!(begun)
    expect(written()).toContain('\x1b[?25l')
    view.close!()
    view.close!()
    view.tick!(state())
    expect(written().endsWith('\x1b[?25h')).toBe(true)
    expect(written().split('\x1b[?25h')).toHaveLength(2)
  })

  test.each([20, 40, 79, 200])('no line is wider than a terminal of %i columns, whatever it says', columns => {
    const { world, written } = fakeWorld({ isTTY: true, columns }, { NO_COLOR: '1' })
    const view = terminalView(world)
    view.note!('x'.repeat(300))
    view.experimentBegins!({ ...begun, name: '名前'.repeat(80) })
    view.tick!(state({ armed: ['latency '.repeat(40)], firing: ['objective'.repeat(40)] }))
    for (const line of screen(written())) expect(textWidth(line)).toBeLessThan(columns)
  })

  test('a name cannot command the terminal', () => {
    const { world, written } = fakeWorld({ isTTY: true, columns: 80 }, { NO_COLOR: '1' })
    const view = terminalView(world)
    view.experimentBegins!({ ...begun, name: 'a\x1b[2Jb\x07\x9bc' })
    view.tick!(state({ armed: ['\x1b]0;title\x07'] }))
    for (const command of ['\x1b[2J', '\x1b]', '\x07', '\x9b']) expect(written()).not.toContain(command)
  })
})

describe('without a terminal', () => {
  test('each phase, fault and alert is one plain line', () => {
    const { world, written } = fakeWorld({})
    const view = terminalView(world)
    view.experimentBegins!(begun)
    view.tick!(state())
    view.tick!(state())
    view.tick!(state({ phase: 'fault', elapsedMs: 5000, phaseEndsInMs: 15_000, armed: ['2 s on payments'] }))
    view.tick!(
      state({
        phase: 'fault',
        elapsedMs: 7300,
        phaseEndsInMs: 12_700,
        armed: ['2 s on payments'],
        firing: ['checkout'],
      }),
    )
    view.tick!(state({ phase: 'recovery', elapsedMs: 20_000, phaseEndsInMs: 5000 }))
    view.experimentEnds!(fixtureReport('void').experiments[0]!)
    expect(written()).toBe(`[1/4] slow-payments: Checkout survives a slow payment provider (25 s)
   1.0 s  baseline begins, 4 s long
   5.0 s  fault begins, 15 s long
   5.0 s  fault armed: 2 s on payments
   7.3 s  page firing: checkout
  20.0 s  recovery begins, 5 s long
  20.0 s  fault ended: 2 s on payments
  20.0 s  page resolved: checkout
∅ void  frozen-inventory
  → the load generator was late: 412 ms at the 99th percentile, more than 50 ms
`)
  })

  test('a line comes at most every five seconds while nothing changes', () => {
    const { world, writes, pass } = fakeWorld({})
    const view = terminalView(world)
    view.experimentBegins!(begun)
    view.tick!(state())
    for (let tick = 0; tick < 60; tick++) {
      pass(250)
      view.tick!(state({ elapsedMs: 1000 + tick * 250 }))
    }
    expect(writes.slice(2)).toHaveLength(3)
    expect(writes.at(-1)).toMatch(/baseline: 60\/s, p99 82 ms, errors 0%\n$/)
  })

  test('a dumb terminal gets the plain lines too', () => {
    const { world, written } = fakeWorld({ isTTY: true, columns: 80 }, { TERM: 'dumb' })
    terminalView(world).experimentBegins!(begun)
    expect(written()).not.toContain('\x1b')
  })
})

describe('colour', () => {
  const on = (stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv) =>
    styleFor(fakeWorld(stream).world.stdout, env).colour

  test('is there on a terminal only, unless NO_COLOR or FORCE_COLOR say otherwise', () => {
    expect(on({ isTTY: true }, {})).toBe(true)
    expect(on({}, {})).toBe(false)
    expect(on({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
    expect(on({ isTTY: true }, { NO_COLOR: '' })).toBe(true)
    expect(on({}, { FORCE_COLOR: '1' })).toBe(true)
    expect(on({ isTTY: true }, { FORCE_COLOR: '0' })).toBe(false)
    expect(on({ isTTY: true }, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false)
  })
})

describe('the summary', () => {
  const plain = (columns?: number) =>
    styleFor(fakeWorld(columns ? { isTTY: true, columns } : {}).world.stdout, { NO_COLOR: '1' })

  test('is a table of experiments and objectives, the reasons, and what the exit code means', () => {
    const report = fixtureReport('void')
    const objective = report.experiments[0]!.objectives[0]!
    Object.assign(objective, { ratio: 0.998, interval: [0.991, 0.999] })
    expect(summary(report, plain())).toBe(`    objective              target  ratio    95% interval  verdict
∅ void  frozen-inventory
  no error · no alert · steady at once
    checkout-availability     98%  99.8%  99.1% to 99.9%  ∅ void
  → the load generator was late: 412 ms at the 99th percentile, more than 50 ms

1 experiment: 1 void (28.2 s, seed 20260101)
exit 5: a measurement was not sound, so it proves nothing
`)
  })

  test('says the exit meaning of a pass and of a fail', () => {
    expect(summary(fixtureReport('pass'), plain())).toMatch(/2 experiments: 2 pass .*\nexit 0: everything stood\n$/)
    expect(summary(fixtureReport('fail'), plain())).toMatch(/exit 1: an expectation did not hold\n$/)
  })

  test('columns align by what is seen, with colour and without', () => {
    const colour = styleFor(fakeWorld({}).world.stdout, { FORCE_COLOR: '1' })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: takes the colours off again.
    const stripped = summary(fixtureReport('fail'), colour).replace(/\x1b\[\d+m/g, '')
    expect(stripped).toBe(summary(fixtureReport('fail'), plain()))
  })

  test('objectives with long names stay within the terminal', () => {
    const table = summary(fixtureReport('long-names'), plain(80)).split('\n')
    expect(table.find(line => line.startsWith('    international'))).toMatch(/…/)
    for (const line of table.filter(line => line.startsWith('    '))) expect(textWidth(line)).toBeLessThanOrEqual(80)
  })
})
