import { expect, test } from 'vitest'
import { redactQuery, redactUrl } from './redaction.ts'

test('a URL is shown without credentials and without the signature of a signed one', () => {
  expect(redactUrl(new URL('https://me:secret@shop.test/a?b=c&sig=s3cr3t&d=%20e#f'))).toBe(
    'https://REDACTED:REDACTED@shop.test/a?b=c&sig=REDACTED&d=%20e#f',
  )
})

test('a query is shown as it is, but for keys and signatures', () => {
  expect(redactQuery('Signature=a&design=b&X-Goog-Signature=c&q=sig=1')).toBe(
    'Signature=REDACTED&design=b&X-Goog-Signature=REDACTED&q=sig=1',
  )
  expect(redactQuery('')).toBe('')
})
