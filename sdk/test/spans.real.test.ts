import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { afterAll, expect, test } from 'vitest'
import { type Received, type Receiver, startReceiver } from './otlp-receiver.ts'
import { startService, stopServices, until } from './service.ts'

afterAll(stopServices)

/** A row of the table in docs/spans.md. */
interface Difference {
  span: string
  field: string
  theirs: string
  ours: string
}

const requests = [
  ...['/ok/1', '/ok/2?a=b&sig=secret', '/missing?c=d', '/fails', '/throws', '/hangs', '/fetches', '/gets'],
  ...['/is-refused', '/fetch-is-refused'],
]
/** The spans of these requests: one of the server each, the two that the app makes to itself, and four of the client. */
const expected = { server: requests.length + 2, client: 4 }

async function spansBy(who: 'opentelemetry' | 'shaketable'): Promise<Received[]> {
  const receiver: Receiver = await startReceiver()
  try {
    const service = await startService('compared/app.cjs', {
      bare: who === 'opentelemetry',
      env: {
        INSTRUMENTED_BY: who,
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
      },
    })
    for (const path of requests)
      await send(`${service.url}${path}`, path === '/hangs' ? () => service.stdout() : undefined)
    const count = (kind: number) => receiver.spans.filter(span => span.kind === kind).length
    await until(() => count(2) >= expected.server && count(3) >= expected.client)
    service.child.kill()
    await service.ended
    const { port } = new URL(service.url)
    return receiver.spans.map(span => withoutPort(span, port))
  } finally {
    await receiver.close()
  }
}

/** One after the other; of the one that hangs the client goes away as soon as the app has it. */
function send(url: string, stdout?: () => string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { 'user-agent': 'a browser' }, agent: false }, response =>
      response.resume().on('end', resolve),
    )
    request.on('error', stdout ? resolve : reject)
    if (stdout) until(() => stdout().includes('hanging')).then(() => request.destroy(), reject)
  })
}

function withoutPort(span: Received, port: string): Received {
  const attributes = Object.fromEntries(
    Object.entries(span.attributes).map(([name, value]) => {
      if (name === 'network.peer.port' && span.kind === 2) return [name, 'a port']
      return [name, String(value) === port ? 'its port' : String(value).replaceAll(`:${port}`, ':its-port')]
    }),
  )
  return { ...span, attributes }
}

/** All that is said of a span, by field. */
function fieldsOf(span: Received, all: Received[]): Map<string, string> {
  const parent = all.find(other => other.spanId === span.parentSpanId)
  return new Map([
    ['name', span.name],
    ['status', ['unset', 'ok', 'error'][span.status.code]!],
    ['status message', span.status.message || '-'],
    ['parent', parent ? ['', 'internal', 'server', 'client'][parent.kind]! : '-'],
    ['events', span.events.map(event => event.name).join(', ') || '-'],
    ...Object.entries(span.attributes).map(([name, value]): [string, string] => [name, String(value)]),
  ])
}

/** `server /ok/1`, `client /refused`: what it is the span of. */
function subject(span: Received): string {
  if (span.kind === 2) return `server ${span.attributes['url.path']}`
  return `client ${/^\w+:\/\/[^/]+([^?]*)/.exec(String(span.attributes['url.full']))?.[1]}`
}

function differences(theirs: Received[], ours: Received[]): Difference[] {
  const bySubject = new Map(ours.map(span => [subject(span), span]))
  return theirs
    .filter(span => span.kind !== 1)
    .flatMap(their => {
      const our = bySubject.get(subject(their))
      if (!our) return [{ span: subject(their), field: 'the span', theirs: 'there', ours: '-' }]
      const [one, other] = [fieldsOf(their, theirs), fieldsOf(our, ours)]
      return [...new Set([...one.keys(), ...other.keys()])]
        .map(field => ({
          span: subject(their),
          field,
          theirs: one.get(field) ?? '-',
          ours: other.get(field) ?? '-',
        }))
        .filter(difference => difference.theirs !== difference.ours)
    })
}

/** Rows of `| span | field | theirs | ours | why |`; a code span is meant literally, `*` stands for anything. */
function documented(): Difference[] {
  const text = readFileSync(new URL('../docs/spans.md', import.meta.url), 'utf8')
  const rows = text.split('\n').filter(line => /^\| `(server|client)/.test(line))
  return rows.map(row => {
    const [span, field, theirs, ours] = row
      .split(' | ')
      .map(cell => cell.replace(/^\| /, '').replaceAll('`', '').trim())
    return { span: span!, field: field!, theirs: theirs!, ours: ours! }
  })
}

const fits = (pattern: string, text: string) =>
  new RegExp(`^${pattern.split('*').map(literally).join('.*')}$`, 's').test(text)

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

test("spans are those of OpenTelemetry's http, express and undici instrumentations, but for what docs/spans.md tells", async () => {
  const theirs = await spansBy('opentelemetry')
  const ours = await spansBy('shaketable')
  const kinds = (spans: Received[]) =>
    spans
      .filter(span => span.kind !== 1)
      .map(subject)
      .sort()
  expect(kinds(ours)).toEqual(kinds(theirs))
  expect(ours.filter(span => span.kind === 1)).toEqual([])

  const table = documented()
  const isTold = (seen: Difference) => (row: Difference) =>
    (['span', 'field', 'theirs', 'ours'] as const).every(column => fits(row[column], seen[column]))
  const seen = differences(theirs, ours)
  expect(seen.filter(one => !table.some(isTold(one)))).toEqual([])
  expect(table.filter(row => !seen.some(one => isTold(one)(row)))).toEqual([])
})
