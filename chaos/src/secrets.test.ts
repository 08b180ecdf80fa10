import { expect, test } from 'vitest'
import { allShown } from './secrets.ts'

test('a value is hidden where its name says that it is a secret', () => {
  const given = { RESILIENCE: 'off', DB_PASSWORD: 'p', apiToken: 't', 'set-cookie': 'c', Authorization: 'a', TIER: '2' }
  expect(allShown(given)).toEqual({
    RESILIENCE: 'off',
    DB_PASSWORD: '…',
    apiToken: '…',
    'set-cookie': '…',
    Authorization: '…',
    TIER: '2',
  })
})
