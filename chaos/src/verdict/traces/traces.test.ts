/** What made-up traces of a small shop say: gateway -> orders -> payments, with a fault from 12 s to 24 s. */
import { describe, expect, test } from 'vitest'
import { madeUpRun } from '../../../bench/made-up-run.ts'
import type { ObservedLogs } from '../../observe/logs.ts'
import type { TraceSpan } from '../../observe/spans.ts'
import { random } from '../../random.ts'
import { abandonedWork } from './abandoned.ts'
import { amplifications } from './amplification.ts'
import { guiltiest, rankEdges } from './blame.ts'
import { callsOf, edgeName } from './calls.ts'
import { examplesOf } from './examples.ts'
import { evidenceOf, judgeTraces } from './judge-traces.ts'
import { lyingHealthChecks } from './lying-health.ts'
import { untoldErrors } from './untold.ts'

const phases = { baseline: { start: 0, end: 12_000 }, fault: { start: 12_000, end: 24_000 } }
const next = random(7)
const ports: Record<string, string> = { gateway: 'h:1', orders: 'h:2', payments: 'h:3' }

/** A call of a service, what it takes on its own, and what it calls, one after the other. */
interface Made {
  to: string
  ownMs: number
  status?: number
  /** The caller waits no longer. */
  timeoutMs?: number
  /** No span comes from the callee. */
  silent?: boolean
  calls?: Made[]
}

let ids = 0
const id = () => (++ids).toString(16).padStart(16, '0')

/** The spans of a trace that begins with `made` from outside. */
function trace(at: number, made: Made): TraceSpan[] {
  const traceId = id().padStart(32, '0')
  const spans: TraceSpan[] = []
  const span = (of: Partial<TraceSpan>): TraceSpan => {
    const whole: TraceSpan = {
      traceId,
      spanId: id(),
      parentId: '',
      service: '',
      instance: '',
      name: 'POST /x',
      kind: 'server',
      start: at,
      end: at,
      status: 200,
      error: false,
      errorType: undefined,
      peer: undefined,
      database: undefined,
      faultId: undefined,
      ...of,
    }
    spans.push(whole)
    return whole
  }
  const serve = (made: Made, start: number, parentId: string): TraceSpan => {
    const status = made.status ?? 200
    const server = span({ service: made.to, parentId, start, status, error: status >= 500 })
    let now = start + made.ownMs
    for (const call of made.calls ?? []) {
      const client = span({
        service: made.to,
        kind: 'client',
        parentId: server.spanId,
        start: now,
        peer: ports[call.to],
      })
      const inner = call.silent ? undefined : serve(call, now + 1, client.spanId)
      const answeredAt = (inner?.end ?? now + call.ownMs) + 1
      const givenUpAt = now + (call.timeoutMs ?? Number.POSITIVE_INFINITY)
      const late = answeredAt > givenUpAt
      client.end = late ? givenUpAt : answeredAt
      client.status = late || call.silent ? 0 : inner!.status
      client.error = late || call.silent === true || client.status >= 500
      now = client.end
    }
    server.end = now
    return server
  }
  serve(made, at, '')
  return spans
}

const few = (ms: number) => ms * (0.8 + 0.4 * next())
/** 20 requests a second, of which those in the fault phase are made by `struck`. */
function day(struck: (index: number) => Made): TraceSpan[] {
  return Array.from({ length: 480 }, (_, index) => {
    const at = index * 50
    return trace(at, at < phases.fault.start ? checkout(payment()) : struck(index))
  }).flat()
}
const payment = (of: Partial<Made> = {}): Made => ({ to: 'payments', ownMs: few(5), ...of })
const order = (calls: Made[], of: Partial<Made> = {}): Made => ({ to: 'orders', ownMs: few(3), calls, ...of })
const checkout = (...calls: Made[]): Made => ({ to: 'gateway', ownMs: few(2), calls: [order(calls)] })

const ranked = (spans: TraceSpan[]) => rankEdges(callsOf(spans), phases, 1)
const first = (spans: TraceSpan[]) => {
  const found = guiltiest(ranked(spans))
  return found && { edge: edgeName(found), confidence: found.confidence }
}
const surely = (edge: string) => ({ edge, confidence: 1 })

describe('of all edges the injected one did the harm', () => {
  test('where it is slow, though everybody above it is slow as well', () => {
    expect(first(day(() => checkout(payment({ ownMs: 400 }))))).toEqual(surely('orders → payments'))
  })

  test('where its errors are passed on as the answer of all above it', () => {
    const failing: Made = {
      to: 'gateway',
      ownMs: 2,
      status: 503,
      calls: [order([payment({ status: 503 })], { status: 503 })],
    }
    expect(first(day(() => failing))).toEqual(surely('orders → payments'))
  })

  test('where a caller gives up early while its callee still waits for it', () => {
    const made: Made = {
      to: 'gateway',
      ownMs: 2,
      status: 503,
      calls: [order([payment({ ownMs: 2000 })], { timeoutMs: 300 })],
    }
    expect(first(day(() => made))).toEqual(surely('orders → payments'))
  })

  test('where no span comes from the callee any more: its address is known from before', () => {
    const dead = () => checkout(payment({ silent: true, ownMs: 1 }))
    expect(first(day(dead))).toEqual(surely('orders → payments'))
  })

  test('where the entry itself is slow', () => {
    expect(first(day(() => ({ ...checkout(payment()), ownMs: 300 })))).toEqual(surely('→ gateway'))
  })

  test('where only one request in ten is struck', () => {
    const found = first(day(index => checkout(payment(index % 10 === 0 ? { ownMs: 300 } : {}))))
    expect(found?.edge).toBe('orders → payments')
    expect(found?.confidence).toBeGreaterThan(0.95)
  })

  test('and without a fault nobody stands out, twenty times', () => {
    const found = Array.from({ length: 20 }, () => first(day(() => checkout(payment()))))
    expect(found.filter(Boolean)).toEqual([])
  })
})

test('the examples are a typical failed request and a healthy one of the same kind', () => {
  const graph = callsOf(day(() => ({ ...checkout(payment({ status: 503 })), status: 503 })))
  const { struck, healthy } = examplesOf(graph, phases, guiltiest(rankEdges(graph, phases, 1)))
  expect(struck?.[0]).toMatchObject({ service: 'gateway', status: 503 })
  expect(healthy?.[0]).toMatchObject({ service: 'gateway', status: 200 })
  expect(healthy![0]!.start).toBeLessThan(phases.fault.start)
})

test('where no request failed, the example is one in which the guilty edge did harm', () => {
  const graph = callsOf(day(() => checkout(payment({ ownMs: 400 }))))
  const { struck } = examplesOf(graph, phases, guiltiest(rankEdges(graph, phases, 1)))
  expect(struck!.find(span => span.service === 'payments')!).toMatchObject({ status: 200 })
  expect(struck![0]!.start).toBeGreaterThanOrEqual(phases.fault.start)
})

test('retries show as times the usual calls a request, at the edge where they are made', () => {
  const failed = payment({ status: 503 })
  const [worst, other] = amplifications(callsOf(day(() => checkout(failed, failed, failed))), phases, 1)
  expect(worst).toMatchObject({ from: 'orders', to: 'payments', times: 3 })
  expect(worst!.interval.map(bound => Math.round(bound * 10) / 10)).toEqual([3, 3])
  expect(other).toMatchObject({ from: 'gateway', to: 'orders', times: 1 })
})

test('work that goes on after the caller gave up is told with its length', () => {
  const patient: Made = {
    to: 'gateway',
    ownMs: 2,
    calls: [{ to: 'orders', ownMs: 3, timeoutMs: 200, calls: [payment({ ownMs: 1000 })] }],
  }
  const late = abandonedWork(callsOf(day(() => patient)))
  expect(late).toHaveLength(240)
  for (const { service, lateMs } of late) expect([service, Math.round(lateMs / 100)]).toEqual(['orders', 8])
})

test('who is slow to hear of anything, without a fault too, did not work on for nobody', () => {
  // Orders is given up after 1 s, and goes on to call payments 700 ms later.
  const patient: Made = { to: 'gateway', ownMs: 2, calls: [order([payment()], { ownMs: 1700, timeoutMs: 1000 })] }
  const verdictOf = (slowestUsualMs: number) => {
    const usual = trace(100, { to: 'gateway', ownMs: 2, calls: [order([payment()], { ownMs: slowestUsualMs })] })
    const spans = [...usual, ...day(() => patient)]
    const observability = {
      blame: undefined,
      amplificationAtMost: undefined,
      abandonedAtMostMs: 500,
      telemetry: [],
    } as const
    const run = madeUpRun({ expect: { observability } })
    const evidence = evidenceOf({ spans, keptShare: 1 }, { ...phases, recovery: undefined }, new Map(), 1)
    return judgeTraces({ ...run, phases: { ...phases, recovery: undefined } }, evidence)[0]?.verdict
  }
  expect(verdictOf(10)).toBe('fail')
  expect(verdictOf(400)).toBe('pass')
})

test('an error that was handled without a word is told, and one that a retry mended is not', () => {
  const mended = [payment({ status: 503 }), payment()]
  const handled = [payment({ status: 503 })]
  const spans = day(index => checkout(...(index % 2 === 0 ? mended : handled)))
  const graph = callsOf(spans)
  const logged = graph.calls.filter(call => call.to === 'payments' && call.failed).map(call => call.traceId)
  const logs = (traceIds: string[]): ObservedLogs => ({
    byService: new Map([['orders', { traced: traceIds.length, untraced: 0, traceIds: new Set(traceIds) }]]),
    ofTraces: new Map(),
  })
  expect(untoldErrors(graph, logs([]))).toEqual([{ service: 'orders', handled: 120, untold: 120 }])
  expect(untoldErrors(graph, logs(logged))).toEqual([{ service: 'orders', handled: 120, untold: 0 }])
})

test('a health check lies when the instance answers it well and fails all else; what a fault did is no lie', () => {
  const spans = (faultId?: string) =>
    Array.from({ length: 10 }, (_, n) => trace(n * 100, { to: 'payments', ownMs: 5, status: 503 })[0]!)
      .map((span): TraceSpan => ({ ...span, faultId }))
      .concat({ ...trace(450, { to: 'payments', ownMs: 1 })[0]!, name: 'GET /health' })
  expect(lyingHealthChecks(spans())).toEqual([{ service: 'payments', at: 451 }])
  expect(lyingHealthChecks(spans('error-payments'))).toEqual([])
})
