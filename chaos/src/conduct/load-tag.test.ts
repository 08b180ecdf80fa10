import { expect, test } from 'vitest'
import { experimentOf, getStep } from '../../bench/made-up-run.ts'
import type { Target } from '../targets/target.ts'
import { loadTagOf, tagged } from './load-tag.ts'

const targetWith = (...keys: (string | undefined)[]) =>
  ({
    instances: () =>
      keys.map((key, index) => ({ id: `back-${index + 1}`, faultControl: key && { url: 'http://127.0.0.1:1', key } })),
  }) as unknown as Target
const ofLoad = experimentOf({
  experiment: { system: { name: 'made-up', services: [{ name: 'back' }] } as never },
  fault: { traffic: 'load' },
})

test('the requests of the load bear a tag only where a fault asks for it, beside their own baggage', () => {
  expect(loadTagOf(experimentOf({}), targetWith('k'), 7)).toBeUndefined()
  const tag = loadTagOf(ofLoad, targetWith('k', undefined, 'k'), 7)!
  expect(tag).toEqual({ name: 'load-7', token: expect.stringMatching(/^load-7\.\d+\.[\w-]{22}\.[\w-]{43}$/) })
  const step = getStep('/items/7')
  const journey = {
    name: 'look',
    steps: [step, { ...step, request: { ...step.request, headers: { Baggage: 'tenant=acme', accept: '*/*' } } }],
  } as Parameters<typeof tagged>[0]
  expect(tagged(journey, undefined)).toBe(journey)
  expect(tagged(journey, tag).steps.map(({ request }) => request.headers)).toEqual([
    { baggage: `shaketable.tag=${tag.token}` },
    { accept: '*/*', baggage: `tenant=acme,shaketable.tag=${tag.token}` },
  ])
})

test('where no one key is known by all of the services the experiment is refused, at the fault that asks for it', () => {
  expect(() => loadTagOf(ofLoad, targetWith('k', 'l'), 7)).toThrow(
    /^made-up\.yaml:1:1: .*: back-1 and back-2 have different keys of fault control; nothing was done$/,
  )
  expect(() => loadTagOf(ofLoad, targetWith(undefined), 7)).toThrow(/no service has fault control/)
})
