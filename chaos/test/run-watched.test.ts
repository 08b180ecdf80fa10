/** What a run tells others while it goes, by the views that tell it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { runnerMetric } from '@shaketable/sdk/names'
import { describe, expect, test } from 'vitest'
import type { Experiment } from '../src/experiment/model.ts'
import { RunnerMetrics, serveMetrics } from '../src/observe/runner-metrics.ts'
import { GrafanaAnnotations } from '../src/report/grafana.ts'
import type { ExperimentReport } from '../src/report/model.ts'
import type { LiveState } from '../src/report/reporter.ts'

const experiment = {
  name: 'slow',
  title: 'It stands',
  system: { name: 'shop "one"' },
  faults: [{ id: 'latency-back', kind: 'latency', service: 'back' }],
  objectives: [{ name: 'available' }],
} as Experiment
const ended = { name: 'slow', title: 'It stands', verdict: 'fail', reasons: ['it fell'] } as ExperimentReport
const state = (of: Partial<LiveState>): LiveState => ({
  phase: 'baseline',
  elapsedMs: 0,
  phaseEndsInMs: 0,
  requestsPerSecond: 0,
  p99Ms: null,
  errorRatio: 0,
  armed: [],
  armedIds: [],
  firing: [],
  ...of,
})
const answer = (latencyMs: number, status: number) => ({
  at: 0,
  latencyMs,
  journey: 'look',
  step: 0,
  status,
  error: undefined,
  ok: status === 200,
})

describe('the metrics of a run', () => {
  test('say the phase, what is armed, what fires, what the load saw and the verdict', async () => {
    const metrics = new RunnerMetrics()
    const { url, close } = await serveMetrics(metrics, '0')
    try {
      const scrape = async () => (await fetch(url)).text()
      metrics.conducts(experiment)
      metrics.samples([answer(20, 200), answer(20_000, 0), answer(3, 503)])
      metrics.tick(state({ phase: 'fault', armedIds: ['latency-back'], firing: ['available'] }))
      const of = 'system="shop \\"one\\"",experiment="slow"'
      const during = (await scrape()).split('\n')
      for (const line of [
        `${runnerMetric.phase}{${of},phase="fault"} 1`,
        `${runnerMetric.phase}{${of},phase="baseline"} 0`,
        `${runnerMetric.faultArmed}{${of},fault="latency-back",kind="latency",service="back"} 1`,
        `${runnerMetric.pageFiring}{${of},objective="available"} 1`,
        `${runnerMetric.loadDuration}_bucket{${of},journey="look",outcome="ok",le="0.01"} 0`,
        `${runnerMetric.loadDuration}_bucket{${of},journey="look",outcome="ok",le="0.025"} 1`,
        `${runnerMetric.loadDuration}_bucket{${of},journey="look",outcome="none",le="10"} 0`,
        `${runnerMetric.loadDuration}_count{${of},journey="look",outcome="none"} 1`,
        `${runnerMetric.loadDuration}_sum{${of},journey="look",outcome="bad"} 0.003`,
      ]) {
        expect(during).toContain(line)
      }
      expect(during.filter(line => line.startsWith('# TYPE '))).toHaveLength(4)
      metrics.experimentEnds(ended)
      const after = (await scrape()).split('\n')
      expect(after).toContain(`${runnerMetric.verdict}{${of},verdict="fail"} 1`)
      expect(after).toContain(`${runnerMetric.verdict}{${of},verdict="pass"} 0`)
      expect(after.filter(line => /_(phase|armed)\{.* 1$/.test(line))).toEqual([])
      expect((await fetch(new URL('/else', url))).status).toBe(404)
    } finally {
      close()
    }
  })

  test('are gone when the run is, though a scraper is in the middle of a request', async () => {
    const { url, close } = await serveMetrics(new RunnerMetrics(), '0')
    const scraper = connect(Number(new URL(url).port), '127.0.0.1')
    scraper.write('GET /metrics HTTP/1.1\r\nhost: runner\r\n\r\nGET /metrics')
    await once(scraper, 'data')
    close()
    await once(scraper, 'close')
  })

  test('on a port that is taken are refused before anything is started', async () => {
    const { url, close } = await serveMetrics(new RunnerMetrics(), '0')
    try {
      const again = serveMetrics(new RunnerMetrics(), new URL(url).host)
      await expect(again).rejects.toMatchObject({ code: 'SHAKETABLE_ADDRESS_TAKEN', exitCode: 2 })
    } finally {
      close()
    }
  })
})

/** As much of Grafana as annotations need; it answers with `status`. */
async function grafana(status = 200) {
  const got: { method: string; path: string; token: string | undefined; body: Record<string, unknown> }[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const { method = '', url: path = '', headers } = request
    got.push({ method, path, token: headers.authorization, body: JSON.parse(text) })
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ id: got.length }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/grafana/`
  return { got, url, close: () => server.close() }
}

describe('annotations in Grafana', () => {
  let now = 1000
  const clock = { now: () => now, wall: () => now, sleep: async () => {} }

  test('mark the experiment and its fault from their begin to their end, with the verdict', async () => {
    const { got, url, close } = await grafana()
    const troubles: string[] = []
    const view = new GrafanaAnnotations({ url, token: 'secret' }, clock, words => troubles.push(words))
    view.conducts(experiment)
    now = 2000
    view.tick(state({ armedIds: ['latency-back'] }))
    view.tick(state({ armedIds: ['latency-back'] }))
    now = 3000
    view.tick(state({}))
    now = 4000
    view.experimentEnds(ended)
    await view.settled()
    close()
    expect(troubles).toEqual([])
    const tags = ['shaketable', 'system:shop "one"', 'experiment:slow']
    const posted = got.filter(({ method }) => method === 'POST')
    expect(posted.map(({ body }) => body)).toEqual([
      { time: 1000, tags, text: 'It stands' },
      { time: 2000, tags: [...tags, 'fault:latency-back'], text: 'latency on back' },
    ])
    expect(new Set(got.map(({ token }) => token))).toEqual(new Set(['Bearer secret']))
    const changed = got.filter(({ method }) => method === 'PATCH').sort((a, b) => a.path.localeCompare(b.path))
    expect(changed.map(({ path }) => path)).toEqual(['/grafana/api/annotations/1', '/grafana/api/annotations/2'])
    expect(changed.map(({ body }) => body)).toEqual([
      { timeEnd: 4000, text: 'It stands: fail\nit fell', tags: [...tags, 'verdict:fail'] },
      { timeEnd: 3000, tags: [...tags, 'fault:latency-back'] },
    ])
  })

  test('that Grafana refuses are told once, without the token', async () => {
    const { url, close } = await grafana(403)
    const troubles: string[] = []
    const view = new GrafanaAnnotations({ url, token: 'secret' }, clock, words => troubles.push(words))
    view.conducts(experiment)
    view.tick(state({ armedIds: ['latency-back'] }))
    view.experimentEnds(ended)
    await view.settled()
    close()
    expect(troubles).toEqual(['Grafana does not take annotations: POST /api/annotations: answered 403'])
  })
})
