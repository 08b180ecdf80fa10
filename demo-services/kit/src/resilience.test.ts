import { expect, test } from 'vitest'
import { patterns, Resilience } from './resilience.ts'

const on = (setting: string) => patterns.filter(each => new Resilience(setting).has(each))

test('on is every pattern, off is none, and a list is those that it names', () => {
  expect(on('on')).toEqual(patterns)
  expect(on('off')).toEqual([])
  expect(on('retry, timeout')).toEqual(['timeout', 'retry'])
})

test('an unknown name is refused, and nothing changes', () => {
  const switches = new Resilience('retry')
  expect(() => switches.set('retry,braker')).toThrow(
    'resilience: saw "braker", expected on, off or some of timeout, retry',
  )
  expect(switches.toJSON()).toMatchObject({ retry: true, timeout: false })
})
