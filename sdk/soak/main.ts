/**
 * `npm run soak -w sdk`: ten minutes at 1,000 requests/s while the collector is down, hangs and flaps. `-- --minutes 1` is
 * shorter; `-- --hostile` makes 1,000,000 hostile requests instead. Prints a table and what is missed; exit code 1 then.
 */
import { parseArgs } from 'node:util'
import { type Hostile, hostile } from './hostile.ts'
import { type Outages, outages, type Phase } from './outages.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '1000' },
    hostile: { type: 'boolean', default: false },
    requests: { type: 'string', default: '1000000' },
  },
})
const minutes = Number(values.minutes)
const requests = Number(values.requests)
const ratePerSecond = Number(values.rate)
if (!(minutes > 0) || !(ratePerSecond > 0) || !(requests > 0)) {
  console.error('expected: soak [--minutes 10] [--rate 1000] | --hostile [--requests 1000000]')
  process.exit(2)
}
const progress = (line: string) => console.error(line)
const missed = values.hostile
  ? judgeHostile(await hostile(requests, progress))
  : judge(await outages({ minutes, ratePerSecond, progress }), minutes >= 10)
for (const line of missed) console.log(`MISSED: ${line}`)
if (missed.length === 0) console.log('all held')
process.exitCode = missed.length > 0 ? 1 : 0

/** A short run has no time to warm up: only a long one is judged by its times and its memory. */
function judge({ phases, errors, requests, spans, packed, stderr }: Outages, isLong: boolean): string[] {
  console.log('| phase | s | requests | p50 ms | p99 ms | RSS MB | delivered |\n|---|---|---|---|---|---|---|')
  for (const { name, from, to, requests, p50Ms, p99Ms, rssMb, delivered } of phases) {
    const share = `${(delivered * 100).toFixed(1)} %`
    const cells = [
      name,
      Math.round((to - from) / 1_000),
      requests,
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      rssMb.toFixed(0),
    ]
    console.log(`| ${[...cells, share].join(' | ')} |`)
  }
  const perSpan = packed.spans > 0 ? `, ${(packed.bytes / packed.spans).toFixed(0)} bytes a span` : ''
  console.log(`\n${requests} requests, errors: ${JSON.stringify(errors)}; spans: ${JSON.stringify(spans)}`)
  console.log(`the outage buffer held at most ${packed.spans} spans in ${packed.bytes} bytes${perSpan}`)
  for (const line of stderr) console.log(line)

  const phase = (name: string): Phase => phases.find(one => one.name === name)!
  const before = phase('before')
  const later = phases.slice(phases.indexOf(before) + 1)
  const growth = Math.max(...later.map(({ rssMb }) => rssMb)) - before.rssMb
  const slowest = later.reduce((worst, one) => (one.p99Ms > worst.p99Ms ? one : worst))
  if (before.p50Ms > 50) console.log('the machine does not serve this rate: times and memory say nothing')
  // A ms more is the resolution of the clock that the load looks at.
  const slowestAllowed = Math.max(before.p99Ms * 1.2, before.p99Ms + 1)
  console.log(
    `RSS grew by ${growth.toFixed(1)} MB; p99 was ${before.p99Ms} ms before, and at most ${slowest.p99Ms} ms later`,
  )
  return [
    Object.keys(errors).length > 0 && `requests failed: ${JSON.stringify(errors)}`,
    isLong && growth >= 25 && `RSS grew by ${growth.toFixed(1)} MB, expected less than 25`,
    isLong &&
      slowest.p99Ms > slowestAllowed &&
      `p99 ${slowest.p99Ms} ms in ${slowest.name}, expected ${slowestAllowed}`,
    phase('down').delivered < 0.4 &&
      `${(phase('down').delivered * 100).toFixed(1)} % of the outage's spans arrived, expected 40`,
    spans.made !== requests && `${requests} requests made ${spans.made} spans`,
    spans.sent + spans.dropped !== spans.made && `sent + dropped is not made, ${spans.waiting} wait`,
    spans.received !== spans.sent && `${spans.sent} spans count as sent, ${spans.received} arrived`,
  ].filter(line => line !== false)
}

function judgeHostile({ requests, statuses, badLines, lines, series, rssGrowthMb, end }: Hostile): string[] {
  console.log(`${requests} requests: ${JSON.stringify(statuses)}; ${lines} access lines, ${badLines} of them bad`)
  console.log(`series: ${JSON.stringify(series)}; RSS grew by ${rssGrowthMb.toFixed(1)} MB; it ended by ${end}`)
  const answered = (statuses['200'] ?? 0) + (statuses['404'] ?? 0)
  const refused = Math.ceil(requests / 997)
  return [
    end !== 'SIGTERM' && `the service ended by ${end}`,
    badLines > 0 && `${badLines} access lines are not one JSON object of ours`,
    // What Node refuses before there is a request has no line.
    lines < answered && `${answered} requests were answered, and ${lines} lines written`,
    answered < requests - 2 * refused && `only ${answered} of ${requests} requests were answered`,
    series.server > 20 && `${series.server} series of the server's duration`,
    series.careless > 2_001 && `${series.careless} series of a counter whose label callers choose`,
    series.careless < Math.min(2_000, requests / 10) && `only ${series.careless} series: the paths are not distinct`,
    requests >= 100_000 &&
      rssGrowthMb >= 50 &&
      `RSS grew by ${rssGrowthMb.toFixed(1)} MB after the first quarter, expected less than 50`,
  ].filter(line => line !== false)
}
