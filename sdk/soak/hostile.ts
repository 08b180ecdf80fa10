import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Service } from './service.ts'

export interface Hostile {
  requests: number
  /** Answers by status; `0` is a connection that ended without one. */
  statuses: Record<string, number>
  /** Access lines that are no JSON, or hold a control character. */
  badLines: number
  lines: number
  /** Series of all metrics, of the server's duration, and of the careless author's counter. */
  series: { all: number; server: number; careless: number }
  rssGrowthMb: number
  /** SIGTERM, when nothing else ended it. */
  end: NodeJS.Signals | number | null
}

const distinctPaths = 100_000
const connections = 32

/** What a caller may send that parses as HTTP, and what does not: the last ones are answered by Node itself. */
const headers: ((at: number) => string)[] = [
  () => 'traceparent: 00-00000000000000000000000000000000-0000000000000000-01',
  () => 'traceparent: ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  () => `traceparent: ${'00-'.repeat(500)}`,
  () => 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntraceparent: 00-x-y-z',
  at => `tracestate: ${Array.from({ length: 60 }, (_, key) => `k${key}@v=${at}`).join()}`,
  at => `baggage: ${Array.from({ length: 300 }, (_, key) => `key${key}=${at}%0d%0a${'x'.repeat(16)}`).join()}`,
  () => `baggage: ${'a'.repeat(8_192)}`,
  () => 'baggage: %=%zz;;;,=,\u00ff=\u00ff;p=\u00a0',
  at => `user-agent: \u00e9\u0080\u009b[31m${at}`,
  at => `host: ${'h'.repeat(at % 200)}:99999`,
  () => 'x-forwarded-for: "}{\\"level\\":60,\\"msg\\":\\"forged\\"}',
  () => 'b3: not-a-b3',
]
const malformed = ['user-agent: a\u001b[2Jb', 'x-null: a\u0000b', 'traceparent : 1', ': none']

/** Some 100,000 paths, among them all that a log or a metric might choke on. */
function pathOf(at: number): string {
  const id = (at * 2_654_435_761) % distinctPaths
  const kind = id % 6
  if (kind === 0) return `/orders/${id}`
  if (kind === 1) return `/${id}/%0a%7b%22level%22%3a60%2c%22msg%22%3a%22forged%22%7d`
  if (kind === 2) return `/wp-admin/${id}.php?cmd=%1b%5b31m&password=hunter2`
  if (kind === 3) return `/${id}"}{"level":60,"msg":"forged"`
  if (kind === 4) return `//../../${id}/%c0%af%ff;a=%00`
  return `/orders/${id}%0d%0aset-cookie:%20a=b?${'q'.repeat(id % 500)}`
}

function requestOf(at: number): { text: string; closes: boolean } {
  const closes = at % 997 === 0
  const extra = closes ? malformed[at % malformed.length] : headers[at % headers.length]!(at)
  const host = extra?.startsWith('host:') ? '' : 'host: soak\r\n'
  return { text: `GET ${pathOf(at)} HTTP/1.1\r\n${host}${extra}\r\n\r\n`, closes }
}

export async function hostile(requests: number, progress: (line: string) => void): Promise<Hostile> {
  let lines = 0
  let badLines = 0
  const service = await Service.start({ OTEL_TRACES_EXPORTER: 'none', SOAK_COUNT_PATHS: '1' }, line => {
    lines++
    if (!isAccessLine(line)) badLines++
  })
  try {
    const statuses: Record<string, number> = {}
    let next = 0
    let rssBefore = 0
    const count = (status: string) => {
      statuses[status] = (statuses[status] ?? 0) + 1
    }
    await Promise.all(
      Array.from({ length: connections }, async () => {
        let caller: Caller | undefined
        while (next < requests) {
          const at = next++
          // Every metric that will ever overflow has done so by then.
          if (at === Math.floor(requests / 4)) rssBefore = service.rssMb
          if (at % 100_000 === 0) progress(`${at} of ${requests} requests, RSS ${service.rssMb.toFixed(0)} MB`)
          caller ??= await Caller.open(service.port)
          const { text, closes } = requestOf(at)
          const status = await caller.ask(text)
          count(status)
          if (status !== '400' && !closes && !caller.gone) continue
          caller.close()
          caller = undefined
        }
        caller?.close()
      }),
    )
    const rssGrowthMb = service.rssMb - rssBefore
    const series = seriesOf(await service.metrics())
    const end = await service.stop()
    return { requests, statuses, badLines, lines, series, rssGrowthMb, end }
  } finally {
    await service.stop()
  }
}

/** One connection, one request at a time. */
class Caller {
  gone = false
  readonly #socket: Socket
  #answered: (status: string) => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    let text = ''
    socket.on('data', (chunk: string) => {
      text += chunk
      const head = /^HTTP\/1\.1 (\d+)[\s\S]*?\r\n\r\n/.exec(text)
      const length = /\r\ncontent-length: (\d+)/i.exec(head?.[0] ?? '')?.[1] ?? '0'
      if (!head || text.length < head[0].length + Number(length)) return
      text = ''
      this.#answered(head[1]!)
    })
    const end = () => {
      this.gone = true
      this.#answered('0')
    }
    socket.on('error', end).on('close', end)
  }

  static async open(port: number): Promise<Caller> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Caller(socket)
  }

  ask(request: string): Promise<string> {
    return new Promise(resolve => {
      this.#answered = resolve
      this.#socket.write(request, 'latin1')
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** One JSON object of ours and no character that a terminal or a line reader obeys. */
function isAccessLine(line: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(line)) return false
  try {
    return (JSON.parse(line) as { msg?: unknown }).msg === 'request completed'
  } catch {
    return false
  }
}

function seriesOf(metrics: string): Hostile['series'] {
  const samples = metrics.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return {
    all: samples.length,
    server: samples.filter(line => line.startsWith('http_server_request_duration_seconds_count')).length,
    careless: samples.filter(line => line.startsWith('soak_paths_total')).length,
  }
}
