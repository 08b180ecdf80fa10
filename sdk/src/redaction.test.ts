import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Redaction } from './redaction.ts'

const usual = new Redaction({ credentials: true, cards: true, emails: false, names: [] })
const strict = new Redaction({ credentials: true, cards: true, emails: true, names: ['iban', 'tax_id'] })
const off = new Redaction({ credentials: false, cards: false, emails: false, names: [] })

test('a URL is shown without credentials, without tokens and without the signature of a signed one', () => {
  expect(usual.url(new URL('https://me:secret@shop.test/a?b=c&sig=s3cr3t&d=%20e&access_token=x#f'))).toBe(
    'https://REDACTED:REDACTED@shop.test/a?b=c&sig=REDACTED&d=%20e&access_token=REDACTED#f',
  )
})

test('a query is shown as it is, but for keys and signatures', () => {
  expect(usual.query('Signature=a&design=b&X-Goog-Signature=c&q=sig=1')).toBe(
    'Signature=REDACTED&design=b&X-Goog-Signature=REDACTED&q=sig=1',
  )
  expect(usual.query('')).toBe('')
  expect(usual.query('page=2&api-key=k&sessionId=9')).toBe('page=2&api-key=REDACTED&sessionId=REDACTED')
})

test.each([
  ['calling with Bearer abc.def-123456', 'calling with Bearer REDACTED'],
  ['Authorization: Digest username="me"', 'Authorization: REDACTED"me"'],
  ['cookie: a=b; c=d\nhost: x', 'cookie: REDACTED\nhost: x'],
  ['token eyJhbGciOi.eyJzdWIiOi.SflKxwRJ is old', 'token REDACTED is old'],
  ['connect postgres://me:pa55@db:5432/shop', 'connect postgres://REDACTED:REDACTED@db:5432/shop'],
  ['sent {"password":"hunter2","id":1}', 'sent {"password":"REDACTED","id":1}'],
  ['retrying /pay?token=abc&x=1', 'retrying /pay?token=REDACTED&x=1'],
  ['paid by 4111 1111 1111 1111 today', 'paid by REDACTED today'],
  ['paid by 378282246310005', 'paid by REDACTED'],
])('in text: %s', (text, shown) => {
  expect(usual.text(text)).toBe(shown)
})

test.each([
  'order 4111111111111112 is no card: its check digit does not fit',
  'took 1763985600000 ms since the epoch',
  'invalid token: expired',
  'trace 4111111111111111a',
  'me@shop.test signed in',
  'a basic plan',
])('left as it is: %s', text => {
  expect(usual.text(text)).toBe(text)
})

test('e-mail addresses and names of your own are withheld by choice', () => {
  expect(strict.text('me@shop.test signed in')).toBe('REDACTED signed in')
  expect(strict.json('{"IBAN":"DE02","taxId":7,"iban_country":"DE"}')).toBe(
    '{"IBAN":"REDACTED","taxId":"REDACTED","iban_country":"DE"}',
  )
  expect(off.json('{"password":"a","to":"me@shop.test"}')).toBe('{"password":"a","to":"me@shop.test"}')
})

test('a line of JSON keeps every byte of what is not withheld', () => {
  const line =
    '{"level":30,"big":12345678901234567890,"req":{"headers":{"authorization":"Basic bWU6cHc=","set-cookie":["a=b","c]\\"d"],"host":"x"}},' +
    '"credentials":{"user":"me","nested":[{"a":1}]},"token":null,"card":4111111111111111,"msg":"with \\"token\\":\\"t0p\\" in it","n":1.50}'
  expect(usual.json(line)).toBe(
    '{"level":30,"big":12345678901234567890,"req":{"headers":{"authorization":"REDACTED","set-cookie":"REDACTED","host":"x"}},' +
      '"credentials":"REDACTED","token":"REDACTED","card":"REDACTED","msg":"with \\"token\\":\\"REDACTED\\" in it","n":1.50}',
  )
})

test('whatever is logged, the line stays JSON and no withheld value is in it', () => {
  const secret = 'S3cretValue'
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant('4111111111111111'))
  const tree = fc.object({ key: fc.string({ maxLength: 8 }), values: [leaf], maxDepth: 3 })
  fc.assert(
    fc.property(tree, fc.constantFrom('password', 'X-Api-Key', 'Set-Cookie', 'accessToken'), (logged, name) => {
      const line = JSON.stringify({ ...logged, [name]: { deep: [secret, { secret }] }, after: 'x' })
      const shown = usual.json(line)
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain('4111111111111111')
      expect(JSON.parse(shown)).toMatchObject({ [name]: 'REDACTED', after: 'x' })
    }),
    { numRuns: 300 },
  )
})

test('a value that is clean is passed on itself, one that is not is copied', () => {
  const clean = { a: ['b', { c: 1 }] }
  expect(usual.value(clean)).toBe(clean)
  const given = { user: 'me', password: 'pw', list: ['Bearer abcdefgh'] }
  expect(usual.value(given)).toEqual({ user: 'me', password: 'REDACTED', list: ['Bearer REDACTED'] })
  expect(given.password).toBe('pw')
  const failure = Object.assign(new TypeError('pay token=abc'), { card: '4111111111111111' })
  const shown = usual.value(failure)
  expect(shown).toBeInstanceOf(TypeError)
  expect([shown.message, shown.card, shown.stack?.split('\n')[0]]).toEqual([
    'pay token=REDACTED',
    'REDACTED',
    'TypeError: pay token=REDACTED',
  ])
  expect(failure.message).toBe('pay token=abc')
  expect(usual.value(Object.assign(new Error('fine'), { token: 'abc' })).message).toBe('fine')
  const fine = new Error('nothing')
  expect(usual.value(fine)).toBe(fine)
})
