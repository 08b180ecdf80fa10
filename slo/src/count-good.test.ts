import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkout, objectiveOf } from '../test/objective-of.ts'
import { countGood } from './count-good.ts'
import { readSamples } from './exposition.ts'

const exposition = `# HELP http_server_request_duration_seconds Duration of HTTP server requests.
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{le="0.5",http_request_method="POST",http_route="/checkout",http_response_status_code="201"} 90 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.41 1520879607.789
http_server_request_duration_seconds_bucket{le="1",http_request_method="POST",http_route="/checkout",http_response_status_code="201"} 97
http_server_request_duration_seconds_bucket{le="+Inf",http_request_method="POST",http_route="/checkout",http_response_status_code="201"} 100
http_server_request_duration_seconds_count{http_request_method="POST",http_route="/checkout",http_response_status_code="201"} 100
http_server_request_duration_seconds_bucket{le="0.5",http_request_method="POST",http_route="/checkout",http_response_status_code="503"} 7
http_server_request_duration_seconds_bucket{le="1.0",http_request_method="POST",http_route="/checkout",http_response_status_code="503"} 7
http_server_request_duration_seconds_count{http_request_method="POST",http_route="/checkout",http_response_status_code="503"} 7
http_server_request_duration_seconds_bucket{le="0.5",http_request_method="POST",http_route="/checkout",error_type="aborted"} 2
http_server_request_duration_seconds_count{http_request_method="POST",http_route="/checkout",error_type="aborted"} 2
http_server_request_duration_seconds_count{http_request_method="GET",http_route="/checkout",http_response_status_code="200"} 1000
process_cpu_seconds_total 3.5
`

test('good requests are those under the status and within the threshold; all of the selector are counted', () => {
  expect(countGood(exposition, objectiveOf())).toEqual({ good: 90, total: 109 })
  const ofStatus = objectiveOf({ indicator: checkout({ status: { below: 500 } }) })
  expect(countGood(exposition, ofStatus)).toEqual({ good: 100, total: 109 })
  const within1s = objectiveOf({ indicator: checkout({ underSeconds: 1 }) })
  expect(countGood(exposition, within1s)).toEqual({ good: 104, total: 109 })
})

test('operations of a database are good without an error, and selected by all that the objective names', () => {
  const metrics = ['SELECT 40', 'SELECT 2 timeout', 'INSERT 7']
    .map(line => {
      const [operation, count, error] = line.split(' ')
      const labels = `db_operation_name="${operation}",db_system_name="postgresql"${error ? `,error_type="${error}"` : ''}`
      return `db_client_operation_duration_seconds_count{${labels}} ${count}`
    })
    .join('\n')
  const selector = { signal: 'database', service: 'orders', method: undefined, route: undefined } as const
  const count = (operation?: string) =>
    countGood(
      metrics,
      objectiveOf({
        indicator: {
          type: 'shaketable',
          selector: { ...selector, operation },
          good: { status: undefined, underSeconds: undefined, withoutError: true },
        },
      }),
    )
  expect(count()).toEqual({ good: 47, total: 49 })
  expect(count('SELECT')).toEqual({ good: 40, total: 42 })
})

test('nothing counted yet is nothing, and not an error', () => {
  expect(countGood('', objectiveOf())).toEqual({ good: 0, total: 0 })
})

test('a threshold that is no bucket boundary is refused and never counted as all bad', () => {
  const between = objectiveOf({ indicator: checkout({ underSeconds: 0.3 }) })
  expect(() => countGood(exposition, between)).toThrow(/checkout-latency: .* has no bucket at 0.3 s/)
})

test('raw Prometheus queries are refused', () => {
  const raw = { type: 'prometheus', goodQuery: 'a', badQuery: undefined, totalQuery: 'b' } as const
  expect(() => countGood(exposition, objectiveOf({ indicator: raw }))).toThrow(/need a Prometheus/)
})

const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/).filter(name => name !== '__proto__')
const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
// Every other line separator of Unicode is an ordinary character of a label.
const labelValue = fc.string({ unit: 'binary', maxLength: 12 })

test('every sample that the format can write is read back', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/),
      fc.dictionary(labelName, labelValue, { maxKeys: 4 }),
      fc.oneof(fc.double({ noNaN: true }), fc.integer()),
      fc.constantFrom('', ' 1520879607789', ' # {trace_id="a } b"} 0.4 1.5', ' 17.5 # {} 1'),
      fc.boolean(),
      (name, labels, value, rest, comma) => {
        const inside = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
        const braces = inside.length > 0 ? `{${inside.join(',')}${comma ? ',' : ''}}` : ''
        const number = String(value).replace('Infinity', 'Inf')
        const [sample] = readSamples(`# TYPE x counter\n${name}${braces} ${number}${rest}\n`, () => true)
        expect(sample?.name).toBe(name)
        expect({ ...sample?.labels }).toEqual(labels)
        expect(sample!.value === value).toBe(true)
      },
    ),
  )
})

test('no text at all makes the reader throw or read a number that is not there', () => {
  const pieces = fc.constantFrom(
    'a',
    '{',
    '}',
    '"',
    '\\',
    '=',
    ',',
    ' ',
    '1',
    'le',
    '\n',
    '#',
    'NaN',
    '+Inf',
    '\r',
    'é',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), parts => {
      for (const sample of readSamples(parts.join(''), () => true)) expect(typeof sample.value).toBe('number')
    }),
    { numRuns: 1000 },
  )
})

test('a truncated line is skipped and does not hide the next', () => {
  const samples = [...readSamples('a{x="1\na{x="2"} \na{x="3"} 4x\na{x="4"} 5\n', () => true)]
  expect(samples.map(sample => sample.value)).toEqual([5])
})
