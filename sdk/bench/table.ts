import { cpus } from 'node:os'
import { type Contender, references } from './contenders.ts'
import { canPin } from './cores.ts'
import { connections, thinkMs } from './load.ts'
import { againstBare, type Round, shareOf, typical } from './ratios.ts'
import { type Pace, type Route, routes } from './run.ts'

/** The race as Markdown: a table a route and one of the processes. Each number is a median over the rounds. */
export function report(rounds: readonly Round[], raced: readonly Contender[], { seconds }: Pace): string {
  const known = references.filter(reference => raced.some(({ name }) => name === reference))
  const pinned = canPin ? 'server and load on a core each' : 'server and load not pinned'
  return [
    ...routes.flatMap(route => [...routeTable(rounds, raced, known, route), '']),
    ...processTable(rounds, raced),
    '',
    `Medians of ${rounds.length} rounds of ${seconds} s a route, in shuffled order; Node ${process.version}, ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ` +
      `${pinned}, closed loop of ${connections} connections; unhurried, each of them thinks for ${thinkMs} ms on average before it asks ` +
      `(some ${(connections * 1000) / thinkMs} requests a second). Differences and shares are taken within a round.`,
  ].join('\n')
}

function routeTable(
  rounds: readonly Round[],
  raced: readonly Contender[],
  known: readonly (typeof references)[number][],
  route: Route,
): string[] {
  const head = ['CPU µs a request', 'over bare', ...known.map(name => `of what ${name} adds`)]
  return markdown(
    [`\`${route}\``, ...head, 'requests a second', 'p99 ms', 'p50 µs unhurried', 'of bare'],
    raced.map(({ name, title }) => [
      title,
      typical(rounds, name, run => run.routes[route].cpuMicros).toFixed(1),
      signed(
        againstBare(rounds, name, (run, bare) => run.routes[route].cpuMicros - bare.routes[route].cpuMicros),
        1,
      ),
      ...known.map(reference => `${(100 * shareOf(reference, rounds, name, route)).toFixed(0)} %`),
      typical(rounds, name, run => run.routes[route].requestsPerSecond).toFixed(0),
      typical(rounds, name, run => run.routes[route].p99Ms).toFixed(2),
      typical(rounds, name, run => run.routes[route].unhurriedP50Ms * 1000).toFixed(0),
      `${againstBare(rounds, name, (run, bare) => run.routes[route].unhurriedP50Ms / bare.routes[route].unhurriedP50Ms).toFixed(2)} x`,
    ]),
  )
}

function processTable(rounds: readonly Round[], raced: readonly Contender[]): string[] {
  return markdown(
    ['process', 'RSS MB under load', 'over bare', 'spawn to first answer, ms', 'over bare'],
    raced.map(({ name, title }) => [
      title,
      typical(rounds, name, run => run.rssMegabytes).toFixed(0),
      signed(
        againstBare(rounds, name, (run, bare) => run.rssMegabytes - bare.rssMegabytes),
        0,
      ),
      typical(rounds, name, run => run.startMs).toFixed(0),
      signed(
        againstBare(rounds, name, (run, bare) => run.startMs - bare.startMs),
        0,
      ),
    ]),
  )
}

function markdown(head: string[], rows: string[][]): string[] {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)]
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(digits)}`
}
