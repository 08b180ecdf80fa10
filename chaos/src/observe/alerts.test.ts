/** What an engine says fires, asked over HTTP. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Objective } from '@shaketable/slo'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AlertWatch, mustAnswerWithAlerts } from './alerts.ts'

let server: Server
let url: string
let answer: { status: number; body: unknown }
const asked: string[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prometheus`
})
afterAll(() => server.close())

let now = 0
const clock = { now: () => now, wall: () => now, sleep: async () => {} }
const objectives = [{ name: 'available' }] as Objective[]
const burn = { alertname: 'ErrorBudgetBurn', slo: 'available', severity: 'page', window: '5m/1h' }
const prometheus = (...alerts: { labels: object; state: string }[]) => ({ status: 200, body: { data: { alerts } } })

test('a Prometheus’ alerts begin and end; pending is no page, and others’ pages have their own names', async () => {
  const watch = new AlertWatch({ kind: 'prometheus', url }, objectives, clock)
  answer = prometheus({ labels: burn, state: 'pending' })
  await watch.ask()
  expect(watch.alerts).toEqual([])
  now = 1000
  answer = prometheus(
    { labels: burn, state: 'firing' },
    { labels: { alertname: 'DiskFull', severity: 'critical' }, state: 'firing' },
    { labels: { ...burn, severity: 'ticket', window: '6h/3d' }, state: 'firing' },
  )
  await watch.ask()
  expect(watch.firing()).toEqual(['available', 'DiskFull'])
  now = 2000
  answer = prometheus({ labels: { alertname: 'DiskFull', severity: 'critical' }, state: 'firing' })
  await watch.ask()
  expect(asked.at(-1)).toBe('/prometheus/api/v1/alerts')
  expect(
    watch.alerts.map(({ at, objective, severity, window, state }) => [at, objective, severity, window, state]),
  ).toEqual([
    [1000, 'available', 'page', '5m/1h', 'firing'],
    [1000, 'DiskFull', 'page', 'DiskFull', 'firing'],
    [1000, 'available', 'ticket', '6h/3d', 'firing'],
    [2000, 'available', 'page', '5m/1h', 'resolved'],
    [2000, 'available', 'ticket', '6h/3d', 'resolved'],
  ])
})

test('an Alertmanager is asked for what is neither silenced nor inhibited', async () => {
  const watch = new AlertWatch({ kind: 'alertmanager', url }, objectives, clock)
  answer = { status: 200, body: [{ labels: burn }] }
  await watch.ask()
  expect(asked.at(-1)).toBe('/prometheus/api/v2/alerts?active=true&silenced=false&inhibited=false')
  expect(watch.firing()).toEqual(['available'])
})

test('one lost answer is nothing, three in a row are told, and nothing is taken to have ended', async () => {
  const watch = new AlertWatch({ kind: 'prometheus', url }, objectives, clock)
  answer = prometheus({ labels: burn, state: 'firing' })
  await watch.ask()
  answer = { status: 503, body: {} }
  await watch.ask()
  await watch.ask()
  expect(watch.trouble).toBeUndefined()
  await watch.ask()
  expect(watch.trouble).toBe('prometheus could not be asked for its alerts: it answered 503')
  expect(watch.firing()).toEqual(['available'])
})

test('nobody there is found out before anything is started', async () => {
  const refusal = mustAnswerWithAlerts({ kind: 'prometheus', url: 'http://127.0.0.1:9' })
  await expect(refusal).rejects.toMatchObject({ code: 'SHAKETABLE_NO_ALERTS', exitCode: 2 })
})
