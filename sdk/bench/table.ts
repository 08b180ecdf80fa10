import { cpus } from 'node:os'
import { contenders } from './contenders.ts'
import { canPin } from './cores.ts'
import { type Route, type Run, routes } from './run.ts'

/** What the overhead of ours is of the overhead of the stack assembled by hand, a route: the median over the rounds. */
export function overheadRatio(rounds: Run[][], route: Route): number {
  return median(
    rounds.map(runs => {
      const cost = (name: string) => runs.find(run => run.contender === name)!.routes[route].cpuMicros
      return (cost('ours') - cost('bare')) / (cost('hand') - cost('bare'))
    }),
  )
}

/** The race as Markdown. Each number is the median over the rounds. */
export function table(rounds: Run[][], seconds: number): string {
  const rows = contenders.map(({ name, title }) => {
    const runs = rounds.map(round => round.find(run => run.contender === name)!)
    const mid = (of: (run: Run) => number, digits = 0) => median(runs.map(of)).toFixed(digits)
    const perRoute = routes.flatMap(route => [
      mid(run => run.routes[route].cpuMicros, 1),
      `${mid(run => run.routes[route].p50Ms)} / ${mid(run => run.routes[route].p99Ms)}`,
    ])
    return [title, ...perRoute, mid(run => run.rssMegabytes), mid(run => run.startMs)]
  })
  const header = [
    'stack',
    ...routes.flatMap(route => [`\`${route}\` CPU µs a request`, 'p50 / p99 ms']),
    'RSS MB',
    'start ms',
  ]
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  const ratios = routes.map(route => `${(100 * overheadRatio(rounds, route)).toFixed(0)} % on \`${route}\``)
  return [
    line(header),
    line(header.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map(line),
    '',
    `Of what the stack assembled by hand adds to bare Express, ours adds **${ratios.join('** and **')}** (CPU, median of the rounds).`,
    `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}; ${rounds.length} rounds of ${seconds} s a route, closed loop of ` +
      `20 connections, ${canPin ? 'server and load on a core each' : 'server and load not pinned'}; \`/orders\` makes one outbound call.`,
  ].join('\n')
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
