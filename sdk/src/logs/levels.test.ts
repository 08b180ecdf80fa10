import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Leveled, LogLevels } from './levels.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A logger as pino makes it: it tells of each level that it is given. */
function logger(
  levels: LogLevels,
  level: string,
  known = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
): Leveled {
  let now = level
  const made: Leveled = {
    get level() {
      return now
    },
    set level(next) {
      if (!known.includes(next)) throw new Error(`unknown level ${next}`)
      now = next
      levels.leveled(made, false)
    },
  }
  levels.leveled(made, true)
  return made
}

test('all loggers get the level, those made meanwhile too, and each has its own one again afterwards', () => {
  const levels = new LogLevels()
  const [app, quiet] = [logger(levels, 'info'), logger(levels, 'error')]
  expect(levels.set('debug', 60_000)).toBe(2)
  const child = logger(levels, 'warn')
  expect([app.level, quiet.level, child.level]).toEqual(['debug', 'debug', 'debug'])
  expect(levels.state).toEqual({ level: 'debug', remainingMs: 60_000 })
  vi.advanceTimersByTime(60_000)
  expect([app.level, quiet.level, child.level]).toEqual(['info', 'error', 'warn'])
  expect(levels.state).toEqual({ level: 'own', remainingMs: 0 })
})

test('a second command replaces the first, and the own level is the one before both', () => {
  const levels = new LogLevels()
  const app = logger(levels, 'info')
  levels.set('debug', 1_000)
  levels.set('trace', 60_000)
  vi.advanceTimersByTime(2_000)
  expect(app.level).toBe('trace')
  levels.restore()
  expect(app.level).toBe('info')
})

test('what the app itself sets meanwhile stays', () => {
  const levels = new LogLevels()
  const app = logger(levels, 'info')
  levels.set('debug', 1_000)
  app.level = 'fatal'
  levels.restore()
  expect(app.level).toBe('fatal')
})

test('a logger without that level is left alone', () => {
  const levels = new LogLevels()
  const own = logger(levels, 'loud', ['loud', 'soft'])
  expect(levels.set('debug', 1_000)).toBe(0)
  expect(own.level).toBe('loud')
})
