import { stringify } from 'yaml'
import type { SeenRoute } from './telemetry.ts'

const targets = [0.99, 0.95, 0.9, 0.8, 0.5]
/** So much more than what nearly all answers take now is promised. */
const roomBy = 2
const nearlyAll = 0.99

/** What a service promises first: a little less than what it does. */
export interface FirstPromise {
  route: SeenRoute
  target: number
  underSeconds: number
}

export function promiseOf(route: SeenRoute): FirstPromise {
  const usual = route.within.find(({ ratio }) => ratio >= nearlyAll)?.seconds ?? route.within.at(-1)!.seconds
  const under = route.within.find(({ seconds }) => seconds >= usual * roomBy) ?? route.within.at(-1)!
  const target = targets.find(each => each <= Math.min(route.goodRatio, under.ratio)) ?? targets.at(-1)!
  return { route, target, underSeconds: under.seconds }
}

/** Path, relative to the folder -> text. */
export function firstFiles(of: {
  service: string
  command: string[]
  promise: FirstPromise
  path: string
  ratePerSecond: number
}): Record<string, string> {
  const { service, command, promise, path, ratePerSecond } = of
  const { route, target, underSeconds } = promise
  const journey = 'first'
  const delayMs = Math.max(5, Math.round((underSeconds * 1000) / 4))
  const words = `${route.method} ${route.route}`
  const percentage = `${Number((target * 100).toFixed(2))}%`
  const objective = (name: string, displayName: string, good: object) => ({
    apiVersion: 'openslo/v1',
    kind: 'SLO',
    metadata: { name, displayName },
    spec: {
      service,
      budgetingMethod: 'Occurrences',
      timeWindow: [{ duration: '30d', isRolling: true }],
      objectives: [{ target }],
      indicator: {
        metadata: { name },
        spec: {
          ratioMetric: {
            counter: true,
            total: {
              metricSource: {
                type: 'shaketable',
                spec: { signal: 'http-server', service, method: route.method, route: route.route },
              },
            },
            good: { metricSource: { type: 'shaketable', spec: good } },
          },
        },
      },
    },
  })
  const [availability, latency] = [`${service}-availability`, `${service}-latency`]
  const seen = `Of ${route.requests} requests that it had answered ${Number((route.goodRatio * 100).toFixed(2))} % were under 500.`
  return {
    'system.yaml': text(
      'What runs, and how its users go through it. Add the services that it calls, so that they can be shaken too.',
      {
        apiVersion: 'shaketable.dev/v1alpha1',
        kind: 'System',
        metadata: { name: service },
        spec: {
          services: [{ name: service, local: { command } }],
          journeys: [
            {
              name: journey,
              steps: [
                {
                  request: { method: route.method, to: service, path },
                  expect: { status: route.statuses.length > 0 ? route.statuses : 200 },
                },
              ],
            },
          ],
        },
      },
    ),
    [`objectives/${availability}.yaml`]: text(
      seen,
      objective(availability, `${words} is available`, { status: '<500' }),
    ),
    [`objectives/${latency}.yaml`]: text(
      'A boundary of the histogram, at least twice what 99 % of the answers took.',
      objective(latency, `${words} is quick`, { status: '<500', under: durationText(underSeconds) }),
    ),
    [`experiments/slow-${service}.yaml`]: text(
      `Every answer takes ${delayMs} ms longer, a quarter of what is promised. Next: crash it, or slow down what it calls.`,
      {
        apiVersion: 'shaketable.dev/v1alpha1',
        kind: 'Experiment',
        metadata: {
          name: `slow-${service}`,
          title: `${words} keeps its promises when every answer takes ${delayMs} ms longer`,
        },
        spec: {
          system: '../system.yaml',
          objectives: [`../objectives/${availability}.yaml`, `../objectives/${latency}.yaml`],
          load: { journey, rate: `${ratePerSecond}/s` },
          phases: { baseline: '5s', fault: '15s', recovery: '5s' },
          faults: [{ latency: { service, delay: `${delayMs}ms`, path: route.route } }],
          expect: {
            // What so short a run can prove.
            objectives: { hold: [availability, latency], atLeast: percentage },
            recovery: { within: '5s' },
            blame: service,
          },
        },
      },
    ),
  }
}

const text = (comment: string, document: object): string => `# ${comment}\n${stringify(document, { lineWidth: 120 })}`

function durationText(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)}ms` : `${seconds}s`
}
